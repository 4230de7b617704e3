import type { Sql } from '../db/transaction.ts';

export interface OutboxRow {
  readonly id: number;
  readonly kind: 'start-attempt' | 'fence-attempt';
  readonly run_id: string;
  readonly attempt_id: string;
  readonly tries: number;
}

/** Promises a piece of work with the transaction; `delayMs` from now. The same promise twice is one. */
export async function promise(
  sql: Sql,
  work: Pick<OutboxRow, 'kind' | 'run_id' | 'attempt_id'> & { readonly delayMs?: number },
): Promise<void> {
  await sql.query({
    name: 'promise',
    text: `INSERT INTO agentrun_outbox (kind, run_id, attempt_id, due_at)
      VALUES ($1, $2, $3, clock_timestamp() + $4 * interval '1 millisecond') ON CONFLICT (kind, attempt_id) DO NOTHING`,
    values: [work.kind, work.run_id, work.attempt_id, work.delayMs ?? 0],
  });
}

/** What is due, oldest first. */
export async function dueWork(sql: Sql, limit: number): Promise<OutboxRow[]> {
  const { rows } = await sql.query<OutboxRow>({
    name: 'due-work',
    text: `SELECT id, kind, run_id, attempt_id, tries FROM agentrun_outbox WHERE due_at <= clock_timestamp()
      ORDER BY due_at, id LIMIT $1`,
    values: [limit],
  });
  return rows;
}

export async function doneWork(sql: Sql, id: number): Promise<void> {
  await sql.query('DELETE FROM agentrun_outbox WHERE id = $1', [id]);
}

export async function postponeWork(sql: Sql, id: number, delayMs: number, error: string): Promise<void> {
  await sql.query(
    `UPDATE agentrun_outbox SET tries = tries + 1, last_error = $3,
       due_at = clock_timestamp() + $2 * interval '1 millisecond' WHERE id = $1`,
    [id, delayMs, error.slice(0, 2000)],
  );
}

/** A start that is not wanted any more. */
export async function withdrawStart(sql: Sql, attemptId: string): Promise<void> {
  await sql.query(`DELETE FROM agentrun_outbox WHERE kind = 'start-attempt' AND attempt_id = $1`, [attemptId]);
}
