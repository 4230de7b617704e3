import { FAILURE_KINDS, type FailureKind } from '@agentrun/lib/contract';
import { inTransaction, type Sql } from '../db/transaction.ts';
import { Failure } from '../failure.ts';
import { PlacementError } from '../placement/placement-error.ts';
import { renewToken } from '../services/attempt-token.ts';
import { closeRun, failed } from '../services/ending.ts';
import { lockRunAndSession } from '../services/holder.ts';
import { loseAttempt } from '../services/lost-attempt.ts';
import { change } from '../services/manager.ts';
import { type AttemptRow, findAttempt, setHandle } from '../store/attempts.ts';
import { doneWork, dueWork, type OutboxRow, postponeWork } from '../store/outbox.ts';
import { lookAgain } from '../store/run-state.ts';
import { setJobResult } from '../store/runner-jobs.ts';
import { lockRun, type RunRow } from '../store/runs.ts';
import { attemptStart, type WithStarts } from './attempt-start.ts';
import { fenceAttempt } from './takeover.ts';

const AT_ONCE = 50;
const TRIES = 10;

/**
 * Does what transactions promised: starts attempts, and ends what is left of those that are over. Each may be done again
 * after a crash: a start first ends what an earlier one left.
 */
export async function doPromises(
  manager: WithStarts,
  onError: (error: unknown, work: OutboxRow) => void,
): Promise<number> {
  const due = await dueWork(manager.pool, AT_ONCE);
  for (const work of due) {
    try {
      await (work.kind === 'start-attempt' ? start(manager, work) : end(manager, work));
    } catch (error) {
      onError(error, work);
      await postpone(manager, work, error);
    }
  }
  return due.length;
}

async function postpone(manager: WithStarts, work: OutboxRow, error: unknown): Promise<void> {
  const { retryInitialBackoffMs, retryMaxBackoffMs } = manager.config;
  const delayMs = Math.min(Math.max(retryInitialBackoffMs, 200) * 2 ** work.tries, retryMaxBackoffMs);
  const message = manager.redact.text(error instanceof Error ? error.message : String(error));
  await postponeWork(manager.pool, work.id, delayMs, message);
}

async function end(manager: WithStarts, work: OutboxRow): Promise<void> {
  const attempt = await findAttempt(manager.pool, work.attempt_id);
  if (attempt !== undefined) {
    const outcome = await fenceAttempt(manager, attempt);
    if (!outcome.gone && work.tries < TRIES) throw new Error(`attempt ${attempt.id} is still there`);
  }
  await doneWork(manager.pool, work.id);
}

async function start(manager: WithStarts, work: OutboxRow): Promise<void> {
  const begun = await inTransaction(manager.pool, (sql) => begin(sql, work));
  if (begun === undefined) return;
  const { run, attempt, token } = begun;
  try {
    const handle = await manager.placements.start(await attemptStart(manager, run, attempt, token));
    await inTransaction(manager.pool, async (sql) => {
      await lookAgain(sql, run.id, manager.times.claimMs);
      await setHandle(sql, attempt.id, handle);
      await doneWork(sql, work.id);
    });
  } catch (error) {
    if (isPassing(error) && work.tries < TRIES) {
      // While it is tried again the run waits, and so must whoever looks at it.
      await lookAgain(manager.pool, run.id, manager.times.claimMs);
      throw error;
    }
    if (!(error instanceof PlacementError) && !(error instanceof Failure)) throw error;
    await giveUp(manager, run, work, error);
  }
}

/**
 * A token for a start that is still wanted. Under the lock of the run no claim comes between the look and the token, so
 * of several starts, by managers that each think the duty theirs, one runner at most can claim.
 */
async function begin(
  sql: Sql,
  work: OutboxRow,
): Promise<{ run: RunRow; attempt: AttemptRow; token: string } | undefined> {
  const run = await lockRun(sql, work.run_id);
  const attempt = await findAttempt(sql, work.attempt_id);
  const isWanted = run?.terminal_status === null && run.attempt_id === attempt?.id && attempt?.status === 'created';
  if (isWanted && attempt !== undefined) return { run, attempt, token: await renewToken(sql, attempt.id) };
  await doneWork(sql, work.id);
  return undefined;
}

function isOutcome(kind: FailureKind): boolean {
  return FAILURE_KINDS[kind].terminalStatus !== null;
}

function isPassing(error: unknown): boolean {
  if (error instanceof PlacementError) return error.retryable;
  return !(error instanceof Failure) || error.kind === 'unavailable';
}

/** A start that failed for now is an attempt that was lost; one that can never work ends the run. */
async function giveUp(
  manager: WithStarts,
  seen: RunRow,
  work: OutboxRow,
  error: PlacementError | Failure,
): Promise<void> {
  const why = manager.redact.text(`the runner could not be started: ${error.message}`);
  await change(manager, seen.id, async (sql) => {
    const run = await lockRunAndSession(sql, seen.id);
    await doneWork(sql, work.id);
    if (run.terminal_status !== null || run.attempt_id !== work.attempt_id || run.claimed_by !== null) return;
    await setJobResult(sql, work.attempt_id, { error: why });
    if (isPassing(error)) {
      await loseAttempt(manager, sql, run, why);
      return;
    }
    // The next attempt would meet the same.
    const kind = error instanceof PlacementError ? error.failureKind : error.kind;
    const outcome = failed(
      FAILURE_KINDS[kind].terminalStatus ?? 'failed',
      isOutcome(kind) ? kind : 'infra-failed',
      why,
    );
    await closeRun(manager, sql, run, outcome, outcome, true);
  });
}
