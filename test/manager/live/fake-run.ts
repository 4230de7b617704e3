import type { Batch, LoggedEvent } from '../../../manager/src/live/event-window.ts';
import type { RunRead } from '../../../manager/src/live/run-tail.ts';
import type { RunTails } from '../../../manager/src/live/run-tails.ts';

/** Short, in milliseconds. */
export const TIMES = { lookMs: 20, gapMs: 1, retryMs: 2 };

/** A run in memory, that is read with delays and faults as the test says. */
export class FakeRun {
  readonly events: LoggedEvent[] = [];
  ended = false;
  /** How often it was read. */
  reads = 0;
  delay: () => Promise<unknown> = () => Promise.resolve();
  fault: () => Error | undefined = () => undefined;
  textOf: (seq: number) => string = (seq) => `${seq};`;

  append(count: number): void {
    for (let n = 0; n < count; n += 1) {
      const seq = this.events.length + 1;
      this.events.push({ seq, text: this.textOf(seq) });
    }
  }

  readonly read = async (_runId: string, afterSeq: number, limit: number): Promise<RunRead> => {
    this.reads += 1;
    await this.delay();
    const fault = this.fault();
    if (fault !== undefined) throw fault;
    // One moment, as one statement has.
    const events = this.events.slice(afterSeq, afterSeq + limit);
    const read = { events, ended: this.ended && events.length < limit, lastSeq: this.events.length };
    await this.delay();
    return read;
  };
}

export interface Reader {
  readonly seqs: number[];
  readonly done: Promise<boolean>;
  leave(): void;
}

/** Follows the run after a number. */
export function readerOf(
  tails: RunTails,
  afterSeq: number,
  tell: (batch: Batch) => Promise<boolean> = () => Promise.resolve(true),
): Reader {
  const leaving = new AbortController();
  const seqs: number[] = [];
  const done = tails.follow('run', afterSeq, leaving.signal, async (batch) => {
    seqs.push(...seqsOf(batch));
    return await tell(batch);
  });
  return { seqs, done, leave: () => leaving.abort() };
}

const seqsOf = ({ bytes }: Batch): number[] => bytes.toString().split(';').slice(0, -1).map(Number);
export const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
