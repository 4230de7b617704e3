import type { FastifyReply, FastifyRequest } from 'fastify';
import { lastEventId, openSse } from '../http/sse.ts';
import { invalidField } from '../invalid-field.ts';
import { streamSession } from '../live/session-stream.ts';
import { runRow } from '../services/runs.ts';
import { eventsAfter, eventsOfRun, formatPlace, parsePlace, type Selection } from '../services/session-events.ts';
import { sessionRow } from '../services/sessions.ts';
import { wantsStream } from './events.ts';
import type { Serving } from './serving.ts';

type Request = FastifyRequest<{
  Params: { sessionId: string };
  Querystring: { afterSeq: number; limit: number; runId?: string; cursor?: string; until?: 'idle' };
}>;

/** A page of a session's events, or a stream of them. */
export async function serveSessionEvents(
  serving: Serving,
  given: unknown,
  reply: FastifyReply,
  selection: Selection,
): Promise<unknown> {
  const request = given as Request;
  const { sessionId } = request.params;
  const { cursor, afterSeq, limit, runId, until } = request.query;
  await sessionRow(serving.pool, sessionId);
  const id = lastEventId(request as FastifyRequest);
  const place =
    id === null
      ? await placeOf(serving, sessionId, cursor, 'query.cursor')
      : await placeOf(serving, sessionId, id, 'headers.last-event-id');
  if (wantsStream(request as FastifyRequest)) {
    const after = place ?? (runId === undefined ? null : { runId, seq: afterSeq });
    if (after !== null) await assertOfSession(serving, sessionId, after.runId, 'query.runId');
    const stream = openSse(request as FastifyRequest, reply);
    try {
      await streamSession(serving, stream, { sessionId, after, selection, untilIdle: until === 'idle' });
    } finally {
      stream.close('end');
    }
    return undefined;
  }
  if (place === null) return await eventsOfRun(serving, sessionId, { runId, afterSeq, limit }, selection);
  const page = await eventsAfter(serving, sessionId, place, selection, limit);
  return {
    sessionId,
    runId: page.place?.runId ?? place.runId,
    items: page.items,
    count: page.items.length,
    cursor: page.place && formatPlace(page.place),
  };
}

async function placeOf(serving: Serving, sessionId: string, text: string | undefined, path: string) {
  if (text === undefined) return null;
  const place = parsePlace(text, path);
  await assertOfSession(serving, sessionId, place.runId, path);
  return place;
}

async function assertOfSession(serving: Serving, sessionId: string, runId: string, path: string): Promise<void> {
  const run = await runRow(serving.pool, runId);
  if (run.session_id !== sessionId) throw invalidField(path, `names a run that is not of session ${sessionId}`, runId);
}
