import type { AttemptStatus } from '@agentrun/lib/contract';
import type { Sql } from '../db/transaction.ts';
import type { AttemptRow } from './attempts.ts';
import { iso } from './time.ts';

export interface RunnerJobRow {
  readonly id: string;
  readonly run_id: string;
  readonly command_id: string;
  readonly idempotency_key: string | null;
  readonly payload_hash: string;
  readonly attempt_id: string;
  readonly runner_id: string;
  readonly namespace: string;
  readonly job_name: string;
  readonly manager_url: string;
  readonly image: string;
  readonly source_commit: string;
  readonly service_account_name: string | null;
  readonly result: Record<string, unknown>;
  readonly created_at: Date;
  readonly updated_at: Date;
  /** Of the attempt. */
  readonly number: number;
  readonly placement: AttemptRow['placement'];
  readonly status: AttemptStatus;
}

const SELECT = `SELECT j.*, a.number, a.placement, a.status FROM agentrun_runner_jobs j
  JOIN agentrun_attempts a ON a.id = j.attempt_id`;

export async function insertRunnerJob(
  sql: Sql,
  job: Omit<RunnerJobRow, 'result' | 'created_at' | 'updated_at' | 'number' | 'placement' | 'status'>,
): Promise<RunnerJobRow> {
  await sql.query(
    `INSERT INTO agentrun_runner_jobs (id, run_id, command_id, idempotency_key, payload_hash, attempt_id, runner_id,
       namespace, job_name, manager_url, image, source_commit, service_account_name)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
    [
      job.id,
      job.run_id,
      job.command_id,
      job.idempotency_key,
      job.payload_hash,
      job.attempt_id,
      job.runner_id,
      job.namespace,
      job.job_name,
      job.manager_url,
      job.image,
      job.source_commit,
      job.service_account_name,
    ],
  );
  return (await findRunnerJob(sql, job.run_id, job.id)) as RunnerJobRow;
}

export async function findRunnerJob(sql: Sql, runId: string, id: string): Promise<RunnerJobRow | undefined> {
  return (await sql.query<RunnerJobRow>(`${SELECT} WHERE j.run_id = $1 AND j.id = $2`, [runId, id])).rows[0];
}

export async function findRunnerJobOfAttempt(sql: Sql, attemptId: string): Promise<RunnerJobRow | undefined> {
  return (await sql.query<RunnerJobRow>(`${SELECT} WHERE j.attempt_id = $1`, [attemptId])).rows[0];
}

/** Oldest first. */
export async function listRunnerJobs(sql: Sql, runId: string, commandId: string | undefined): Promise<RunnerJobRow[]> {
  const { rows } = await sql.query<RunnerJobRow>(
    `${SELECT} WHERE j.run_id = $1 AND ($2::text IS NULL OR j.command_id = $2) ORDER BY j.created_at, j.id`,
    [runId, commandId ?? null],
  );
  return rows;
}

/** Keeps what the placement said of the job. */
export async function setJobResult(sql: Sql, attemptId: string, result: object): Promise<void> {
  await sql.query(
    `UPDATE agentrun_runner_jobs SET result = result || $2::jsonb, updated_at = now() WHERE attempt_id = $1`,
    [attemptId, result],
  );
}

export function runnerJobRecord(row: RunnerJobRow) {
  return {
    id: row.id,
    runId: row.run_id,
    commandId: row.command_id,
    idempotencyKey: row.idempotency_key,
    payloadHash: row.payload_hash,
    attemptId: row.attempt_id,
    attemptNumber: row.number,
    runnerId: row.runner_id,
    namespace: row.namespace,
    jobName: row.job_name,
    managerUrl: row.manager_url,
    image: row.image,
    sourceCommit: row.source_commit,
    serviceAccountName: row.service_account_name,
    placement: row.placement,
    status: row.status,
    result: row.result,
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
  };
}
export type RunnerJobRecord = ReturnType<typeof runnerJobRecord>;
