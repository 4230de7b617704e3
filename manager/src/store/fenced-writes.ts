import type { Sql } from '../db/transaction.ts';

export interface FencedWrite {
  readonly runId: string;
  readonly attemptId: string;
  readonly epoch: number;
  /** Method and template of the route. */
  readonly route: string;
  readonly sample: object;
}

/** Counts a refused write; true for the first of its kind. */
export async function recordFencedWrite(sql: Sql, write: FencedWrite): Promise<boolean> {
  const { rows } = await sql.query<{ count: number }>({
    name: 'record-fenced-write',
    text: `INSERT INTO agentrun_fenced_writes (run_id, attempt_id, epoch, route, sample) VALUES ($1, $2, $3, $4, $5)
      ON CONFLICT (run_id, attempt_id, epoch, route) DO UPDATE
        SET count = agentrun_fenced_writes.count + 1, last_at = now()
      RETURNING count`,
    values: [write.runId, write.attemptId, write.epoch, write.route, write.sample],
  });
  return rows[0]?.count === 1;
}
