import { APPEND_EVENTS, APPENDED, EVENT_LIMITS, type EventInput, RUN_EVENT } from '@agentrun/lib/contract';
import type { FastifyRequest } from 'fastify';
import { holder } from '../http/caller.ts';
import type { ManagerServer } from '../http/server.ts';
import { lastEventId, openSse } from '../http/sse.ts';
import { query } from '../http/type-provider.ts';
import { invalidField } from '../invalid-field.ts';
import { streamRun } from '../live/run-stream.ts';
import { appendEvents } from '../services/append-events.ts';
import { runRow } from '../services/run-row.ts';
import { eventRecord, listEvents } from '../store/events.ts';
import { eventsAppended, eventsRead } from '../telemetry/spans-of-answers.ts';
import { listOf } from './answers.ts';
import { AFTER_SEQ, limit, RUN_PARAMS } from './parameters.ts';
import type { Serving } from './serving.ts';

/** Whether a reader wants a stream: server-sent events are the only other form of an answer. */
export function wantsStream({ headers }: FastifyRequest): boolean {
  return headers.accept?.includes('text/event-stream') === true;
}

export function eventRoutes(app: ManagerServer, serving: Serving): void {
  app.get(
    '/api/v1/runs/:runId/events',
    {
      config: { spans: eventsRead },
      schema: {
        description:
          'A page, or with "Accept: text/event-stream" the events after Last-Event-ID, else after afterSeq, and those that come; at the end of the run an event "end".',
        params: RUN_PARAMS,
        querystring: query({ afterSeq: AFTER_SEQ, limit: limit(500, 100) }),
        response: { 200: listOf(RUN_EVENT) },
      },
    },
    async (request, reply) => {
      const { runId } = request.params;
      await runRow(serving.pool, runId);
      if (wantsStream(request)) {
        const after = seqOf(lastEventId(request)) ?? request.query.afterSeq;
        const stream = openSse(request, reply);
        try {
          await streamRun(serving.tails, stream, runId, after);
        } finally {
          stream.close('end');
        }
        return undefined;
      }
      const rows = await listEvents(serving.pool, runId, request.query.afterSeq, request.query.limit);
      return { items: rows.map(eventRecord) };
    },
  );

  app.post(
    '/api/v1/runs/:runId/events',
    {
      config: { auth: 'runner', spans: eventsAppended },
      bodyLimit: EVENT_LIMITS.bodyBytes,
      schema: { params: RUN_PARAMS, body: APPEND_EVENTS, response: { 200: APPENDED } },
    },
    async (request) => {
      const body = request.body as { readonly events?: readonly EventInput[] } & EventInput;
      const events = body.events ?? [{ type: body.type, ...(body.payload && { payload: body.payload }) }];
      const producerSeq = request.runner?.producerSeq ?? null;
      return await appendEvents(serving, holder(request), events, producerSeq, body.events === undefined);
    },
  );
}

function seqOf(id: string | null): number | undefined {
  if (id === null) return undefined;
  if (/^\d{1,9}$/.test(id)) return Number(id);
  throw invalidField('headers.last-event-id', 'is not the number of an event', id);
}
