import { FAILURE_KINDS } from '@agentrun/lib/contract';
import type { CommandRow } from '../store/commands.ts';
import type { RunRow } from '../store/runs.ts';
import { bounded } from './bounded-text.ts';
import type { Phase } from './liveness.ts';

/** Something that a person, or a program for them, can do about a run. */
export interface RecoveryAction {
  readonly action: 'resend-turn' | 'cancel' | 'validate-profile' | 'refresh-storage' | 'inspect';
  readonly operation: string;
  readonly resourceKind: 'run' | 'session' | 'profile';
  readonly resourceName: string;
  readonly reason: string;
  readonly reasonHint: string | null;
  readonly reasonRequired: boolean;
  readonly inputKind: string | null;
  readonly runId: string;
  readonly commandId: string | null;
  readonly sessionId: string | null;
  readonly failureMessage: string | null;
  readonly valuesPrinted: false;
}

/**
 * What to do next, best first; nothing for what went well.
 *
 * @param ended whose outcome counts when it has one; undefined for the run's.
 */
export function recoveryActions(
  run: RunRow,
  command: CommandRow | undefined,
  ended: CommandRow | undefined,
  phase: Phase,
): RecoveryAction[] {
  const of = ended?.terminal_status ? ended : run;
  const base = {
    reasonHint: of.failure_kind === null ? null : FAILURE_KINDS[of.failure_kind].nextStep,
    reasonRequired: false,
    inputKind: null,
    runId: run.id,
    commandId: command?.id ?? null,
    sessionId: run.session_id,
    failureMessage: of.failure_message === null ? null : bounded(of.failure_message, 220),
    valuesPrinted: false,
  } as const;
  const onRun = { resourceKind: 'run', resourceName: run.id } as const;
  const inspect: RecoveryAction = {
    ...base,
    ...onRun,
    action: 'inspect',
    operation: 'events',
    reason: 'see the events',
  };
  if (run.terminal_status === null) {
    const stuck = phase === 'lost' ? 'the runner is not heard of' : 'the run is open';
    const cancel: RecoveryAction = {
      ...base,
      ...onRun,
      action: 'cancel',
      operation: 'cancel',
      reason: stuck,
      reasonRequired: true,
    };
    return phase === 'cancelling' ? [inspect] : phase === 'lost' ? [inspect, cancel] : [cancel];
  }
  if (of.terminal_status === 'completed') return [];
  const actions: RecoveryAction[] = [];
  if (of.failure_kind === 'provider-auth-failed' || of.failure_kind === 'profile-invalid') {
    actions.push({
      ...base,
      action: 'validate-profile',
      operation: 'validate',
      resourceKind: 'profile',
      resourceName: run.backend_profile,
      reason: 'the profile or its credential was refused',
    });
  }
  if (of.failure_kind === 'disk-full' && run.session_id !== null) {
    actions.push({
      ...base,
      action: 'refresh-storage',
      operation: 'storage',
      resourceKind: 'session',
      resourceName: run.session_id,
      reason: 'the volume is full',
    });
  }
  if (run.session_id !== null && of.failure_kind !== 'session-store-evicted') {
    actions.push({
      ...base,
      action: 'resend-turn',
      operation: 'send',
      resourceKind: 'session',
      resourceName: run.session_id,
      reason: of.failure_kind === 'outcome-unknown' ? 'look first at what the agent did' : 'try again in the session',
      inputKind: 'prompt',
    });
  }
  return [...actions, inspect].slice(0, 5);
}
