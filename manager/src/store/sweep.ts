import type { Sql } from '../db/transaction.ts';

/** Deletes answers to keys that are older than so many milliseconds, at most so many at once. */
export async function deleteOldAnswers(sql: Sql, ms: number, limit: number): Promise<number> {
  const { rowCount } = await sql.query(
    `DELETE FROM agentrun_idempotency WHERE ctid IN (
       SELECT ctid FROM agentrun_idempotency WHERE created_at < now() - $1 * interval '1 millisecond' LIMIT $2)`,
    [ms, limit],
  );
  return rowCount ?? 0;
}

/** Deletes runs that ended longer ago, with all that belongs to them; whole runs, so no log has a hole. */
export async function deleteOldRuns(sql: Sql, ms: number, limit: number): Promise<number> {
  const { rowCount } = await sql.query(
    `DELETE FROM agentrun_runs WHERE id IN (
       SELECT id FROM agentrun_runs WHERE terminal_status IS NOT NULL
         AND ended_at < now() - $1 * interval '1 millisecond'
       ORDER BY ended_at LIMIT $2 FOR UPDATE SKIP LOCKED)`,
    [ms, limit],
  );
  return rowCount ?? 0;
}
