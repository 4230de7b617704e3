import type { Sql } from '../db/transaction.ts';
import { findLastEndedTurn } from '../store/commands.ts';
import type { RunOutcome } from '../store/run-state.ts';
import type { RunRow } from '../store/runs.ts';
import { closeRun, failed } from './ending.ts';
import type { Manager } from './manager.ts';

/** How the last turn of a run ended; undefined when none has. */
export async function lastTurnOutcome(sql: Sql, runId: string): Promise<RunOutcome | undefined> {
  const last = await findLastEndedTurn(sql, runId);
  if (!last?.terminal_status) return undefined;
  return failed(last.terminal_status, last.failure_kind, last.failure_message);
}

/**
 * Ends a run whose attempt has gone as its last turn did, if nothing is left to do: no command is open, or the run takes
 * one turn and that has ended. The caller holds the locks. True when the run has ended by it.
 *
 * @param fence raises the epoch: the holder did not ask for this end.
 */
export async function endAsLastTurn(
  manager: Manager,
  sql: Sql,
  run: RunRow,
  settled: { readonly open: number; readonly endedTurn: boolean },
  fence: boolean,
): Promise<boolean> {
  if (settled.open > 0 && !(run.execution_policy.oneShot && settled.endedTurn)) return false;
  const outcome = await lastTurnOutcome(sql, run.id);
  if (outcome === undefined) return false;
  await closeRun(manager, sql, run, outcome, failed('cancelled', 'cancelled', 'the run has ended'), fence);
  return true;
}
