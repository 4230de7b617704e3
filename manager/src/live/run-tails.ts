import type { Batch } from './event-window.ts';
import { type RunRead, TAIL_TIMES, Tail, type TailTimes } from './run-tail.ts';
import { eventsOf, type Wakeups } from './wakeups.ts';

/** Reads at most `limit` events of a run after a number. */
export type ReadRun = (runId: string, afterSeq: number, limit: number) => Promise<RunRead>;

/** Tells of news of a run. */
export type News = Pick<Wakeups, 'listen'>;

/**
 * The newest events of runs that somebody follows, read once for all their readers. A reader that is further behind
 * reads the store until it has caught up.
 */
export class RunTails {
  readonly #read: ReadRun;
  readonly #news: News;
  readonly #times: TailTimes;
  readonly #tails = new Map<string, Tail>();

  constructor(read: ReadRun, news: News, times: Partial<TailTimes> = {}) {
    this.#read = read;
    this.#news = news;
    this.#times = { ...TAIL_TIMES, ...times };
  }

  /** How many runs are followed. */
  get size(): number {
    return this.#tails.size;
  }

  /**
   * Calls back with the events after a number, in order and without a hole, until the run has ended and all is told, or
   * the signal aborts, or the callback answers false. True when the run has ended and all of it was told.
   *
   * @throws what reading threw: for a reader that is behind at once, for one at the end after half a minute
   */
  async follow(
    runId: string,
    afterSeq: number,
    signal: AbortSignal,
    tell: (batch: Batch) => Promise<boolean>,
  ): Promise<boolean> {
    if (signal.aborted) return false;
    const tail = this.#join(runId);
    let seq = afterSeq;
    try {
      while (!signal.aborted) {
        const { batch, ended } = await tail.after(seq);
        if (batch !== null) {
          if (!(await tell(batch))) return false;
          seq = batch.lastSeq;
        } else if (ended) {
          return true;
        } else {
          await tail.next(seq, signal);
          if (tail.failure !== undefined) throw tail.failure;
        }
      }
      return false;
    } finally {
      this.#leave(runId, tail);
    }
  }

  #join(runId: string): Tail {
    let tail = this.#tails.get(runId);
    if (tail === undefined || tail.failure !== undefined) {
      tail = new Tail((...read) => this.#read(runId, ...read), this.#news.listen(runId, eventsOf(runId)), this.#times);
      this.#tails.set(runId, tail);
    }
    tail.readers += 1;
    return tail;
  }

  #leave(runId: string, tail: Tail): void {
    tail.readers -= 1;
    if (tail.readers > 0) return;
    tail.stop();
    if (this.#tails.get(runId) === tail) this.#tails.delete(runId);
  }
}
