import type { Sql } from '../db/transaction.ts';
import { cursorAt, iso } from './time.ts';

export interface RunnerRow {
  readonly id: string;
  readonly run_id: string;
  readonly attempt_id: string | null;
  readonly backend_profile: string | null;
  readonly placement: string | null;
  readonly source_commit: string | null;
  readonly metadata: Record<string, unknown>;
  readonly registered_at: Date;
  readonly heartbeat_at: Date;
}

/** Registers a runner, or tells anew of one that is; the times are the database's. */
export async function upsertRunner(
  sql: Sql,
  runner: Omit<RunnerRow, 'registered_at' | 'heartbeat_at'>,
): Promise<RunnerRow> {
  const { rows } = await sql.query<RunnerRow>(
    `INSERT INTO agentrun_runners (id, run_id, attempt_id, backend_profile, placement, source_commit, metadata)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (id) DO UPDATE SET run_id = excluded.run_id, attempt_id = excluded.attempt_id,
       backend_profile = excluded.backend_profile, placement = excluded.placement,
       source_commit = excluded.source_commit, metadata = excluded.metadata, heartbeat_at = now()
     RETURNING *`,
    [
      runner.id,
      runner.run_id,
      runner.attempt_id,
      runner.backend_profile,
      runner.placement,
      runner.source_commit,
      runner.metadata,
    ],
  );
  return rows[0] as RunnerRow;
}

export async function findRunner(sql: Sql, id: string): Promise<RunnerRow | undefined> {
  return (await sql.query<RunnerRow>('SELECT * FROM agentrun_runners WHERE id = $1', [id])).rows[0];
}

export async function noteHeartbeat(sql: Sql, id: string): Promise<void> {
  await sql.query({
    name: 'note-heartbeat',
    text: 'UPDATE agentrun_runners SET heartbeat_at = now() WHERE id = $1',
    values: [id],
  });
}

export interface RunnerPage {
  readonly runId?: string | undefined;
  readonly before?: { readonly at: string; readonly id: string } | undefined;
  readonly limit: number;
}

/** Newest first. */
export async function listRunners(sql: Sql, page: RunnerPage): Promise<(RunnerRow & { cursor_at: string })[]> {
  const values: unknown[] = [page.limit];
  const where = ['true'];
  if (page.runId !== undefined) where.push(`run_id = $${values.push(page.runId)}`);
  if (page.before !== undefined) {
    where.push(`(registered_at, id) < ($${values.push(page.before.at)}::timestamptz, $${values.push(page.before.id)})`);
  }
  const { rows } = await sql.query<RunnerRow & { cursor_at: string }>(
    `SELECT *, ${cursorAt('registered_at')}
     FROM agentrun_runners WHERE ${where.join(' AND ')} ORDER BY registered_at DESC, id DESC LIMIT $1`,
    values,
  );
  return rows;
}

export function runnerRecord(row: RunnerRow) {
  return {
    id: row.id,
    runId: row.run_id,
    attemptId: row.attempt_id,
    ...(row.backend_profile === null ? {} : { backendProfile: row.backend_profile }),
    ...(row.placement === null ? {} : { placement: row.placement }),
    ...(row.source_commit === null ? {} : { sourceCommit: row.source_commit }),
    metadata: row.metadata,
    registeredAt: iso(row.registered_at),
    heartbeatAt: iso(row.heartbeat_at),
  };
}
