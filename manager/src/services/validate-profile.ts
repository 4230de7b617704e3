import { EXECUTION_POLICY_DEFAULTS } from '@agentrun/lib/contract';
import { inTransaction } from '../db/transaction.ts';
import { Failure } from '../failure.ts';
import { findLastCommand } from '../store/commands.ts';
import type { RunRow } from '../store/runs.ts';
import { createCommandIn } from './create-command.ts';
import { createRunIn } from './create-run.ts';
import type { Manager } from './manager.ts';
import { profileNamed } from './provider-profiles.ts';
import { runRow } from './run-row.ts';
import { createRunnerJobIn } from './runner-jobs.ts';

/** How long a validation may take, in milliseconds. */
const LIMIT_MS = 60_000;
const TENANT = 'agentrun';
const PROMPT = 'This is a test of the connection. Answer with the one word: ready';

/** One thing that a validation looks at; null is not known yet. */
export interface ValidationCheck {
  readonly name: 'runner-started' | 'run-claimed' | 'turn-completed';
  readonly ok: boolean | null;
  readonly message: string | null;
}

/** Begins a validation of a profile: a turn of its own, on a workspace that is thrown away. Its id is the run's. */
export async function beginValidation(manager: Manager, name: string) {
  const profile = await profileNamed(manager, name);
  const run = await inTransaction(manager.pool, async (sql) => {
    const made = await createRunIn(manager, sql, {
      tenantId: TENANT,
      projectId: 'validation',
      providerId: name,
      backendProfile: profile.name,
      workspaceRef: { kind: 'ephemeral' },
      executionPolicy: {
        ...EXECUTION_POLICY_DEFAULTS,
        oneShot: true,
        maxAttempts: 1,
        runTimeoutMs: LIMIT_MS,
        turnTimeoutMs: LIMIT_MS,
        idleEventTimeoutMs: LIMIT_MS,
        pendingTimeoutMs: LIMIT_MS,
        sandbox: 'read-only',
      },
      metadata: { validation: name },
    });
    const command = await createCommandIn(manager, sql, made, { type: 'turn', payload: { prompt: PROMPT } }, null);
    await createRunnerJobIn(manager, sql, made, command.id, null);
    return made;
  });
  return await validation(manager, name, run.id);
}

/** @throws Failure `not-found` for a run that is not a validation of the profile */
export async function validation(manager: Manager, name: string, validationId: string) {
  const run = await runRow(manager.pool, validationId);
  if (run.metadata['validation'] !== name) {
    throw new Failure('not-found', `profile "${name}" has no validation ${validationId}`);
  }
  const turn = await findLastCommand(manager.pool, run.id);
  const outcome = turn?.terminal_status ? turn : run;
  const end = run.ended_at ?? run.read_at;
  return manager.redact.json({
    validationId: run.id,
    profile: name,
    status: statusOf(run),
    checks: checksOf(run, turn?.terminal_status === 'completed'),
    failureKind: outcome.failure_kind,
    failureMessage: outcome.failure_message,
    ms: end.getTime() - run.created_at.getTime(),
    valuesPrinted: false as const,
  });
}

function statusOf(run: RunRow): 'running' | 'passed' | 'failed' {
  if (run.terminal_status === null) return 'running';
  return run.terminal_status === 'completed' ? 'passed' : 'failed';
}

function checksOf(run: RunRow, isCompleted: boolean): ValidationCheck[] {
  const isOver = run.terminal_status !== null;
  const isClaimed = run.started_at !== null;
  const seen = (name: ValidationCheck['name'], ok: boolean): ValidationCheck => ({
    name,
    ok: ok ? true : isOver ? false : null,
    message: ok || !isOver ? null : run.failure_message,
  });
  return [
    seen('runner-started', isClaimed || (run.attempt_count > 0 && !isOver)),
    seen('run-claimed', isClaimed),
    seen('turn-completed', isCompleted),
  ];
}
