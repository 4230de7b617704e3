import { inTransaction } from '../db/transaction.ts';
import type { FenceOutcome, Placement } from '../placement/placement.ts';
import { closeRun, failed } from '../services/ending.ts';
import { lockRunAndSession } from '../services/holder.ts';
import { loseAttempt } from '../services/lost-attempt.ts';
import { change, type Manager } from '../services/manager.ts';
import { cancelled } from '../services/report-run.ts';
import { type AttemptRow, findAttempt, noteGone } from '../store/attempts.ts';
import { findRun, type RunRow } from '../store/runs.ts';
import { readHandle } from './read-handle.ts';

/** A manager that starts and ends runners. */
export type WithPlacement = Manager & { readonly placements: Placement };

/** Which state of a run a decision was made on: when it is another one by now, nothing is done. */
function isSame(now: RunRow, then: RunRow): boolean {
  return (
    now.terminal_status === null &&
    now.attempt_id === then.attempt_id &&
    now.lease_epoch === then.lease_epoch &&
    now.claimed_by === then.claimed_by
  );
}

/**
 * Takes a run away from its attempt: makes sure first that nothing of the attempt is alive, then closes its epoch. When
 * that cannot be made sure, the run ends blocked, and no second attempt begins beside the first.
 *
 * @param live take it although its lease is live; otherwise an attempt that has beaten meanwhile keeps the run.
 */
export async function takeOver(
  manager: WithPlacement,
  runId: string,
  why: string,
  { live = false }: { readonly live?: boolean } = {},
): Promise<void> {
  const seen = await findRun(manager.pool, runId);
  if (seen === undefined || seen.terminal_status !== null || seen.attempt_id === null) return;
  if (seen.lease_live && !live) return;
  const attempt = await findAttempt(manager.pool, seen.attempt_id);
  if (attempt === undefined) return;
  const outcome = await fenceAttempt(manager, attempt);
  await change(manager, runId, async (sql) => {
    const run = await lockRunAndSession(sql, runId);
    if (!isSame(run, seen) || (run.lease_live && !live)) return;
    if (outcome.gone) await loseAttempt(manager, sql, run, why);
    else await blockRun(manager, sql, run, outcome);
  });
}

/** Ends everything of an attempt. An external one ends itself when its lease is over. */
export async function fenceAttempt(manager: WithPlacement, attempt: AttemptRow): Promise<FenceOutcome> {
  if (attempt.placement === 'external' || attempt.gone_at !== null) return { gone: true, ended: 0 };
  const outcome = await manager.placements.fence(attempt.id, readHandle(attempt.handle));
  if (outcome.gone) await inTransaction(manager.pool, (sql) => noteGone(sql, attempt.id));
  return outcome;
}

async function blockRun(
  manager: Manager,
  sql: Parameters<typeof closeRun>[1],
  run: RunRow,
  outcome: Extract<FenceOutcome, { gone: false }>,
): Promise<void> {
  const left = outcome.couldNotLook ?? `still there: ${outcome.survivors.join(', ')}`;
  const message = `attempt ${run.attempt_id} could not be shown to be gone: ${left}`;
  const diagnosis = { attemptId: run.attempt_id, survivors: outcome.survivors, couldNotLook: outcome.couldNotLook };
  const ended = run.cancel_requested_at === null ? failed('blocked', 'fence-unconfirmed', message) : cancelled(run);
  await closeRun(manager, sql, run, { ...ended, diagnosis }, ended, true);
}
