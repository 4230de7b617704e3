import type { Sql } from '../db/transaction.ts';
import { type CommandRow, listCancelledTurns } from '../store/commands.ts';
import { type RunRecord, type RunRow, runRecord } from '../store/runs.ts';
import { iso } from '../store/time.ts';
import { cancelReceipt, turnCancelReceipt } from './cancel-receipts.ts';
import type { Manager } from './manager.ts';

/** What the holder of a run learns whenever it asks or beats; not redacted: its inputs are for the agent. */
export interface LeasedRun extends RunRecord {
  readonly leaseMs: number;
  readonly serverTime: string;
  readonly cancelCommandIds: readonly string[];
}

export async function leasedRun(manager: Manager, sql: Sql, run: RunRow): Promise<LeasedRun> {
  return {
    ...runRecord(run),
    leaseMs: manager.config.staleHeartbeatFencingMs,
    serverTime: iso(run.read_at),
    cancelCommandIds: (await listCancelledTurns(sql, run.id)).map(({ id }) => id),
  };
}

/** Whether the holder has not been told yet of a cancel of the run or of a turn. */
export function hasCancelNews(run: RunRow, cancelled: readonly CommandRow[]): boolean {
  return (
    (run.cancel_requested_at !== null && run.cancel_receipts['cancel-delivered'] === undefined) ||
    cancelled.some((command) => command.cancel_receipts['cancel-delivered'] === undefined)
  );
}

/** Notes that the holder is told; the caller holds the lock of the run. */
export async function deliverCancels(
  manager: Manager,
  sql: Sql,
  run: RunRow,
  cancelled: readonly CommandRow[],
): Promise<void> {
  await cancelReceipt(manager, sql, run, 'delivered');
  for (const command of cancelled) await turnCancelReceipt(manager, sql, command, 'delivered');
}
