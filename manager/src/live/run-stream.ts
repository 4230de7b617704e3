import { type SseStream, sseText } from '../http/sse-stream.ts';
import type { Manager } from '../services/manager.ts';
import { noRun } from '../services/run-row.ts';
import { eventText, readLog } from '../store/events.ts';
import type { RunRead } from './run-tail.ts';
import type { RunTails } from './run-tails.ts';

/** How a tail reads a run: its events are the text that the streams send. */
export async function readRun(manager: Manager, runId: string, afterSeq: number, limit: number): Promise<RunRead> {
  const log = await readLog(manager.pool, runId, afterSeq, limit);
  if (log === undefined) return noRun(runId);
  return {
    events: log.events.map((row) => ({
      seq: row.seq,
      text: sseText({ id: String(row.seq), json: eventText(row) }),
    })),
    ended: log.isOver && log.events.length < limit,
    lastSeq: log.lastSeq,
  };
}

/**
 * Sends the events of a run after a number: what is stored, then what comes, each with its number as id; at the end of
 * the run `event: end`, after which nothing comes and a reader need not come back.
 */
export async function streamRun(tails: RunTails, stream: SseStream, runId: string, afterSeq: number): Promise<void> {
  let seq = afterSeq;
  try {
    const isOver = await tails.follow(runId, afterSeq, stream.signal, async ({ bytes, lastSeq }) => {
      seq = lastSeq;
      return await stream.write(bytes, String(lastSeq));
    });
    if (isOver) stream.end({ id: String(seq), event: 'end', data: { runId, lastSeq: seq } });
  } catch (error) {
    // The reader comes back with its last id, by then perhaps to another manager.
    stream.close('failed');
    throw error;
  }
}
