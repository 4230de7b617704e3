import type { CommandPayload, SessionSend } from '@agentrun/lib/contract';
import { findSession } from '../store/sessions.ts';
import { runInput } from './create-run.ts';
import type { Manager } from './manager.ts';
import { activeSummary, type Decision, runOf } from './send-decision.ts';

/** What a client can do next, for programs and for people. */
export interface Descriptor {
  readonly action: string;
  readonly operation: string;
  readonly resourceKind: 'session' | 'run' | 'command';
  readonly resourceName: string;
  readonly runId: string | null;
  readonly commandId: string | null;
  readonly sessionId: string | null;
  readonly afterSeq?: number;
  readonly limit?: number;
  readonly readerId?: string;
  readonly reasonRequired?: true;
  readonly inputKind?: string;
  readonly valuesPrinted: false;
}

function descriptor(
  action: string,
  operation: string,
  [resourceKind, resourceName]: readonly [Descriptor['resourceKind'], string],
  ids: { readonly runId?: string; readonly commandId?: string; readonly sessionId?: string },
  extra: Partial<Descriptor> = {},
): Descriptor {
  const { runId = null, commandId = null, sessionId = null } = ids;
  return { action, operation, resourceKind, resourceName, runId, commandId, sessionId, ...extra, valuesPrinted: false };
}

/** How to follow a text that was sent. */
export function pollActions(sessionId: string, runId: string, commandId: string): Descriptor[] {
  const all = { runId, commandId, sessionId };
  const page = { afterSeq: 0, limit: 100 };
  const session = ['session', sessionId] as const;
  return [
    descriptor('inspect-session', 'describe', session, { sessionId }, { readerId: 'cli' }),
    descriptor('poll-trace', 'events', ['run', runId], all, page),
    descriptor('poll-output', 'logs', session, all, page),
    descriptor('read-session', 'read', session, { sessionId }, { readerId: 'cli' }),
    descriptor('cancel-session', 'cancel', session, { sessionId }, { reasonRequired: true }),
  ];
}

const bytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value ?? null), 'utf8');

/** What a send would do; nothing is written. A run that could not be made is refused here too. */
export async function sendPlan(
  manager: Manager,
  sessionId: string,
  body: SessionSend,
  payload: CommandPayload,
  { decision, run, active }: Decision,
) {
  const common = {
    action: 'session-send-plan' as const,
    dryRun: true,
    mutation: false,
    sessionId,
    decision,
    internalCommandType: decision,
    reusedActiveRun: run !== undefined,
    activeBefore: decision === 'steer' && active !== undefined ? activeSummary(active) : null,
    next: {
      confirm: descriptor('send-session', 'send', ['session', sessionId], { sessionId }, { inputKind: 'prompt' }),
      note: 'send the same without dryRun; the manager decides again then whether it steers or begins a turn',
    },
    valuesPrinted: false as const,
  };
  if (decision === 'steer' && run !== undefined) {
    return {
      ...common,
      request: {
        method: 'POST',
        path: `/api/v1/runs/${run.id}/commands`,
        commandType: 'steer',
        payloadBytes: bytes(payload),
        valuesPrinted: false as const,
      },
    };
  }
  const planned =
    run === undefined
      ? await runInput(manager, runOf(sessionId, await findSession(manager.pool, sessionId), body))
      : undefined;
  const createRunnerJob = body.createRunnerJob !== false && (run === undefined || run.attempt_id === null);
  return {
    ...common,
    request: {
      method: 'POST',
      path: `/api/v1/sessions/${sessionId}/send`,
      commandType: 'turn',
      runBytes: planned === undefined ? 0 : bytes(planned),
      payloadBytes: bytes(payload),
      createRunnerJob,
      runnerJobBytes: createRunnerJob && body.runnerJob ? bytes(body.runnerJob) : 0,
      valuesPrinted: false as const,
    },
    run:
      planned === undefined
        ? null
        : {
            bodyBytes: bytes(planned),
            sessionRef: {
              sessionId,
              conversationId: planned.sessionRef?.conversationId ?? null,
              threadId: planned.sessionRef?.threadId ?? null,
              metadataKeys: Object.keys(planned.sessionRef?.metadata ?? {}).sort(),
              valuesPrinted: false as const,
            },
            valuesPrinted: false as const,
          },
  };
}
