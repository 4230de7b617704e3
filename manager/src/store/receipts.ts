import type { CancelPhase } from '@agentrun/lib/contract';
import type { Sql } from '../db/transaction.ts';

const STAMP = (table: 'agentrun_runs' | 'agentrun_commands') => `UPDATE ${table} SET
    cancel_receipts = cancel_receipts || jsonb_build_object($2::text, jsonb_build_object(
      'at', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      'sinceRequestMs', greatest(0, (extract(epoch FROM clock_timestamp() - cancel_requested_at) * 1000)::bigint)))
  WHERE id = $1 AND cancel_requested_at IS NOT NULL AND NOT cancel_receipts ? $2`;

const STAMP_RUN = STAMP('agentrun_runs');
const STAMP_COMMAND = STAMP('agentrun_commands');

/** Writes when a stage of the cancel came, unless it is written; true when it was not. */
export async function stampRunReceipt(sql: Sql, runId: string, phase: CancelPhase): Promise<boolean> {
  const { rowCount } = await sql.query({ name: 'stamp-run', text: STAMP_RUN, values: [runId, phase] });
  return rowCount === 1;
}

export async function stampCommandReceipt(sql: Sql, commandId: string, phase: CancelPhase): Promise<boolean> {
  const { rowCount } = await sql.query({ name: 'stamp-command', text: STAMP_COMMAND, values: [commandId, phase] });
  return rowCount === 1;
}

/** Notes that a run is to be cancelled: it is `cancelling` until its runner confirms. False when it was asked before. */
export async function requestRunCancel(
  sql: Sql,
  runId: string,
  reason: string,
  diagnosis: object | null,
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `UPDATE agentrun_runs SET status = 'cancelling', cancel_requested_at = clock_timestamp(), cancel_reason = $2,
       diagnosis = coalesce($3, diagnosis), updated_at = clock_timestamp()
     WHERE id = $1 AND terminal_status IS NULL AND cancel_requested_at IS NULL`,
    [runId, reason, diagnosis],
  );
  return rowCount === 1;
}

/** Notes that an open command is to be cancelled; false when it was asked before. */
export async function requestCommandCancel(sql: Sql, commandId: string, reason: string): Promise<boolean> {
  const { rowCount } = await sql.query(
    `UPDATE agentrun_commands SET cancel_requested_at = clock_timestamp(), cancel_reason = $2,
       updated_at = clock_timestamp()
     WHERE id = $1 AND terminal_status IS NULL AND cancel_requested_at IS NULL`,
    [commandId, reason],
  );
  return rowCount === 1;
}
