import type { Sql } from '../db/transaction.ts';
import { Failure } from '../failure.ts';
import { type AttemptRow, findAttempt, noteClaim } from '../store/attempts.ts';
import { addEvents } from '../store/events.ts';
import { leaseRun } from '../store/run-state.ts';
import { type RunRow } from '../store/runs.ts';
import type { Caller } from './holder.ts';
import { fenced, lockRunAndSession, recordRefusal } from './holder.ts';
import { type LeasedRun, leasedRun } from './leased-run.ts';
import { loseAttempt } from './lost-attempt.ts';
import { change, type Manager } from './manager.ts';

/** Who claims; its token must still be the one of the attempt. */
export type Claimant = Omit<Caller, 'epoch'> & { readonly tokenHash: Buffer };

/**
 * Gives the run to a runner, under a new epoch and a lease of the lane's length.
 *
 * A run goes to the attempt that it waits for, to any attempt while it waits for none, and again to its holder. What an
 * earlier attempt held goes to another one only when that one is known to be gone: the duties see to that; an attempt of
 * placement `external` is gone when its lease is over, since its runner stops by itself before that.
 *
 * @throws Failure `already-terminal`; `runner-lease-conflict` while another runner or attempt holds it;
 *   `lease-fenced` for an attempt that was lost or has ended; `unauthenticated` for a token that a later start replaced.
 */
export async function claimRun(manager: Manager, caller: Claimant, runnerId: string): Promise<LeasedRun> {
  const result = await change(manager, caller.runId, async (sql) => {
    const run = await lockRunAndSession(sql, caller.runId);
    const attempt = await findAttempt(sql, caller.attemptId);
    // Of an attempt that was started twice only the runner of the last start may go on.
    if (attempt?.token_hash?.equals(caller.tokenHash) !== true) {
      throw new Failure('unauthenticated', 'the token of the attempt was replaced by a later start');
    }
    const isOwn = run.attempt_id === attempt.id;
    const late = { refused: fenced(run, { ...caller, epoch: attempt.epoch ?? 0 }) };
    if (attempt.ended_at !== null && !isOwn) return late;
    assertOpen(run);
    if (attempt.ended_at !== null) return late;
    if (run.lease_live && !(isOwn && run.claimed_by === runnerId)) throw held(run);
    if (!isOwn && run.attempt_id !== null && (await takeFromExternal(manager, sql, run))) {
      return { over: new Failure('already-terminal', `run ${run.id} ended when its last attempt was lost`) };
    }
    if (!isOwn && run.cancel_requested_at !== null) {
      throw new Failure('conflict', `run ${run.id} is being cancelled`, { details: { status: run.status } });
    }
    const wasExpired = isOwn && run.claimed_by !== null && !run.lease_live;
    return { value: await take(manager, sql, run.id, attempt, runnerId, wasExpired) };
  });
  if ('over' in result) throw result.over;
  if (!('refused' in result)) return result.value;
  await recordRefusal(manager, { ...caller, epoch: Number(result.refused.details['yourEpoch']) }, result.refused);
  throw result.refused;
}

function assertOpen(run: RunRow): void {
  if (run.terminal_status === null) return;
  throw new Failure('already-terminal', `run ${run.id} has ended: ${run.status}`, {
    details: { status: run.status, failureKind: run.failure_kind },
  });
}

function held(run: RunRow): Failure {
  return new Failure('runner-lease-conflict', `run ${run.id} is held by runner ${run.claimed_by}`, {
    details: { claimedBy: run.claimed_by, attemptId: run.attempt_id, leaseEpoch: run.lease_epoch },
  });
}

/** True when the run has ended by it: the loss is kept, though the claim is refused. */
async function takeFromExternal(manager: Manager, sql: Sql, run: RunRow): Promise<boolean> {
  const former = run.attempt_id === null ? undefined : await findAttempt(sql, run.attempt_id);
  if (former === undefined || former.placement !== 'external') {
    throw new Failure(
      'runner-lease-conflict',
      `run ${run.id} waits for attempt ${run.attempt_id}, or until that one is known to be gone`,
      { details: { attemptId: run.attempt_id, leaseEpoch: run.lease_epoch } },
    );
  }
  return await loseAttempt(manager, sql, run, 'its lease ran out', { replace: false });
}

async function take(
  manager: Manager,
  sql: Sql,
  runId: string,
  attempt: AttemptRow,
  runnerId: string,
  wasExpired: boolean,
): Promise<LeasedRun> {
  const leaseMs = manager.config.staleHeartbeatFencingMs;
  const run = await leaseRun(sql, runId, { runnerId, attemptId: attempt.id, leaseMs });
  await noteClaim(sql, attempt.id, runnerId, run.lease_epoch);
  await addEvents(sql, runId, [
    {
      type: 'backend_status',
      payload: {
        phase: 'run-claimed',
        runnerId,
        attemptId: attempt.id,
        attemptNumber: attempt.number,
        leaseEpoch: run.lease_epoch,
        ...(wasExpired ? { reclaimed: true } : {}),
      },
    },
  ]);
  return await leasedRun(manager, sql, run);
}
