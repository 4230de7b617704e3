import type { CreateRun, SessionSend } from '@agentrun/lib/contract';
import type { FastifyRequest } from 'fastify';

type TraceSink = Exclude<CreateRun['traceSink'], undefined>;

/**
 * The trace of a run that is told of none: the one that its caller is in, so that its attempts, and their agents, are in
 * it too. Undefined when the caller is in none.
 */
function sinkOf({ trace, server }: FastifyRequest): TraceSink | undefined {
  if (trace.parentSpanId === null) return undefined;
  if (server.spans.on) return { traceparent: trace.traceparent };
  // The span of this request is never sent: what comes after is below the caller's.
  return { traceparent: trace.traceparent.replace(/-[0-9a-f]{16}-/, `-${trace.parentSpanId}-`) };
}

/** A run with the trace of its request, unless its caller has said which it has, or that it has none. */
export function inTrace(request: FastifyRequest, run: CreateRun): CreateRun {
  const traceSink = run.traceSink === undefined ? sinkOf(request) : undefined;
  return traceSink === undefined ? run : { ...run, traceSink };
}

/** The same for the run that a text to a session may make. */
export function sendInTrace(request: FastifyRequest, send: SessionSend): SessionSend {
  const isSaid = send.run?.traceSink !== undefined || send.runBase?.traceSink !== undefined;
  const traceSink = isSaid ? undefined : sinkOf(request);
  return traceSink === undefined ? send : { ...send, run: { ...send.run, traceSink } };
}
