import type { Sql } from '../db/transaction.ts';
import { type CommandRow, lockOpenCommands, redeliver } from '../store/commands.ts';
import { addEvents, hasReported, openToolCalls } from '../store/events.ts';
import { returnRun } from '../store/run-state.ts';
import { type RunRow } from '../store/runs.ts';
import { raiseVersion } from '../store/session-notes.ts';
import { cancelReceipt } from './cancel-receipts.ts';
import { closeCommand, closeRun, failed, leaveAttempt } from './ending.ts';
import { endAsLastTurn } from './last-turn.ts';
import type { Manager } from './manager.ts';
import { cancelled } from './report-run.ts';
import { startAttempt } from './start-attempt.ts';
import { nextTurn, rejectSteersOf } from './steer-end.ts';

/**
 * Deals with a run whose attempt is gone: closes its epoch, settles what it had taken up, and lets another attempt go on
 * with the rest, after a wait, until the run's policy says that enough were lost. The caller holds the locks and knows
 * that nothing of the attempt is alive. True when the run has ended by it.
 *
 * @param replace false: another attempt is at hand and goes on at once.
 */
export async function loseAttempt(
  manager: Manager,
  sql: Sql,
  run: RunRow,
  why: string,
  { replace = true }: { readonly replace?: boolean } = {},
): Promise<boolean> {
  await addEvents(sql, run.id, [
    {
      type: 'backend_status',
      payload: { phase: 'attempt-lost', attemptId: run.attempt_id, epoch: run.lease_epoch, reason: why },
    },
  ]);
  if (run.cancel_requested_at !== null) {
    await cancelReceipt(manager, sql, run, 'heartbeat-fenced');
    await leaveAttempt(manager, sql, run, 'lost', why);
    await closeRun(manager, sql, run, cancelled(run), cancelled(run), true);
    return true;
  }
  const open = await lockOpenCommands(sql, run.id);
  const settled = await settleCommands(manager, sql, run, open, why);
  await leaveAttempt(manager, sql, run, 'lost', why);
  if (await endAsLastTurn(manager, sql, run, settled, true)) return true;

  const lost = run.lost_attempts + 1;
  if (lost >= run.execution_policy.maxAttempts) {
    const isClaimed = run.started_at !== null;
    const message = `${lost} attempts were lost; the last one: ${why}`;
    const outcome = isClaimed ? failed('failed', 'infra-failed', message) : failed('blocked', 'never-claimed', message);
    await closeRun(manager, sql, run, outcome, outcome, true);
    return true;
  }
  await returnRun(sql, run.id, run.execution_policy.pendingTimeoutMs, true);
  if (replace && run.placed && settled.next !== undefined) {
    await startAttempt(manager, sql, run.id, settled.next, backoff(manager, lost));
  }
  if (run.session_id !== null) await raiseVersion(sql, run.session_id);
  return false;
}

function backoff({ config }: Manager, lost: number): number {
  return Math.min(config.retryInitialBackoffMs * 2 ** (lost - 1), config.retryMaxBackoffMs);
}

/**
 * Settles what a former attempt had taken up. A turn that it told nothing of is delivered again; of one that it did, the
 * outcome is unknown, and it is never tried again. A steer that was taken up has an unknown outcome too.
 */
export async function settleCommands(
  manager: Manager,
  sql: Sql,
  run: RunRow,
  commands: readonly CommandRow[],
  why: string,
): Promise<{ readonly open: number; readonly next: CommandRow | undefined; readonly endedTurn: boolean }> {
  let endedTurn = false;
  for (const command of commands) {
    if (command.state !== 'acknowledged') continue;
    if (command.type === 'turn') endedTurn = (await settleTurn(manager, sql, run, command, why)) || endedTurn;
    else {
      const outcome = failed(
        'blocked',
        'outcome-unknown',
        `the attempt ended before it told whether the agent took it`,
      );
      await closeCommand(manager, sql, run, command, outcome, undefined);
    }
  }
  const open = await lockOpenCommands(sql, run.id);
  return { open: open.length, next: open.find(({ type }) => type === 'turn'), endedTurn };
}

/** True when the turn has ended by it. */
async function settleTurn(manager: Manager, sql: Sql, run: RunRow, turn: CommandRow, why: string): Promise<boolean> {
  const since = turn.acknowledged_seq ?? 0;
  const isCancelled = turn.cancel_requested_at !== null || run.cancel_requested_at !== null;
  const hasTold = await hasReported(sql, run.id, turn.id, since);
  if (!isCancelled && !hasTold) {
    await redeliver(sql, turn.id);
    return false;
  }
  const diagnosis = {
    reason: why,
    lastSeq: run.last_event_seq,
    openToolCalls: await openToolCalls(sql, run.id, turn.id, since),
    threadId: run.session_ref?.threadId ?? null,
  };
  const outcome = isCancelled
    ? failed('cancelled', 'cancelled', turn.cancel_reason ?? run.cancel_reason)
    : failed('blocked', 'outcome-unknown', `the attempt was lost during the turn: ${why}`);
  await rejectSteersOf(manager, sql, run, turn.id);
  await closeCommand(manager, sql, run, turn, { ...outcome, diagnosis }, await nextTurn(sql, run.id, turn.id));
  return true;
}
