import type { EventInput, FailureKind, TerminalStatus } from '@agentrun/lib/contract';
import type { Sql } from '../db/transaction.ts';
import { endAttempt } from '../store/attempts.ts';
import { type CommandOutcome, type CommandRow, endCommand, lockOpenCommands } from '../store/commands.ts';
import { addEvents } from '../store/events.ts';
import { promise, withdrawStart } from '../store/outbox.ts';
import { endRun, type RunOutcome, setThread } from '../store/run-state.ts';
import { type RunRow } from '../store/runs.ts';
import { noteRunEnd, noteThread, noteTurnEnd, raiseVersion } from '../store/session-notes.ts';
import { cancelReceipt, turnCancelReceipt } from './cancel-receipts.ts';
import type { Manager } from './manager.ts';

/**
 * Ends a command of a run, whose lock and whose session's lock the caller holds: its row, its event, and for a turn the
 * session. Null when it has ended before.
 *
 * @param next the turn of the run that comes after it, when there is one.
 */
export async function closeCommand(
  manager: Manager,
  sql: Sql,
  run: RunRow,
  command: CommandRow,
  outcome: CommandOutcome,
  next: CommandRow | undefined,
): Promise<CommandRow | null> {
  const clean = { ...outcome, failureMessage: textOrNull(manager, outcome.failureMessage) };
  if (outcome.threadId) await learnThread(manager, sql, run, outcome.threadId, outcome.turnId ?? null);
  const ended = await endCommand(sql, command.id, clean);
  if (ended === undefined) return null;
  await turnCancelReceipt(manager, sql, ended, 'terminal');
  await addEvents(sql, run.id, [manager.redact.json(commandTerminal(ended))]);
  if (ended.type === 'turn' && run.session_id !== null) {
    await noteTurnEnd(sql, run.session_id, {
      runId: run.id,
      commandId: ended.id,
      terminalStatus: outcome.terminalStatus,
      failureKind: outcome.failureKind,
      nextCommandId: next?.id ?? null,
    });
  }
  return ended;
}

function commandTerminal(command: CommandRow): EventInput {
  return {
    type: 'backend_status',
    payload: {
      phase: 'command-terminal',
      commandId: command.id,
      commandType: command.type,
      state: command.state,
      terminalStatus: command.terminal_status,
      failureKind: command.failure_kind,
      message: command.failure_message,
      threadId: command.thread_id,
      turnId: command.turn_id,
      ...(command.steer_delivery === null ? {} : { steerDelivery: command.steer_delivery }),
    },
  };
}

async function learnThread(
  manager: Manager,
  sql: Sql,
  run: RunRow,
  threadId: string,
  turnId: string | null,
): Promise<void> {
  if (run.session_id === null || run.session_ref === null) return;
  const sessionRef = { ...run.session_ref, threadId };
  await noteThread(sql, run.session_id, threadId, turnId);
  if (run.session_ref.threadId === threadId) return;
  await setThread(sql, run.id, sessionRef);
  await addEvents(sql, run.id, [
    { type: 'backend_status', payload: manager.redact.json({ phase: 'session-updated', sessionRef, turnId }) },
  ]);
}

/**
 * Ends an open run, whose locks the caller holds, with all that belongs to it: open commands, the attempt, what was
 * promised for it, the session, the events. The event `terminal_status` is the last one of the run.
 *
 * @param open how its open commands end.
 * @param fence raises the epoch: the holder did not ask for this end.
 */
export async function closeRun(
  manager: Manager,
  sql: Sql,
  run: RunRow,
  outcome: RunOutcome,
  open: CommandOutcome,
  fence: boolean,
): Promise<void> {
  for (const command of await lockOpenCommands(sql, run.id)) {
    await closeCommand(manager, sql, run, command, open, undefined);
  }
  if (run.cancel_requested_at !== null) await cancelReceipt(manager, sql, run, 'terminal');
  const failureMessage = textOrNull(manager, outcome.failureMessage);
  await addEvents(sql, run.id, [
    {
      type: 'terminal_status',
      payload: {
        terminalStatus: outcome.terminalStatus,
        failureKind: outcome.failureKind,
        message: failureMessage,
      },
    },
  ]);
  if (!(await endRun(sql, run.id, { ...outcome, failureMessage }, fence))) {
    throw new Error(`run ${run.id} ended while it was locked`);
  }
  if (run.attempt_id !== null) await leaveAttempt(manager, sql, run, 'ended', outcome.terminalStatus);
  if (run.session_id !== null) {
    await noteRunEnd(sql, run.session_id, run.id, outcome);
    await raiseVersion(sql, run.session_id);
  }
}

/** Ends the attempt of a run, and promises that nothing of it stays alive. */
export async function leaveAttempt(
  manager: Manager,
  sql: Sql,
  run: RunRow,
  status: 'lost' | 'ended',
  reason: string,
): Promise<void> {
  if (run.attempt_id === null) return;
  await endAttempt(sql, run.attempt_id, status, reason);
  await withdrawStart(sql, run.attempt_id);
  const delayMs = status === 'lost' ? 0 : manager.times.leaveMs;
  if (run.placed) await promise(sql, { kind: 'fence-attempt', run_id: run.id, attempt_id: run.attempt_id, delayMs });
}

export function failed(
  terminalStatus: TerminalStatus,
  failureKind: FailureKind | null,
  failureMessage: string | null,
): { terminalStatus: TerminalStatus; failureKind: FailureKind | null; failureMessage: string | null } {
  return { terminalStatus, failureKind, failureMessage };
}

function textOrNull(manager: Manager, text: string | null): string | null {
  return text === null ? null : manager.redact.text(text);
}
