import { RELEASE, type ReleaseReason } from '@agentrun/lib/contract';
import type { Sql } from '../db/transaction.ts';
import { findAttempt } from '../store/attempts.ts';
import { lockOpenCommands } from '../store/commands.ts';
import { addEvents } from '../store/events.ts';
import { returnRun } from '../store/run-state.ts';
import { type RunRecord, runRecord } from '../store/runs.ts';
import { closeRun, leaveAttempt } from './ending.ts';
import { asHolder, type Caller } from './holder.ts';
import { endAsLastTurn } from './last-turn.ts';
import { settleCommands } from './lost-attempt.ts';
import type { Manager } from './manager.ts';
import { cancelled, commandsPending } from './report-run.ts';
import { runRow } from './run-row.ts';
import { startAttempt } from './start-attempt.ts';

/** How an attempt ended that gave its run back. */
const RELEASED: ReadonlySet<string | null> = new Set(RELEASE.properties.reason.enum);

/**
 * Gives a run back. `idle`: there is nothing to do, so the run ends with the status of its last turn, or waits for its
 * first one again. `drain`: the runner must go; what it did not finish goes to another attempt, as after a loss, but at
 * once and without counting as one.
 *
 * May be sent again.
 *
 * @throws Failure `commands-pending`, for `idle`, while a command is open.
 */
export async function releaseRun(manager: Manager, caller: Caller, reason: ReleaseReason): Promise<RunRecord> {
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
      if (run.cancel_requested_at !== null) {
        await closeRun(manager, sql, run, cancelled(run), cancelled(run), false);
      } else if (!(await endAsLastTurn(manager, sql, run, settled, false))) {
        await leaveAttempt(manager, sql, run, 'ended', reason);
        await returnRun(sql, run.id, run.execution_policy.pendingTimeoutMs, false);
        if (settled.next !== undefined && run.placed) await startAttempt(manager, sql, run.id, settled.next, 0);
      }
      return manager.redact.json(runRecord(await runRow(sql, run.id)));
    },
    async (_sql, run) => manager.redact.json(runRecord(run)),
    (sql) => hasReleased(sql, caller),
  );
}

async function hasReleased(sql: Sql, caller: Caller): Promise<boolean> {
  const attempt = await findAttempt(sql, caller.attemptId);
  return attempt?.status === 'ended' && attempt.epoch === caller.epoch && RELEASED.has(attempt.end_reason);
}
