import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Failure } from '../failure.ts';
import { assertLocalHost } from './local-host.ts';
import { TRACE_HEADER, traceOf } from './trace.ts';
import { hasEmptySegment, unknownRoute } from './unknown-route.ts';

export interface AdmissionOptions {
  readonly local: boolean;
  readonly authenticate: (request: FastifyRequest) => Promise<void>;
  /** Whether the server takes no more work. */
  readonly closing: () => boolean;
}

/** What a request must pass before its body is read; each refusal is the cheapest one that applies. */
export function admission(app: FastifyInstance, { local, authenticate, closing }: AdmissionOptions) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    request.trace = traceOf(request.id, request.headers['traceparent']);
    reply.header(TRACE_HEADER, request.id);
    if (request.headers.host === undefined && request.raw.httpVersion === '1.1') {
      throw new Failure('schema-invalid', 'The request has no Host header.');
    }
    if (local) assertLocalHost(request);
    if (closing() && request.routeOptions.config.auth !== 'open') {
      throw new Failure('unavailable', 'The manager is stopping; another one takes over, or this one starts again.', {
        retryAfterMs: 1000,
      });
    }
    if (request.is404 || hasEmptySegment(request.params)) throw unknownRoute(app, request);
    assertUrl(request.raw.url ?? '/');
    await authenticate(request);
    normalizeBodyHeaders(request);
  };
}

function assertUrl(url: string): void {
  if (!url.includes('%')) return;
  if (url.includes('%00'))
    throw new Failure('schema-invalid', 'The URL holds a NUL character (%00), which cannot be stored.');
  try {
    decodeURIComponent(url);
  } catch (error) {
    throw new Failure('schema-invalid', 'The query holds a "%" that no two hex digits of UTF-8 follow.', {
      cause: error,
    });
  }
}

/** By contract the Content-Type is not looked at: every body is JSON. What is packed is refused, not unpacked. */
function normalizeBodyHeaders(request: FastifyRequest): void {
  const { headers } = request.raw;
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== '' && encoding.toLowerCase() !== 'identity') {
    throw new Failure(
      'schema-invalid',
      `Content-Encoding ${JSON.stringify(encoding.slice(0, 40))} is not accepted; send the body as plain JSON.`,
    );
  }
  if (headers['content-type'] !== undefined) headers['content-type'] = 'application/json';
}
