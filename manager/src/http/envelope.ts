import type { RouteOptions } from 'fastify';

const JSON_TYPE = 'application/json; charset=utf-8';

/**
 * Puts what the handler of a route returns into the envelope `{ok: true, data, traceId}`, with status 200; nothing counts
 * as null. Members are written as they are, no schema drops any. A handler that hijacks the reply, as event streams do,
 * is left alone; when it throws then, its answer is ended.
 */
export function wrapHandler(route: RouteOptions): void {
  if (route.config?.raw === true) return;
  const { handler } = route;
  route.handler = async function enveloped(request, reply) {
    let data: unknown;
    try {
      data = await handler.call(this, request, reply);
    } catch (error) {
      if (!reply.sent) throw error;
      // An event stream has begun: its reader comes back with its last id.
      request.log.error({ err: error }, 'the answer broke off');
      reply.raw.end();
      return reply;
    }
    if (reply.sent) return reply;
    return reply.type(JSON_TYPE).send(`${JSON.stringify({ ok: true, data: data ?? null, traceId: request.id })}\n`);
  };
}
