import type { FastifyReply, FastifyRequest } from 'fastify';
import { lastEventId, openSse } from '../http/sse.ts';
import { invalidField } from '../invalid-field.ts';
import { streamSession } from '../live/session-stream.ts';
import { runRow } from '../services/run-row.ts';
import {
  eventsAfter,
  eventsOfRun,
  formatPlace,
  type Place,
  parsePlace,
  type Selection,
} from '../services/session-events.ts';
import { sessionRow } from '../services/sessions.ts';
import { findRun } from '../store/runs.ts';
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
  const isStream = wantsStream(request as FastifyRequest);
  const id = lastEventId(request as FastifyRequest);
  const place =
    id === null
      ? await placeOf(serving, sessionId, cursor, 'query.cursor', isStream)
      : await placeOf(serving, sessionId, id, 'headers.last-event-id', isStream);
  if (isStream) {
    if (place === null && runId !== undefined) await assertOfSession(serving, sessionId, runId, 'query.runId', false);
    const after = place ?? (runId === undefined ? null : { runId, seq: afterSeq });
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

async function placeOf(
  serving: Serving,
  sessionId: string,
  text: string | undefined,
  path: string,
  mayBeGone: boolean,
): Promise<Place | null> {
  if (text === undefined) return null;
  const place = parsePlace(text, path);
  await assertOfSession(serving, sessionId, place.runId, path, mayBeGone);
  return place;
}

/** `mayBeGone`: the run may have been deleted because of its age since the place was given; a stream tells of that. */
async function assertOfSession(
  serving: Serving,
  sessionId: string,
  runId: string,
  path: string,
  mayBeGone: boolean,
): Promise<void> {
  const run = mayBeGone ? await findRun(serving.pool, runId) : await runRow(serving.pool, runId);
  if (run === undefined || run.session_id === sessionId) return;
  throw invalidField(path, `names a run that is not of session ${sessionId}`, runId);
}
