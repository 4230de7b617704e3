import type { SseStream } from '../http/sse-stream.ts';
import type { Manager } from '../services/manager.ts';
import { runRow } from '../services/runs.ts';
import { eventRecord, listEvents } from '../store/events.ts';
import type { RunRead, RunTails } from './run-tails.ts';

/** How a tail reads a run: first whether it has ended, then the events, so that the end is never told too early. */
export async function readRun(manager: Manager, runId: string, afterSeq: number, limit: number): Promise<RunRead> {
  const run = await runRow(manager.pool, runId);
  const rows = limit === 0 ? [] : await listEvents(manager.pool, runId, afterSeq, limit);
  const ended = run.terminal_status !== null && rows.length < limit;
  return { events: rows.map(eventRecord), ended, lastSeq: run.last_event_seq };
}

/**
 * Sends the events of a run after a number: what is stored, then what comes, each with its number as id; at the end of
 * the run `event: end`, after which a reader need not come back.
 */
export async function streamRun(tails: RunTails, stream: SseStream, runId: string, afterSeq: number): Promise<void> {
  let seq = afterSeq;
  const isOver = await tails.follow(runId, afterSeq, stream.signal, async (event) => {
    seq = event.seq;
    return await stream.send({ id: String(event.seq), data: event });
  });
  if (isOver) await stream.send({ id: String(seq), event: 'end', data: { runId, lastSeq: seq } });
}
