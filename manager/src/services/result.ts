import type { CommandRow } from '../store/commands.ts';
import { findLastCommand } from '../store/commands.ts';
import type { RunRow } from '../store/runs.ts';
import { type ChangeTotals, totalsOf } from './change-totals.ts';
import { cutText } from './cut-text.ts';
import { OUTPUT_LIMIT } from './keep-results.ts';
import { type Liveness, liveness } from './liveness.ts';
import type { Manager } from './manager.ts';
import { runRow } from './run-row.ts';
import { commandOf } from './work.ts';

/** How a run, or one of its commands, stands or ended. */
export interface RunResult {
  readonly runId: string;
  readonly commandId: string | null;
  readonly status: string;
  readonly terminalStatus: string | null;
  readonly failureKind: string | null;
  readonly failureMessage: string | null;
  readonly threadId: string | null;
  readonly turnId: string | null;
  readonly diagnosis: Record<string, unknown> | null;
  readonly terminalClassification: Liveness['terminalClassification'];
  readonly lastSeq: number;
  readonly output: { readonly text: string; readonly truncated: boolean } | null;
  readonly usage: Record<string, unknown> | null;
  readonly changes: ChangeTotals | null;
  readonly liveness: Liveness;
  readonly steerDelivery?: CommandRow['steer_delivery'];
  readonly valuesPrinted: false;
}

/**
 * The result of a run, told by its newest turn, or of one command.
 *
 * @throws Failure `not-found`
 */
export async function runResult(manager: Manager, runId: string, commandId: string | undefined): Promise<RunResult> {
  const run = await runRow(manager.pool, runId);
  const command =
    commandId === undefined
      ? await findLastCommand(manager.pool, runId)
      : await commandOf(manager.pool, runId, commandId);
  return await resultOf(manager, run, command, commandId !== undefined);
}

export async function resultOf(
  manager: Manager,
  run: RunRow,
  command: CommandRow | undefined,
  isOfCommand: boolean,
): Promise<RunResult> {
  const alive = await liveness(manager, run, command, isOfCommand);
  const of = isOfCommand && command !== undefined ? command : run;
  return manager.redact.json({
    runId: run.id,
    commandId: command?.id ?? null,
    status: isOfCommand && command !== undefined ? command.state : run.status,
    terminalStatus: of.terminal_status,
    failureKind: of.failure_kind,
    failureMessage: of.failure_message,
    threadId: command?.thread_id ?? run.session_ref?.threadId ?? null,
    turnId: command?.turn_id ?? null,
    diagnosis: command?.diagnosis ?? run.diagnosis,
    terminalClassification: alive.terminalClassification,
    lastSeq: run.last_event_seq,
    output: outputOf(command),
    usage: command?.usage ?? null,
    changes: command?.changes ? totalsOf(command.changes) : null,
    liveness: alive,
    ...(command?.steer_delivery ? { steerDelivery: command.steer_delivery } : {}),
    valuesPrinted: false as const,
  });
}

/** The row counts characters; the limit is one of bytes. */
function outputOf(command: CommandRow | undefined): RunResult['output'] {
  if (command?.output_text == null) return null;
  const { text, truncatedBytes } = cutText(command.output_text, OUTPUT_LIMIT);
  return { text, truncated: command.output_truncated || truncatedBytes !== undefined };
}
