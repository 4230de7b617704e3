import type { Sql } from '../db/transaction.ts';
import { Failure } from '../failure.ts';
import { findAttempt } from '../store/attempts.ts';
import { findLastEndedTurn, lockOpenCommands } from '../store/commands.ts';
import { addEvents } from '../store/events.ts';
import { returnRun } from '../store/run-state.ts';
import { findRun, type RunRecord, runRecord } from '../store/runs.ts';
import { closeRun, failed, leaveAttempt } from './ending.ts';
import { asHolder, type Caller } from './holder.ts';
import { settleCommands } from './lost-attempt.ts';
import type { Manager } from './manager.ts';
import { cancelled, commandsPending } from './report-run.ts';
import { startAttempt } from './start-attempt.ts';

/** How an attempt ended that gave its run back. */
const RELEASED: ReadonlySet<string | null> = new Set(['idle', 'drain']);

/**
 * Gives a run back. `idle`: there is nothing to do, so the run ends with the status of its last turn, or waits for its
 * first one again. `drain`: the runner must go; what it did not finish goes to another attempt, as after a loss, but at
 * once and without counting as one.
 *
 * May be sent again.
 *
 * @throws Failure `commands-pending`, for `idle`, while a command is open.
 */
export async function releaseRun(manager: Manager, caller: Caller, reason: 'idle' | 'drain'): Promise<RunRecord> {
  return await asHolder(
    manager,
    caller,
    async (sql, run) => {
      const open = await lockOpenCommands(sql, run.id);
      if (reason === 'idle' && run.cancel_requested_at === null && open.length > 0) {
        throw commandsPending(run, open.length);
      }
      await addEvents(sql, run.id, [
        { type: 'backend_status', payload: { phase: 'run-released', reason, attemptId: caller.attemptId } },
      ]);
      const settled = await settleCommands(manager, sql, run, open, 'the runner was drained');
      const last = await findLastEndedTurn(sql, run.id);
      const isDone = settled.open === 0 || (run.execution_policy.oneShot && settled.endedTurn);
      if (run.cancel_requested_at !== null) {
        await closeRun(manager, sql, run, cancelled(run), cancelled(run), false);
      } else if (isDone && last?.terminal_status) {
        const outcome = failed(last.terminal_status, last.failure_kind, last.failure_message);
        await closeRun(manager, sql, run, outcome, failed('cancelled', 'cancelled', 'the run has ended'), false);
      } else {
        await leaveAttempt(manager, sql, run, 'ended', reason);
        await returnRun(sql, run.id, run.execution_policy.pendingTimeoutMs, false);
        if (settled.next !== undefined && run.placed) await startAttempt(manager, sql, run.id, settled.next, 0);
      }
      const row = await findRun(sql, run.id);
      if (row === undefined) throw new Failure('not-found', `there is no run ${run.id}`);
      return manager.redact.json(runRecord(row));
    },
    async (_sql, run) => manager.redact.json(runRecord(run)),
    (sql) => hasReleased(sql, caller),
  );
}

async function hasReleased(sql: Sql, caller: Caller): Promise<boolean> {
  const attempt = await findAttempt(sql, caller.attemptId);
  return attempt?.status === 'ended' && attempt.epoch === caller.epoch && RELEASED.has(attempt.end_reason);
}
