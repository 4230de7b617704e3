import type { CreateSession } from '@agentrun/lib/contract';
import { inTransaction } from '../db/transaction.ts';
import { newId } from '../ids.ts';
import { keepAnswer } from '../store/idempotency.ts';
import { sessionRecord } from '../store/sessions.ts';
import { idempotent, type Key } from './idempotent.ts';
import { provideVolume, storageSummary, type WithVolumes } from './session-storage.ts';
import { ensureSession } from './sessions.ts';

/**
 * Makes a session and its volume, or says that it is there. When the volume fails the session stays, and the same call
 * makes it good: `session-storage-recovered`.
 *
 * @throws Failure `conflict` for a session of another tenant, project or profile; `session-store-evicted`
 */
export async function createSession(
  manager: WithVolumes,
  input: CreateSession,
  key: Key | undefined,
): Promise<SessionAnswer> {
  if (key === undefined) return await makeSession(manager, input);
  // The id is settled with the key, so that a repeated request cannot make a second session. The volume is made outside
  // of any transaction: until the answer is kept, a repeated request goes on where the first one is, or has failed.
  const known = await inTransaction(manager.pool, (sql) =>
    idempotent<KeptAnswer>(sql, key, async () => ({ sessionId: input.sessionId ?? newId('sess') })),
  );
  if (known.answer !== undefined) return known.answer;
  const answer = await makeSession(manager, { ...input, sessionId: known.sessionId });
  await keepAnswer(manager.pool, key.scope, key.key, { ...known, answer });
  return answer;
}

interface KeptAnswer {
  readonly sessionId: string;
  /** What was answered, once the volume was made. */
  readonly answer?: SessionAnswer;
}
type SessionAnswer = Awaited<ReturnType<typeof makeSession>>;

async function makeSession(manager: WithVolumes, input: CreateSession) {
  const { idempotencyKey: _key, ...wanted } = input;
  const { row, isNew } = await ensureSession(manager, wanted);
  const hadVolume = row.storage_kind === 'pvc';
  const whole = hadVolume ? row : await provideVolume(manager, row.session_id);
  const session = manager.redact.json(sessionRecord(whole));
  if (hadVolume) {
    return {
      action: 'session-exists' as const,
      session,
      pvcName: whole.storage_pvc_name,
      pvcPhase: whole.storage_pvc_phase,
      codexRolloutSubdir: whole.codex_rollout_subdir,
      valuesPrinted: false as const,
    };
  }
  return {
    action: isNew ? ('session-created' as const) : ('session-storage-recovered' as const),
    session,
    pvc: storageSummary(whole),
    valuesPrinted: false as const,
  };
}
