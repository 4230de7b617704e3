import type { Redactor } from '@agentrun/lib/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Failure } from '../failure.ts';
import { asFailure } from './as-failure.ts';
import { PROBLEM_TYPE, problemOf } from './problem.ts';
import { shownPath } from './request-path.ts';
import { TRACE_HEADER } from './trace.ts';

/** Answers anything that was thrown as a problem. What the caller is not told goes to the log, under the same trace. */
export function errorHandler(redactor: Redactor) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const failure = asFailure(error, request);
    request.failureKind = failure.kind;
    if (failure.httpStatus >= 500) request.log.error({ err: error, failureKind: failure.kind }, failure.message);
    reply.code(failure.httpStatus).header(TRACE_HEADER, request.id).headers(headersOf(failure));
    // The rest of a body that is not read is thrown away, so that the caller sees the answer and not a broken
    // connection; the time that a request may take bounds it.
    if (reply.hasHeader('connection')) reply.removeHeader('connection');
    const instance = shownPath(request.raw.url ?? '/');
    const problem = problemOf(failure, { traceId: request.id, instance, redactor });
    return reply.type(PROBLEM_TYPE).send(`${JSON.stringify(problem)}\n`);
  };
}

function headersOf(failure: Failure): Record<string, string> {
  const allowed = failure.details['allowed'];
  return {
    ...(failure.kind === 'unauthenticated' ? { 'www-authenticate': 'Bearer realm="agentrun"' } : {}),
    ...(failure.kind === 'method-not-allowed' && Array.isArray(allowed) ? { allow: allowed.join(', ') } : {}),
    ...(failure.retryAfterMs === null ? {} : { 'retry-after': String(Math.ceil(failure.retryAfterMs / 1000)) }),
  };
}
