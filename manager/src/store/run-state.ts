import type { FailureKind, SessionRef, TerminalStatus } from '@agentrun/lib/contract';
import type { Sql } from '../db/transaction.ts';
import { findRun, type RunRow } from './runs.ts';

export interface RunOutcome {
  readonly terminalStatus: TerminalStatus;
  readonly failureKind: FailureKind | null;
  readonly failureMessage: string | null;
  readonly diagnosis?: Record<string, unknown> | null;
}

/**
 * Ends an open run and takes the lease away; false when it has ended already. With `fence` the epoch rises, so that
 * nothing that the former holder still sends fits; without it the holder, who asked for the end, may ask again.
 */
export async function endRun(sql: Sql, id: string, outcome: RunOutcome, fence: boolean): Promise<boolean> {
  const { rowCount } = await sql.query({
    name: 'end-run',
    text: `UPDATE agentrun_runs SET status = $2, terminal_status = $2, failure_kind = $3, failure_message = $4,
        diagnosis = coalesce($5, diagnosis), claimed_by = NULL, lease_expires_at = NULL, look_at = NULL,
        lease_epoch = lease_epoch + $6::int, ended_at = clock_timestamp(), updated_at = clock_timestamp()
      WHERE id = $1 AND terminal_status IS NULL`,
    values: [
      id,
      outcome.terminalStatus,
      outcome.failureKind,
      outcome.failureMessage,
      outcome.diagnosis ?? null,
      fence ? 1 : 0,
    ],
  });
  return rowCount === 1;
}

/** Moves an open run between claimed and running; a run that is cancelling stays so. */
export async function setRunning(sql: Sql, id: string, isRunning: boolean): Promise<void> {
  await sql.query({
    name: 'set-running',
    text: `UPDATE agentrun_runs SET status = $2, updated_at = clock_timestamp()
      WHERE id = $1 AND status IN ('claimed', 'running') AND status <> $2`,
    values: [id, isRunning ? 'running' : 'claimed'],
  });
}

/**
 * Gives an open run back to the waiting ones: no lease, a higher epoch, looked at after `lookMs`. `lost` counts the
 * attempt as one that was lost.
 */
export async function returnRun(sql: Sql, id: string, lookMs: number, lost: boolean): Promise<void> {
  await sql.query({
    name: 'return-run',
    text: `UPDATE agentrun_runs SET status = CASE WHEN status = 'cancelling' THEN status ELSE 'pending' END,
        claimed_by = NULL, attempt_id = NULL, lease_expires_at = NULL, lease_epoch = lease_epoch + 1, producer_seq = 0,
        lost_attempts = lost_attempts + $3::int, look_at = clock_timestamp() + $2 * interval '1 millisecond',
        updated_at = clock_timestamp()
      WHERE id = $1 AND terminal_status IS NULL`,
    values: [id, lookMs, lost ? 1 : 0],
  });
}

/** Takes a run that is open: whoever calls has looked, under the lock of the row, that nobody else holds it. */
export async function leaseRun(
  sql: Sql,
  id: string,
  holder: { readonly runnerId: string; readonly attemptId: string; readonly leaseMs: number },
): Promise<RunRow> {
  await sql.query({
    name: 'lease-run',
    text: `UPDATE agentrun_runs SET claimed_by = $2, attempt_id = $3, lease_epoch = lease_epoch + 1, producer_seq = 0,
        lease_expires_at = clock_timestamp() + $4 * interval '1 millisecond', heartbeat_at = clock_timestamp(),
        started_at = coalesce(started_at, clock_timestamp()), look_at = NULL, updated_at = clock_timestamp(),
        status = CASE WHEN status = 'pending' THEN 'claimed' ELSE status END
      WHERE id = $1 AND terminal_status IS NULL`,
    values: [id, holder.runnerId, holder.attemptId, holder.leaseMs],
  });
  return (await findRun(sql, id)) as RunRow;
}

/** Makes an attempt the one that may claim, before it has claimed; `lookMs` is how long it may take. */
export async function expectAttempt(sql: Sql, id: string, attemptId: string, lookMs: number): Promise<void> {
  await sql.query({
    name: 'expect-attempt',
    text: `UPDATE agentrun_runs SET attempt_id = $2, attempt_count = attempt_count + 1, placed = true,
        look_at = clock_timestamp() + $3 * interval '1 millisecond', updated_at = clock_timestamp()
      WHERE id = $1 AND terminal_status IS NULL AND claimed_by IS NULL`,
    values: [id, attemptId, lookMs],
  });
}

export async function countAttempt(sql: Sql, id: string): Promise<number> {
  const { rows } = await sql.query<{ attempt_count: number }>(
    'UPDATE agentrun_runs SET attempt_count = attempt_count + 1 WHERE id = $1 RETURNING attempt_count',
    [id],
  );
  return rows[0]?.attempt_count ?? 0;
}

/** Renews a live lease of this epoch; false when it is not live, or not the caller's. No indexed column is written. */
export async function beat(
  sql: Sql,
  id: string,
  holder: { readonly attemptId: string; readonly runnerId: string; readonly epoch: number; readonly leaseMs: number },
): Promise<boolean> {
  const { rowCount } = await sql.query({
    name: 'beat',
    text: `UPDATE agentrun_runs SET lease_expires_at = clock_timestamp() + $4 * interval '1 millisecond',
        heartbeat_at = clock_timestamp()
      WHERE id = $1 AND attempt_id = $2 AND lease_epoch = $3 AND claimed_by = $5
        AND lease_expires_at > clock_timestamp()`,
    values: [id, holder.attemptId, holder.epoch, holder.leaseMs, holder.runnerId],
  });
  return rowCount === 1;
}

export async function lookAgain(sql: Sql, id: string, lookMs: number): Promise<void> {
  await sql.query({
    name: 'look-again',
    text: `UPDATE agentrun_runs SET look_at = clock_timestamp() + $2 * interval '1 millisecond'
      WHERE id = $1 AND terminal_status IS NULL`,
    values: [id, lookMs],
  });
}

export async function setThread(sql: Sql, id: string, sessionRef: SessionRef): Promise<void> {
  await sql.query('UPDATE agentrun_runs SET session_ref = $2, updated_at = clock_timestamp() WHERE id = $1', [
    id,
    sessionRef,
  ]);
}
