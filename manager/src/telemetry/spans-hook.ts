import type { RouteOptions } from 'fastify';
import type { Spans } from './spans.ts';

/**
 * Makes the spans that a route declares once its handler has answered. Without spans no handler is touched: what is off
 * costs nothing.
 */
export function spanHandlers(spans: Spans) {
  return (route: RouteOptions): void => {
    const make = route.config?.spans;
    if (!spans.on || make === undefined) return;
    const { handler } = route;
    route.handler = async function traced(request, reply) {
      const begunMs = Date.now();
      const data: unknown = await handler.call(this, request, reply);
      // A stream has ended here; what it was is told by the span of its request.
      if (!reply.sent) spans.answered(request, begunMs, (redact) => make(data, request, redact));
      return data;
    };
  };
}
