import { createHash } from 'node:crypto';
import type { Sql } from '../db/transaction.ts';
import { newId } from '../ids.ts';
import { insertAttempt } from '../store/attempts.ts';
import type { CommandRow } from '../store/commands.ts';
import { addEvents } from '../store/events.ts';
import { DUTY_NEWS, notifyRun } from '../store/notify.ts';
import { promise } from '../store/outbox.ts';
import { expectAttempt } from '../store/run-state.ts';
import { insertRunnerJob, type RunnerJobRow } from '../store/runner-jobs.ts';
import { findRun } from '../store/runs.ts';
import type { Manager } from './manager.ts';

/**
 * Makes the next attempt of a run that nobody holds, with the record of its runner job, and promises its start after
 * `delayMs`. The caller holds the lock of the run. The token is made by the start: nothing here could tell it.
 */
export async function startAttempt(
  manager: Manager,
  sql: Sql,
  runId: string,
  command: Pick<CommandRow, 'id' | 'payload_hash'>,
  delayMs: number,
  idempotencyKey: string | null = null,
): Promise<RunnerJobRow> {
  const { config } = manager;
  const placement = config.runnerPlacement;
  const attemptId = newId('att');
  const runnerId = newId('runner');
  await expectAttempt(sql, runId, attemptId, delayMs + manager.times.claimMs);
  const run = await findRun(sql, runId);
  const number = run?.attempt_count ?? 1;
  await insertAttempt(sql, { id: attemptId, run_id: runId, number, placement, runner_id: runnerId });
  const job = await insertRunnerJob(sql, {
    id: newId('rjob'),
    run_id: runId,
    command_id: command.id,
    idempotency_key: idempotencyKey,
    payload_hash: command.payload_hash,
    attempt_id: attemptId,
    runner_id: runnerId,
    namespace: config.runtimeNamespace,
    job_name: jobName(config.runnerJobNamePrefix, attemptId),
    manager_url: config.internalManagerUrl,
    image: config.runnerImage,
    source_commit: config.sourceCommit,
    service_account_name: config.runnerServiceAccount,
  });
  await addEvents(sql, runId, [
    {
      type: 'backend_status',
      payload: { phase: 'runner-job-created', runnerJobId: job.id, attemptId, attemptNumber: number, placement },
    },
  ]);
  await promise(sql, { kind: 'start-attempt', run_id: runId, attempt_id: attemptId, delayMs });
  await notifyRun(sql, DUTY_NEWS);
  return job;
}

/** At most 63 characters, made of the attempt alone: a second start of it finds the first. */
function jobName(prefix: string, attemptId: string): string {
  const digest = createHash('sha256').update(attemptId).digest('hex').slice(0, 12);
  return `${prefix.slice(0, 50)}-${digest}`;
}
