import type { CreateRun, SessionSend } from '@agentrun/lib/contract';
import type { Sql } from '../db/transaction.ts';
import { Failure } from '../failure.ts';
import { invalidField } from '../invalid-field.ts';
import { type CommandRow, listOpenCommands, lockOpenCommands, turnUnderWay } from '../store/commands.ts';
import { findOpenRunOfSession, lockRun, type RunRow } from '../store/runs.ts';
import type { SessionRow } from '../store/sessions.ts';

/** What a send does with its text. */
export interface Decision {
  readonly decision: 'steer' | 'turn';
  /** The open run that takes it; none makes a new one. */
  readonly run: RunRow | undefined;
  /** The turn that is under way, with a live lease. */
  readonly active: { readonly run: RunRow; readonly turn: CommandRow } | undefined;
}

/** Steer, or turn: read under the lock of the session, and of the open run, when `lock` is set. */
export async function decide(
  sql: Sql,
  session: SessionRow | undefined,
  body: SessionSend,
  lock: boolean,
): Promise<Decision> {
  const seen = session && (await findOpenRunOfSession(sql, session.session_id));
  const run = seen && lock ? await lockRun(sql, seen.id) : seen;
  if (run === undefined || run.terminal_status !== null) return { decision: 'turn', run: undefined, active: undefined };
  if (run.status === 'cancelling') {
    throw new Failure('session-busy', `run ${run.id} of the session is being cancelled`, {
      details: { runId: run.id, status: run.status },
      retryAfterMs: 1000,
    });
  }
  const open = lock ? await lockOpenCommands(sql, run.id) : await listOpenCommands(sql, run.id);
  const turn = turnUnderWay(open);
  const active = turn !== undefined && run.lease_live ? { run, turn } : undefined;
  const { ifBusy = 'steer' } = body;
  if (ifBusy === 'reject' && open.length > 0) {
    throw new Failure('session-busy', `run ${run.id} of the session is busy`, {
      details: { runId: run.id, status: run.status, commandId: turn?.id ?? null },
    });
  }
  return { decision: active !== undefined && ifBusy === 'steer' ? 'steer' : 'turn', run, active };
}

export function activeSummary({ run, turn }: NonNullable<Decision['active']>) {
  return {
    runId: run.id,
    commandId: turn.id,
    commandState: turn.state,
    runStatus: run.status,
    leaseExpiresAt: run.lease_expires_at?.toISOString() ?? null,
    leaseExpired: false,
    reason: 'active-turn-running' as const,
    valuesPrinted: false as const,
  };
}

/** The new run: what `run` says, and of the session what it leaves out. */
export function runOf(sessionId: string, session: SessionRow | undefined, body: SessionSend): CreateRun {
  const given = { ...body.runBase, ...body.run } as Partial<CreateRun>;
  const run = {
    ...given,
    tenantId: given.tenantId ?? session?.tenant_id,
    projectId: given.projectId ?? session?.project_id,
    backendProfile: given.backendProfile ?? session?.backend_profile,
    providerId: given.providerId ?? given.backendProfile ?? session?.backend_profile,
    workspaceRef: given.workspaceRef ?? { kind: 'session' as const },
    sessionRef: { ...given.sessionRef, sessionId },
  };
  const missing = (['tenantId', 'projectId', 'backendProfile'] as const).filter((name) => run[name] === undefined);
  if (missing.length > 0) {
    throw invalidField(`body.run.${missing[0]}`, `is missing: there is no session ${sessionId} yet that could say it`);
  }
  return run as CreateRun;
}
