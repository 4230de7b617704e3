import { inTransaction, type Sql } from '../db/transaction.ts';
import { type CommandRow, listCancelledTurns } from '../store/commands.ts';
import { lockRun, type RunRecord, type RunRow, runRecord } from '../store/runs.ts';
import { iso } from '../store/time.ts';
import type { RunLook } from '../store/work.ts';
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
export function hasCancelNews(run: RunLook, cancelled: readonly CommandRow[]): boolean {
  return (
    (run.cancel_requested_at !== null && run.cancel_receipts['cancel-delivered'] === undefined) ||
    cancelled.some((command) => command.cancel_receipts['cancel-delivered'] === undefined)
  );
}

/** Notes that the holder is told, unless the run has ended or got another holder since it was `seen`. */
export async function deliverCancels(manager: Manager, seen: RunLook): Promise<void> {
  await inTransaction(manager.pool, async (sql) => {
    const run = await lockRun(sql, seen.id);
    if (run === undefined || run.terminal_status !== null || run.lease_epoch !== seen.lease_epoch) return;
    await cancelReceipt(manager, sql, run, 'delivered');
    for (const command of await listCancelledTurns(sql, run.id)) {
      await turnCancelReceipt(manager, sql, command, 'delivered');
    }
  });
}
