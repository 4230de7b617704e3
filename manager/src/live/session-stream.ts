import { Failure } from '../failure.ts';
import type { SseStream } from '../http/sse-stream.ts';
import type { Manager } from '../services/manager.ts';
import { eventsAfter, formatPlace, type Place, type Selection } from '../services/session-events.ts';
import { sessionRow } from '../services/sessions.ts';

const PAGE = 500;
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
 * `untilIdle`: then `event: end` comes when the session is idle and all is told.
 *
 * Where the log was deleted because of its age, `event: gap` says so, and it goes on with the oldest run that is left.
 */
export async function streamSession(manager: Manager, stream: SseStream, follow: SessionFollow): Promise<void> {
  const { sessionId, selection } = follow;
  let place = follow.after;
  while (!stream.closed) {
    const session = await sessionRow(manager.pool, sessionId);
    const news = manager.wakeups.listen(sessionId, session.active_run_id ?? place?.runId ?? sessionId);
    const onEnd = () => news.close();
    stream.signal.addEventListener('abort', onEnd, { once: true });
    try {
      const page = await eventsAfter(manager, sessionId, place, selection, PAGE).catch(ifGone);
      if (page === undefined) {
        await stream.send({ event: 'gap', data: { after: place && formatPlace(place), reason: 'retention' } });
        place = null;
        continue;
      }
      for (const event of page.items) {
        const isTaken = await stream.send({ id: formatPlace({ runId: event.runId, seq: event.seq }), data: event });
        if (!isTaken) return;
      }
      place = page.place;
      if (page.items.length === PAGE) continue;
      // The session was read before the events: if it was idle then, nothing of a turn is missing.
      if (follow.untilIdle && session.execution_state !== 'running') {
        await stream.send({ event: 'end', data: { sessionId, place: place && formatPlace(place) } });
        return;
      }
      await news.next(LOOK_MS);
    } finally {
      news.close();
      stream.signal.removeEventListener('abort', onEnd);
    }
  }
}

/** The run of the place was deleted because of its age. */
function ifGone(error: unknown): undefined {
  if (!(error instanceof Failure) || error.kind !== 'not-found') throw error;
}
