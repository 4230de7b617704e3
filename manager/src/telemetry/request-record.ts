import type { FastifyReply, FastifyRequest } from 'fastify';
import { routeTemplate } from '../http/request-path.ts';

/** Params that name the object of a request; the log is searched by them. */
const SUBJECTS = ['runId', 'sessionId', 'commandId', 'taskId'] as const;
/** What proxies log when the caller goes away before the answer. */
const CALLER_GONE = 499;

/** Writes one line of the log, one sample and one span when the answer to a request has gone out or its caller has gone. */
export function recordRequest(request: FastifyRequest, reply: FastifyReply): void {
  const begun = performance.now();
  reply.raw.once('close', () => {
    const { raw } = reply;
    const gone = !raw.writableFinished;
    const status = gone && !raw.headersSent ? CALLER_GONE : raw.statusCode;
    const ms = performance.now() - begun;
    const route = routeTemplate(request);
    const stream = String(raw.getHeader('content-type') ?? '').startsWith('text/event-stream');
    if (!stream) request.server.metrics.observeRequest({ method: request.method, route, status, seconds: ms / 1000 });
    const params = (request.params ?? {}) as Readonly<Record<string, unknown>>;
    const subjects = Object.fromEntries(
      SUBJECTS.flatMap((name) => (typeof params[name] === 'string' ? [[name, params[name]]] : [])),
    );
    const { spans } = request.server;
    if (spans.on) spans.request(request, { method: request.method, route, status, ms, subjects, callerGone: gone });
    request.log.info(
      {
        method: request.method,
        route: route ?? 'unmatched',
        status,
        ms: Math.round(ms * 10) / 10,
        ...subjects,
        ...(request.failureKind === null ? {} : { failureKind: request.failureKind }),
        ...(gone ? { callerGone: true } : {}),
      },
      'request',
    );
  });
}
