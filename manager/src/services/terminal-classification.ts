import type { FailureKind } from '@agentrun/lib/contract';
import { lastRetry } from '../store/activity.ts';
import type { CommandRow } from '../store/commands.ts';
import type { RunRow } from '../store/runs.ts';
import { bounded } from './bounded-text.ts';
import type { Manager } from './manager.ts';

/** Whose matter an outcome is. */
export type Category =
  | 'success'
  | 'agent-error'
  | 'provider'
  | 'auth'
  | 'quota'
  | 'timeout'
  | 'cancelled'
  | 'infra'
  | 'unknown';

const CATEGORIES: Partial<Readonly<Record<FailureKind, Category>>> = {
  'provider-auth-failed': 'auth',
  'provider-quota': 'quota',
  'provider-unavailable': 'provider',
  'provider-rate-limited': 'provider',
  'turn-timeout': 'timeout',
  'turn-idle-timeout': 'timeout',
  'context-overflow': 'agent-error',
  'approval-required': 'agent-error',
  'backend-crashed': 'agent-error',
  'backend-protocol': 'agent-error',
  'steer-not-applied': 'agent-error',
  'outcome-unknown': 'unknown',
  cancelled: 'cancelled',
};

/**
 * What an outcome means, by its kind alone: nothing is guessed from texts. Null while there is none.
 *
 * @param ended whose outcome it is; undefined for the run's.
 */
export async function terminalClassification(
  manager: Manager,
  run: RunRow,
  command: CommandRow | undefined,
  ended: CommandRow | undefined,
) {
  const of = ended ?? run;
  if (of.terminal_status === null) return null;
  const kind = of.failure_kind;
  const byRun = run.diagnosis?.['timeoutKind'] === 'run';
  const timeoutKind = byRun ? 'run' : kind === 'turn-timeout' ? 'turn' : kind === 'turn-idle-timeout' ? 'idle' : null;
  const category = categoryOf(of.terminal_status === 'completed', kind, timeoutKind !== null);
  const retry = command === undefined ? undefined : await lastRetry(manager.pool, run.id, command.id);
  const isProvider = category === 'provider' || category === 'auth' || category === 'quota';
  const reason = of.failure_message === null ? null : bounded(of.failure_message, 240);
  return {
    category,
    confidence: category === 'unknown' ? 'low' : 'high',
    providerEvidence: isProvider ? kind : null,
    providerInterruption: isProvider,
    providerInterruptionKnown: category !== 'unknown',
    providerInterruptionReason: isProvider ? reason : null,
    retryInterruptionObserved: retry !== undefined,
    retryInterruptionSeq: retry?.seq ?? null,
    retryInterruptionKind: typeof retry?.payload['failureKind'] === 'string' ? retry.payload['failureKind'] : null,
    hardTimeout: timeoutKind === 'run' || timeoutKind === 'turn',
    idleTimeout: timeoutKind === 'idle',
    timeoutKind,
    transportDisconnectObserved: kind === 'provider-unavailable',
    transportDisconnectSeq: null,
    reason,
    valuesPrinted: false as const,
  };
}

function categoryOf(isCompleted: boolean, kind: FailureKind | null, isTimeout: boolean): Category {
  if (isCompleted) return 'success';
  if (isTimeout) return 'timeout';
  return (kind === null ? undefined : CATEGORIES[kind]) ?? 'infra';
}
