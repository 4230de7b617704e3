import type { CreateSession } from '@agentrun/lib/contract';
import { inTransaction } from '../db/transaction.ts';
import { newId } from '../ids.ts';
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
export async function createSession(manager: WithVolumes, input: CreateSession, key: Key | undefined) {
  const { idempotencyKey: _key, ...wanted } = input;
  // The id is settled with the key, so that a repeated request cannot make a second session.
  const { row, isNew } = await ensureSession(manager, {
    ...wanted,
    ...(await settledId(manager, wanted.sessionId, key)),
  });
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

async function settledId(
  manager: WithVolumes,
  given: string | undefined,
  key: Key | undefined,
): Promise<{ sessionId?: string }> {
  if (key === undefined) return given === undefined ? {} : { sessionId: given };
  const sessionId = await inTransaction(manager.pool, (sql) =>
    idempotent(sql, key, async () => given ?? newId('sess')),
  );
  return { sessionId };
}
