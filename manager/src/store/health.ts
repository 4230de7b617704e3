import type { Sql } from '../db/transaction.ts';

/** The newest migration of the database, and whether it has the one that is asked for. */
export async function newestMigration(
  sql: Sql,
  latest: string,
): Promise<{ readonly id: string | null; readonly hasLatest: boolean }> {
  const { rows } = await sql.query<{ id: string | null; has_latest: boolean }>(
    `SELECT (SELECT id FROM agentrun_schema_migrations ORDER BY applied_at DESC, id DESC LIMIT 1) AS id,
       EXISTS (SELECT 1 FROM agentrun_schema_migrations WHERE id = $1) AS has_latest`,
    [latest],
  );
  return { id: rows[0]?.id ?? null, hasLatest: rows[0]?.has_latest === true };
}
