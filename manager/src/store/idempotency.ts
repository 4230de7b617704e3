import type { Sql } from '../db/transaction.ts';

/**
 * Takes a key for a request. Undefined: it is ours, and the answer must be kept by {@link keepAnswer} in the same
 * transaction. While another request with the key is under way this waits for its end.
 */
export async function takeKey(
  sql: Sql,
  scope: string,
  key: string,
  requestHash: string,
): Promise<{ readonly requestHash: string; readonly response: unknown } | undefined> {
  for (;;) {
    const { rowCount } = await sql.query({
      name: 'take-key',
      text: `INSERT INTO agentrun_idempotency (scope, key, request_hash) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
      values: [scope, key, requestHash],
    });
    if (rowCount === 1) return undefined;
    const { rows } = await sql.query<{ request_hash: string; response: unknown }>(
      'SELECT request_hash, response FROM agentrun_idempotency WHERE scope = $1 AND key = $2',
      [scope, key],
    );
    const [row] = rows;
    // It may have been swept away between the two statements.
    if (row !== undefined) return { requestHash: row.request_hash, response: row.response };
  }
}

export async function keepAnswer(sql: Sql, scope: string, key: string, response: unknown): Promise<void> {
  await sql.query('UPDATE agentrun_idempotency SET response = $3 WHERE scope = $1 AND key = $2', [
    scope,
    key,
    JSON.stringify(response),
  ]);
}
