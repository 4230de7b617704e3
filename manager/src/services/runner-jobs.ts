import type { Sql } from '../db/transaction.ts';
import { Failure } from '../failure.ts';
import { findRunnerJob, listRunnerJobs, type RunnerJobRecord, runnerJobRecord } from '../store/runner-jobs.ts';
import type { RunRow } from '../store/runs.ts';
import { findSession } from '../store/sessions.ts';
import { assertUsable } from './create-run.ts';
import { lockRunAndSession } from './holder.ts';
import { idempotent, type Key } from './idempotent.ts';
import { change, type Manager } from './manager.ts';
import { runRow } from './run-row.ts';
import { startAttempt } from './start-attempt.ts';
import { commandOf } from './work.ts';

/**
 * Asks for a runner of a run: the record of its job and the promise to start it are one transaction.
 *
 * @throws Failure `already-terminal`, `session-store-evicted`, `not-found` for the command, and
 *   `runner-lease-conflict` while the run has an attempt.
 */
export async function createRunnerJob(
  manager: Manager,
  runId: string,
  commandId: string,
  key: Key | undefined,
): Promise<RunnerJobRecord> {
  return await change(manager, runId, (sql) =>
    idempotent(sql, key, async () => {
      const run = await lockRunAndSession(sql, runId);
      return await createRunnerJobIn(manager, sql, run, commandId, key?.key ?? null);
    }),
  );
}

/** The same within a transaction that holds the locks of the run. */
export async function createRunnerJobIn(
  manager: Manager,
  sql: Sql,
  run: RunRow,
  commandId: string,
  key: string | null,
): Promise<RunnerJobRecord> {
  const command = await commandOf(sql, run.id, commandId);
  if (run.terminal_status !== null || run.status === 'cancelling') {
    throw new Failure('already-terminal', `run ${run.id} needs no runner: it is ${run.status}`, {
      details: { status: run.status, failureKind: run.failure_kind },
    });
  }
  const session = run.session_id === null ? undefined : await findSession(sql, run.session_id);
  if (session !== undefined) assertUsable(session);
  if (run.attempt_id !== null) {
    throw new Failure('runner-lease-conflict', `run ${run.id} has attempt ${run.attempt_id} already`, {
      details: { attemptId: run.attempt_id, claimedBy: run.claimed_by },
    });
  }
  return runnerJobRecord(await startAttempt(manager, sql, run.id, command, 0, key));
}

/** The jobs of a run, oldest first, with the number of its newest event. */
export async function runnerJobsOf(manager: Manager, runId: string, commandId: string | undefined) {
  const run = await runRow(manager.pool, runId);
  const items = (await listRunnerJobs(manager.pool, runId, commandId)).map(runnerJobRecord);
  return { items, count: items.length, lastSeq: run.last_event_seq };
}

export async function runnerJobOf(manager: Manager, runId: string, jobId: string): Promise<RunnerJobRecord> {
  const job = await findRunnerJob(manager.pool, runId, jobId);
  if (job === undefined) throw new Failure('not-found', `run ${runId} has no runner job ${jobId}`);
  return runnerJobRecord(job);
}
