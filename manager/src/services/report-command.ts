import { FAILURE_KINDS, type FailureKind, type ReportStatus, type TerminalStatus } from '@agentrun/lib/contract';
import type { Sql } from '../db/transaction.ts';
import { Failure } from '../failure.ts';
import { invalidField } from '../invalid-field.ts';
import { type CommandRecord, type CommandRow, commandRecord } from '../store/commands.ts';
import { addEvents } from '../store/events.ts';
import { setRunning } from '../store/run-state.ts';
import { type RunRow } from '../store/runs.ts';
import { raiseVersion } from '../store/session-notes.ts';
import { closeCommand, closeRun, failed } from './ending.ts';
import { asHolder, type Caller } from './holder.ts';
import type { Manager } from './manager.ts';
import { markRepeated } from './repeated.ts';
import { nextTurn, rejectSteer, rejectSteersOf } from './steer-end.ts';
import { userMessage } from './user-message.ts';
import { commandOf } from './work.ts';

/** What a report says, with the parts that it leaves out. */
export interface Outcome {
  readonly terminalStatus: TerminalStatus;
  readonly failureKind: FailureKind | null;
  readonly failureMessage: string | null;
}

/**
 * Reads the outcome of a report: a completed one has no kind, each other one has a kind that ends so.
 *
 * @throws Failure `schema-invalid` when status and kind do not fit.
 */
export function outcomeOf(report: ReportStatus): Outcome {
  const { terminalStatus, failureMessage = null } = report;
  const kind = report.failureKind ?? DEFAULT_KIND[terminalStatus];
  const fits = kind === null ? null : FAILURE_KINDS[kind].terminalStatus;
  if (terminalStatus === 'completed' ? kind !== null : fits !== terminalStatus) {
    throw kind === null || terminalStatus === 'completed'
      ? invalidField('body.failureKind', 'must be absent or null when body.terminalStatus is "completed"', kind)
      : invalidField('body.terminalStatus', `must be "${fits}" with body.failureKind "${kind}"`, terminalStatus);
  }
  return { terminalStatus, failureKind: kind, failureMessage };
}

const DEFAULT_KIND: Readonly<Record<TerminalStatus, FailureKind | null>> = {
  completed: null,
  failed: 'infra-failed',
  blocked: 'outcome-unknown',
  cancelled: 'cancelled',
};

/**
 * Ends a command with what the runner says of it. A command that has ended keeps its outcome and is answered as it is,
 * so that a report may be sent again. A turn leaves the run open, unless the policy says one shot.
 */
export async function reportCommand(
  manager: Manager,
  caller: Caller,
  commandId: string,
  report: ReportStatus,
): Promise<CommandRecord> {
  const outcome = outcomeOf(report);
  return await asHolder(
    manager,
    caller,
    async (sql, run) => {
      const command = await commandOf(sql, run.id, commandId);
      if (command.terminal_status !== null) return markRepeated(commandRecord(command));
      if (command.state === 'acknowledged' && command.attempt_id !== caller.attemptId) {
        throw new Failure('conflict', `command ${commandId} was taken up by attempt ${command.attempt_id}`);
      }
      const ended =
        command.type === 'steer'
          ? await endSteer(manager, sql, run, command, outcome, report)
          : await endTurn(manager, sql, run, command, outcome, report);
      return commandRecord(ended ?? (await commandOf(sql, run.id, commandId)));
    },
    async (sql, run) => manager.redact.json(commandRecord(await commandOf(sql, run.id, commandId))),
  );
}

async function endSteer(
  manager: Manager,
  sql: Sql,
  run: RunRow,
  steer: CommandRow,
  outcome: Outcome,
  report: ReportStatus,
): Promise<CommandRow | null> {
  const reason = report.steerDelivery?.['reason'];
  if (outcome.failureKind === 'steer-not-applied') {
    const known = reason === 'unsupported' || reason === 'superseded' ? reason : 'turn-ended';
    return await rejectSteer(manager, sql, run, steer, known, outcome.failureMessage);
  }
  const ended = await closeCommand(manager, sql, run, steer, outcome, undefined);
  if (outcome.terminalStatus === 'completed') await addEvents(sql, run.id, [userMessage(manager, steer)]);
  return ended;
}

async function endTurn(
  manager: Manager,
  sql: Sql,
  run: RunRow,
  turn: CommandRow,
  outcome: Outcome,
  report: ReportStatus,
): Promise<CommandRow | null> {
  const isLast = run.execution_policy.oneShot;
  if (!isLast) await rejectSteersOf(manager, sql, run, turn.id);
  const next = isLast ? undefined : await nextTurn(sql, run.id, turn.id);
  const { threadId = null, turnId = null } = report;
  const ended = await closeCommand(manager, sql, run, turn, { ...outcome, threadId, turnId }, next);
  if (isLast && run.cancel_requested_at === null) {
    const others = failed('cancelled', 'cancelled', 'the run was for one turn');
    await closeRun(manager, sql, run, outcome, others, false);
    return ended;
  }
  // One that was reported without having been taken up may end beside the one that is under way.
  if (turn.state === 'acknowledged') await setRunning(sql, run.id, false);
  if (run.session_id !== null) await raiseVersion(sql, run.session_id);
  return ended;
}
