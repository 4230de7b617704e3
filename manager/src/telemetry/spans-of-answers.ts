import type { EventInput } from '@agentrun/lib/contract';
import type { FastifyRequest } from 'fastify';
import { attemptOfRequest } from '../http/caller.ts';
import { isRepeated } from '../services/repeated.ts';
import type { RunResult } from '../services/result.ts';
import type { send } from '../services/send.ts';
import type { CommandRecord } from '../store/commands.ts';
import type { RunnerJobRecord } from '../store/runner-jobs.ts';
import type { RunRecord } from '../store/runs.ts';
import type { DomainSpan, SpansOfAnswer } from './spans.ts';
import { spanOfEvent } from './spans-of-events.ts';

/** The contract's span of a run that was made; none when the answer repeats an earlier one. */
export const runCreated: SpansOfAnswer = (data) => (isRepeated(data) ? [] : [runSpan(data as RunRecord)]);

export const commandCreated: SpansOfAnswer = (data) => (isRepeated(data) ? [] : [commandSpan(data as CommandRecord)]);

export const runnerJobCreated: SpansOfAnswer = (data) =>
  isRepeated(data) ? [] : [runnerJobSpan(data as RunnerJobRecord)];

type Sent = Extract<Awaited<ReturnType<typeof send>>, { readonly action: 'session-send' }>;

/** All that a text to a session has made, and the send itself; none for a plan. */
export const sessionSent: SpansOfAnswer = (data, request) => {
  const sent = data as Sent | { readonly action: 'session-send-plan' };
  if (sent.action !== 'session-send' || isRepeated(sent)) return [];
  const { decision, run, command, runnerJob, reusedActiveRun, sessionId } = sent;
  const { createRunnerJob = true } = request.body as { readonly createRunnerJob?: boolean };
  return [
    ...(reusedActiveRun ? [] : [runSpan(run, { decision })]),
    commandSpan(command, { sessionId, decision }),
    ...(runnerJob === null ? [] : [runnerJobSpan(runnerJob, { sessionId, decision })]),
    {
      name: 'session_send',
      attributes: {
        sessionId,
        runId: run.id,
        commandId: command.id,
        decision,
        reusedActiveRun,
        ...(decision === 'turn' ? { createRunnerJob } : {}),
      },
    },
  ];
};

/** A page of the events of a run was read. */
export const eventsRead: SpansOfAnswer = (data, request) => {
  const { items } = data as { readonly items: readonly unknown[] };
  const { runId } = request.params as { readonly runId: string };
  const { afterSeq, limit } = request.query as { readonly afterSeq: number; readonly limit: number };
  return [{ name: 'projection_sync', attributes: { runId, afterSeq, limit, eventCount: items.length } }];
};

export const resultRead: SpansOfAnswer = (data) => {
  const { runId, commandId, terminalStatus } = data as RunResult;
  return [{ name: 'command_result', attributes: { runId, commandId, terminalStatus } }];
};

/** Of events: only of those that this request has stored. */
export const eventsAppended: SpansOfAnswer = (data, request, redact) => {
  const { count, dropped = 0 } = data as { readonly count: number; readonly dropped?: number };
  const body = request.body as { readonly events?: readonly EventInput[] } & EventInput;
  const events = body.events ?? [body];
  const teller = tellerOf(request);
  // What was known already stands at the beginning. What is dropped for its size is never of a type that has a span.
  return events.slice(events.length - Math.min(events.length, count + dropped)).flatMap((event) => {
    const span = spanOfEvent(event, teller, redact);
    return span === undefined ? [] : [span];
  });
};

/** A run that ended by what its runner said: the runner's word is a report here, and the event is the manager's. */
export const runReported: SpansOfAnswer = (data, request, redact) => {
  const { terminalStatus, failureKind, failureMessage } = data as RunRecord;
  if (terminalStatus === null || isRepeated(data)) return [];
  const payload = { ...placeOf(request), terminalStatus, failureKind, message: failureMessage };
  const span = spanOfEvent({ type: 'terminal_status', payload }, tellerOf(request), redact);
  return span === undefined ? [] : [span];
};

/** The same for a command. */
export const commandReported: SpansOfAnswer = (data, request, redact) => {
  const { id, terminalStatus, failureKind, failureMessage, threadId, turnId } = data as CommandRecord;
  if (terminalStatus === null || isRepeated(data)) return [];
  const outcome = { terminalStatus, failureKind, message: failureMessage, threadId, turnId };
  const payload = { phase: 'command-terminal', commandId: id, ...outcome };
  const span = spanOfEvent({ type: 'backend_status', payload }, tellerOf(request), redact);
  return span === undefined ? [] : [span];
};

function runSpan({ id, sessionRef, backendProfile, providerId }: RunRecord, more: object = {}): DomainSpan {
  const sessionId = sessionRef?.sessionId ?? null;
  return { name: 'run_created', attributes: { runId: id, sessionId, backendProfile, providerId, ...more } };
}

function commandSpan({ id, runId, type, state }: CommandRecord, more: object = {}): DomainSpan {
  const attributes = { runId, commandId: id, commandType: type, commandState: state, ...more };
  return { name: 'command_created', attributes };
}

function runnerJobSpan(job: RunnerJobRecord, more: object = {}): DomainSpan {
  const { runId, commandId, attemptId, jobName, namespace } = job;
  return { name: 'runner_job_created', attributes: { runId, commandId, attemptId, jobName, namespace, ...more } };
}

function tellerOf(request: FastifyRequest) {
  const attempt = attemptOfRequest(request);
  return { runId: attempt?.runId ?? '', attemptId: attempt?.id ?? null };
}

/** Where the agent was, if the report says so. */
function placeOf({ body }: FastifyRequest): { readonly threadId?: string; readonly turnId?: string } {
  const { threadId, turnId } = (body ?? {}) as { readonly threadId?: string; readonly turnId?: string };
  return { ...(threadId === undefined ? {} : { threadId }), ...(turnId === undefined ? {} : { turnId }) };
}
