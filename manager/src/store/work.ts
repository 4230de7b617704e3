import type { Sql } from '../db/transaction.ts';
import type { CommandRow } from './commands.ts';
import type { RunRow } from './runs.ts';

/** Of a run what a runner's question needs: its inputs may be long, and it asks often. */
export type RunLook = Pick<
  RunRow,
  | 'id'
  | 'status'
  | 'terminal_status'
  | 'cancel_requested_at'
  | 'cancel_receipts'
  | 'attempt_id'
  | 'lease_epoch'
  | 'lease_live'
  | 'read_at'
>;

export interface WorkLook {
  readonly run: RunLook;
  /** What the attempt has to do: pending commands, and those that it acknowledged and did not finish. */
  readonly items: readonly CommandRow[];
  /** Acknowledged turns whose cancel was asked for. */
  readonly cancelled: readonly CommandRow[];
}

type RunColumns = { readonly [Name in Exclude<keyof RunLook, 'id'> as `run_${Name}`]: RunLook[Name] };
type Row = RunColumns & { readonly is_work: boolean | null } & CommandRow;

/** A run and its open commands after a number, all of one moment; undefined when there is no run. */
export async function lookForWork(
  sql: Sql,
  runId: string,
  attemptId: string,
  afterSeq: number,
  limit: number,
): Promise<WorkLook | undefined> {
  const { rows } = await sql.query<Row>({
    name: 'look-for-work',
    text: `SELECT c.*, r.status AS run_status,
        r.terminal_status AS run_terminal_status, r.cancel_requested_at AS run_cancel_requested_at,
        r.cancel_receipts AS run_cancel_receipts, r.attempt_id AS run_attempt_id, r.lease_epoch AS run_lease_epoch,
        (r.lease_expires_at IS NOT NULL AND r.lease_expires_at > clock_timestamp()) AS run_lease_live,
        clock_timestamp() AS run_read_at
      FROM agentrun_runs r LEFT JOIN LATERAL (
        (SELECT *, true AS is_work FROM agentrun_commands
          WHERE run_id = r.id AND terminal_status IS NULL AND seq > $3 AND (state = 'pending' OR attempt_id = $2)
          ORDER BY seq LIMIT $4)
        UNION ALL
        SELECT *, false FROM agentrun_commands
          WHERE run_id = r.id AND terminal_status IS NULL AND type = 'turn' AND state = 'acknowledged'
            AND cancel_requested_at IS NOT NULL) c ON true
      WHERE r.id = $1 ORDER BY c.seq`,
    values: [runId, attemptId, afterSeq, limit],
  });
  const [first] = rows;
  if (first === undefined) return undefined;
  return {
    run: {
      id: runId,
      status: first.run_status,
      terminal_status: first.run_terminal_status,
      cancel_requested_at: first.run_cancel_requested_at,
      cancel_receipts: first.run_cancel_receipts,
      attempt_id: first.run_attempt_id,
      lease_epoch: first.run_lease_epoch,
      lease_live: first.run_lease_live,
      read_at: first.run_read_at,
    },
    items: rows.filter((row) => row.is_work === true),
    cancelled: rows.filter((row) => row.is_work === false),
  };
}
