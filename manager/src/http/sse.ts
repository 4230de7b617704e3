import type { FastifyReply, FastifyRequest } from 'fastify';
import { type SseOptions, SseStream } from './sse-stream.ts';

/**
 * Begins an event stream as the answer to a request; the route's handler returns when it has nothing more to send.
 *
 * The stream is closed with the manager (`app.streams`) and with its reader; `signal` tells of both.
 */
export function openSse(request: FastifyRequest, reply: FastifyReply, options: SseOptions = {}): SseStream {
  const { raw } = reply;
  reply.hijack();
  // Headers that hooks have set are not written by themselves any more.
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value);
  raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    // nginx and its relatives would gather the events.
    'x-accel-buffering': 'no',
  });
  raw.flushHeaders();
  // Nothing is sent then: the stream begins closed.
  if (request.method === 'HEAD') raw.end();
  return new SseStream(raw, request.server.streams, options);
}

/** After which event a reader goes on: `Last-Event-ID`, which browsers send again by themselves; null at first. */
export function lastEventId(request: FastifyRequest): string | null {
  const header = request.headers['last-event-id'];
  return typeof header === 'string' && header !== '' ? header : null;
}
