import type { Sql } from '../db/transaction.ts';
import { Failure } from '../failure.ts';
import {
  type CommandRecord,
  type CommandRow,
  commandRecord,
  findCommand,
  lockOpenCommands,
  turnUnderWay,
} from '../store/commands.ts';
import { requestCommandCancel, requestRunCancel } from '../store/receipts.ts';
import { findRun, type RunRecord, type RunRow, runRecord } from '../store/runs.ts';
import { raiseVersion } from '../store/session-notes.ts';
import { cancelReceipt, turnCancelReceipt } from './cancel-receipts.ts';
import { closeCommand, closeRun, failed } from './ending.ts';
import { lockRunAndSession } from './holder.ts';
import { change, type Manager } from './manager.ts';
import { cancelled } from './report-run.ts';
import { nextTurn, rejectSteersOf } from './steer-end.ts';

const NO_REASON = 'cancel requested';

/**
 * Asks for the end of a run. What waits is cancelled at once, and so is a run that nobody holds; otherwise the run is
 * `cancelling` until its runner confirms, or is fenced. Asking again, or for a run that has ended, changes nothing.
 */
export async function cancelRun(manager: Manager, runId: string, reason: string | undefined): Promise<RunRecord> {
  return await change(manager, runId, async (sql) => {
    const run = await lockRunAndSession(sql, runId);
    if (run.terminal_status === null) await requestCancel(manager, sql, run, reason ?? NO_REASON, null);
    return runRecord((await findRun(sql, runId)) ?? run);
  });
}

/** The same within a transaction that holds the locks of an open run; `diagnosis` says what made us ask. */
export async function requestCancel(
  manager: Manager,
  sql: Sql,
  run: RunRow,
  givenReason: string,
  diagnosis: object | null,
): Promise<void> {
  const reason = manager.redact.text(givenReason);
  if (!(await requestRunCancel(sql, run.id, reason, diagnosis))) return;
  const asked: RunRow = { ...run, status: 'cancelling', cancel_requested_at: run.read_at, cancel_reason: reason };
  await cancelReceipt(manager, sql, asked, 'requested');
  // A holder whose lease ran out may still be alive: its run ends when it is known to be gone.
  if (run.claimed_by === null) {
    await closeRun(manager, sql, asked, cancelled(asked), cancelled(asked), true);
    return;
  }
  const open = await lockOpenCommands(sql, run.id);
  for (const command of open) {
    if (command.state === 'pending') {
      await closeCommand(manager, sql, asked, command, cancelled(asked), turnUnderWay(open));
    }
  }
  if (run.session_id !== null) await raiseVersion(sql, run.session_id);
}

/**
 * Asks for the end of a command: a pending one is cancelled at once, of a turn that is under way the runner is told. The
 * run stays open. Again changes nothing.
 *
 * @throws Failure `conflict` for a steer that the runner has taken up.
 */
export async function cancelCommand(
  manager: Manager,
  commandId: string,
  reason: string | undefined,
): Promise<CommandRecord> {
  const seen = await findCommand(manager.pool, commandId);
  if (seen === undefined) throw new Failure('not-found', `there is no command ${commandId}`);
  return await change(manager, seen.run_id, async (sql) => {
    const run = await lockRunAndSession(sql, seen.run_id);
    const command = (await findCommand(sql, commandId)) ?? seen;
    if (command.terminal_status !== null || command.cancel_requested_at !== null) return commandRecord(command);
    await requestTurnEnd(manager, sql, run, command, manager.redact.text(reason ?? NO_REASON));
    return commandRecord((await findCommand(sql, commandId)) ?? command);
  });
}

async function requestTurnEnd(
  manager: Manager,
  sql: Sql,
  run: RunRow,
  command: CommandRow,
  reason: string,
): Promise<void> {
  if (command.type === 'steer' && command.state === 'acknowledged') {
    throw new Failure('conflict', `steer ${command.id} has been given to the agent`, {
      details: { state: command.state },
    });
  }
  await requestCommandCancel(sql, command.id, reason);
  const asked: CommandRow = { ...command, cancel_requested_at: run.read_at, cancel_reason: reason };
  await turnCancelReceipt(manager, sql, asked, 'requested');
  if (command.state === 'pending') {
    await rejectSteersOf(manager, sql, run, command.id);
    const next = await nextTurn(sql, run.id, command.id);
    await closeCommand(manager, sql, run, asked, failed('cancelled', 'cancelled', reason), next);
  }
  if (run.session_id !== null) await raiseVersion(sql, run.session_id);
}
