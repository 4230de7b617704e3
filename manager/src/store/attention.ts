import type { Sql } from '../db/transaction.ts';

/** An open run that somebody has to look at, and why. */
export interface Attention {
  readonly id: string;
  /** The lease of its attempt is over. */
  readonly expired: boolean;
  /** Nobody holds it and its time has come. */
  readonly due: boolean;
  readonly cancelling: boolean;
  /** It has run for longer than its policy allows. */
  readonly overtime: boolean;
  readonly turn_cancelled: boolean;
}

/** Every open run that needs a look, by the clock of the database; the index of open runs is all that is read. */
export async function listAttention(sql: Sql): Promise<Attention[]> {
  const { rows } = await sql.query<Attention>({
    name: 'list-attention',
    text: `SELECT * FROM (
        SELECT id,
          coalesce(claimed_by IS NOT NULL AND lease_expires_at <= clock_timestamp(), false) AS expired,
          coalesce(claimed_by IS NULL AND look_at <= clock_timestamp(), false) AS due,
          cancel_requested_at IS NOT NULL AS cancelling,
          coalesce(cancel_requested_at IS NULL AND started_at + (execution_policy ->> 'runTimeoutMs')::bigint
            * interval '1 millisecond' <= clock_timestamp(), false) AS overtime,
          EXISTS (SELECT 1 FROM agentrun_commands c WHERE c.run_id = r.id AND c.terminal_status IS NULL
            AND c.state = 'acknowledged' AND c.cancel_requested_at IS NOT NULL) AS turn_cancelled
        FROM agentrun_runs r WHERE terminal_status IS NULL) open
      WHERE expired OR due OR cancelling OR overtime OR turn_cancelled`,
  });
  return rows;
}

/** Ends the lease of an attempt that is gone, now; gives the run that it held or was expected for. */
export async function closeLeaseOf(sql: Sql, attemptId: string): Promise<string | undefined> {
  const { rows } = await sql.query<{ id: string }>(
    `UPDATE agentrun_runs SET
       lease_expires_at = CASE WHEN claimed_by IS NULL THEN NULL ELSE least(lease_expires_at, clock_timestamp()) END,
       look_at = CASE WHEN claimed_by IS NULL THEN clock_timestamp() ELSE look_at END
     WHERE id = (SELECT run_id FROM agentrun_attempts WHERE id = $1) AND attempt_id = $1 AND terminal_status IS NULL
     RETURNING id`,
    [attemptId],
  );
  return rows[0]?.id;
}

/** Attempts that hold an open run, or are expected for one, and were started: with what finds them again. */
export async function listPlacedAttempts(
  sql: Sql,
): Promise<{ id: string; run_id: string; handle: Record<string, unknown> }[]> {
  const { rows } = await sql.query<{ id: string; run_id: string; handle: Record<string, unknown> }>(
    `SELECT a.id, a.run_id, a.handle FROM agentrun_runs r JOIN agentrun_attempts a ON a.id = r.attempt_id
     WHERE r.terminal_status IS NULL AND a.ended_at IS NULL AND a.handle IS NOT NULL`,
  );
  return rows;
}

/** What retention needs to know of attempts, by the clock of the database. */
export async function listAttemptLives(sql: Sql, ids: readonly string[]) {
  const { rows } = await sql.query<{
    id: string;
    active: boolean;
    heartbeat_at: Date | null;
    ended_at: Date | null;
    created_at: Date;
    now: Date;
  }>(
    `SELECT a.id, r.attempt_id = a.id AND r.terminal_status IS NULL AND a.ended_at IS NULL AS active,
       CASE WHEN r.attempt_id = a.id THEN r.heartbeat_at ELSE a.claimed_at END AS heartbeat_at,
       a.ended_at, a.created_at, clock_timestamp() AS now
     FROM agentrun_attempts a JOIN agentrun_runs r ON r.id = a.run_id WHERE a.id = ANY ($1)`,
    [ids],
  );
  return rows;
}
