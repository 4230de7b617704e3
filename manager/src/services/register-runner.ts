import type { RegisterRunner } from '@agentrun/lib/contract';
import type { Sql } from '../db/transaction.ts';
import { Failure } from '../failure.ts';
import { newId } from '../ids.ts';
import { invalidField } from '../invalid-field.ts';
import { findAttempt, insertAttempt } from '../store/attempts.ts';
import { countAttempt } from '../store/run-state.ts';
import { findRunner, runnerRecord, upsertRunner } from '../store/runners.ts';
import { type RunRow } from '../store/runs.ts';
import { newToken } from './attempt-token.ts';
import { fenced, lockRunAndSession, recordRefusal } from './holder.ts';
import { change, type Manager } from './manager.ts';

/** Who registers: an operator, who gets an attempt and its token, or an attempt that has them. */
export type Registrar =
  | { readonly operator: true }
  | { readonly operator: false; readonly attemptId: string; readonly runId: string };

/**
 * Registers a runner. With the API key it gets a new attempt of placement `external`, whose token is told once; with the
 * token of an attempt it tells who serves that.
 *
 * @throws Failure `already-terminal`, `forbidden` for another run or attempt, `schema-invalid` for another profile,
 *   `lease-fenced` for an attempt that is over.
 */
export async function registerRunner(manager: Manager, registrar: Registrar, input: RegisterRunner) {
  const result = await change(manager, input.runId, async (sql) => {
    if (!registrar.operator && registrar.runId !== input.runId) {
      throw new Failure('forbidden', `the token is not for run ${input.runId}`);
    }
    const run = await lockRunAndSession(sql, input.runId);
    const former = registrar.operator ? undefined : await findAttempt(sql, registrar.attemptId);
    if (former?.ended_at != null) {
      return { refused: { attemptId: former.id, runId: run.id, epoch: former.epoch ?? 0, route: ROUTE }, run };
    }
    assertServable(run, input);
    const { attemptId, runnerId, token } = registrar.operator
      ? await externalAttempt(sql, run, input)
      : await knownAttempt(sql, registrar.attemptId, input);
    const row = await upsertRunner(sql, {
      id: runnerId,
      run_id: run.id,
      attempt_id: attemptId,
      backend_profile: run.backend_profile,
      placement: registrar.operator ? 'external' : (input.placement ?? manager.config.runnerPlacement),
      source_commit: input.sourceCommit ?? null,
      metadata: manager.redact.json(input.metadata ?? {}),
    });
    return { refused: undefined, value: { ...runnerRecord(row), ...(token === undefined ? {} : { token }) } };
  });
  if (result.refused === undefined) return result.value;
  const refusal = fenced(result.run, result.refused);
  await recordRefusal(manager, result.refused, refusal);
  throw refusal;
}

const ROUTE = 'POST /api/v1/runners/register';

function assertServable(run: RunRow, input: RegisterRunner): void {
  if (run.terminal_status !== null) {
    throw new Failure('already-terminal', `run ${run.id} has ended: ${run.status}`, {
      details: { status: run.status, failureKind: run.failure_kind },
    });
  }
  if (input.backendProfile !== undefined && input.backendProfile !== run.backend_profile) {
    throw invalidField(
      'body.backendProfile',
      `is not the profile of run ${run.id}, "${run.backend_profile}"`,
      input.backendProfile,
    );
  }
}

async function externalAttempt(sql: Sql, run: RunRow, input: RegisterRunner) {
  if (input.attemptId !== undefined) {
    throw new Failure('forbidden', `attempt ${input.attemptId} has a token of its own: register with that`);
  }
  const attemptId = newId('att');
  const runnerId = input.id ?? newId('runner');
  const { token, hash } = newToken(attemptId);
  const number = await countAttempt(sql, run.id);
  await insertAttempt(sql, {
    id: attemptId,
    run_id: run.id,
    number,
    placement: 'external',
    runner_id: runnerId,
    tokenHash: hash,
  });
  return { attemptId, runnerId, token };
}

async function knownAttempt(sql: Sql, attemptId: string, input: RegisterRunner) {
  const attempt = await findAttempt(sql, attemptId);
  if (attempt === undefined) throw new Failure('unauthenticated', 'the attempt of the token is not known');
  if (input.attemptId !== undefined && input.attemptId !== attemptId) {
    throw new Failure('forbidden', `the token is not for attempt ${input.attemptId}`);
  }
  const runnerId = input.id ?? attempt.runner_id;
  const former = await findRunner(sql, runnerId);
  if (former !== undefined && former.attempt_id !== attemptId) {
    throw new Failure('forbidden', `runner ${runnerId} is of another attempt`);
  }
  return { attemptId, runnerId, token: undefined };
}
