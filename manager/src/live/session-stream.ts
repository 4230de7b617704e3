import { Failure } from '../failure.ts';
import type { SseStream } from '../http/sse-stream.ts';
import type { Manager } from '../services/manager.ts';
import { eventsAfter, formatPlace, type Place, type Selection } from '../services/session-events.ts';
import { sessionRow } from '../services/sessions.ts';
import { eventsOf } from './wakeups.ts';

const PAGE = 200;
const LOOK_MS = 5000;

/** How a session is followed. */
export interface SessionFollow {
  readonly sessionId: string;
  readonly after: Place | null;
  readonly selection: Selection;
  /** End when all is told and no turn runs or waits. */
  readonly untilIdle: boolean;
}

/**
 * Sends the events of all runs of a session, in their order, each with its place as id. It has no end but with
 * `untilIdle`: then `event: end` comes when the session is idle and all is told, and nothing after it.
 *
 * Where the log was deleted because of its age, `event: gap` says so, and it goes on with the oldest run that is left.
 */
export async function streamSession(manager: Manager, stream: SseStream, follow: SessionFollow): Promise<void> {
  let place = follow.after;
  try {
    while (!stream.closed) place = await turn(manager, stream, follow, place);
  } catch (error) {
    // The reader comes back with its last id, by then perhaps to another manager.
    stream.close('failed');
    throw error;
  }
}

/** Sends a page, and when there is none waits for news. Gives the place after it. */
async function turn(
  manager: Manager,
  stream: SseStream,
  { sessionId, selection, untilIdle }: SessionFollow,
  after: Place | null,
): Promise<Place | null> {
  const session = await sessionRow(manager.pool, sessionId);
  const heard = [session.active_run_id, after?.runId].filter((runId) => typeof runId === 'string');
  const news = manager.wakeups.listen(sessionId, ...heard, ...heard.map(eventsOf));
  const onEnd = () => news.close();
  stream.signal.addEventListener('abort', onEnd, { once: true });
  try {
    if (stream.closed) return after;
    const page = await eventsAfter(manager, sessionId, after, selection, PAGE).catch(ifGone);
    if (page === undefined) {
      await stream.send({ event: 'gap', data: { after: after && formatPlace(after), reason: 'retention' } });
      return null;
    }
    for (const event of page.items) {
      const id = formatPlace({ runId: event.runId, seq: event.seq });
      if (!(await stream.send({ id, data: event }))) return page.place;
    }
    if (page.items.length === PAGE) return page.place;
    // The session was read before the events: if it was idle then, nothing of a turn is missing.
    if (untilIdle && session.execution_state !== 'running') {
      stream.end({ event: 'end', data: { sessionId, place: page.place && formatPlace(page.place) } });
      return page.place;
    }
    // A run that was made since the session was read is not listened to yet: then it looks again at once.
    if (page.place === null || heard.includes(page.place.runId)) await news.next(LOOK_MS);
    return page.place;
  } finally {
    news.close();
    stream.signal.removeEventListener('abort', onEnd);
  }
}

/** The run of the place was deleted because of its age. */
function ifGone(error: unknown): undefined {
  if (!(error instanceof Failure) || error.kind !== 'not-found') throw error;
}
