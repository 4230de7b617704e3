import type { RunEvent } from '@agentrun/lib/contract';
import type { Subscription, Wakeups } from './wakeups.ts';

/** What a tail reads of its run: events after a number, in order, and whether the run had ended before they were read. */
export type ReadRun = (runId: string, afterSeq: number, limit: number) => Promise<RunRead>;

export interface RunRead {
  readonly events: readonly RunEvent[];
  readonly ended: boolean;
  /** Of the newest event when the run was read. */
  readonly lastSeq: number;
}

/** Tells of news of a run. */
export type News = Pick<Wakeups, 'listen'>;

const PAGE = 500;
/** Events that are kept for readers that are a little behind. */
const KEPT = 1000;
/** Looked at without news: a wake-up may be lost with a connection. */
const LOOK_MS = 5000;
const RETRY_MS = 500;
const MOST_FAILURES = 60;

/**
 * The newest events of runs that somebody follows, read once for all their readers. A reader that is further behind
 * reads the store until it has caught up.
 */
export class RunTails {
  readonly #read: ReadRun;
  readonly #news: News;
  readonly #tails = new Map<string, Tail>();

  constructor(read: ReadRun, news: News) {
    this.#read = read;
    this.#news = news;
  }

  /** How many runs are followed. */
  get size(): number {
    return this.#tails.size;
  }

  /**
   * Calls back for every event after a number, in order and without a hole, until the run has ended and all is told, or
   * the signal aborts, or the callback answers false. True when the run has ended and all of it was told.
   */
  async follow(
    runId: string,
    afterSeq: number,
    signal: AbortSignal,
    tell: (event: RunEvent) => Promise<boolean>,
  ): Promise<boolean> {
    const tail = this.#join(runId);
    let seq = afterSeq;
    try {
      while (!signal.aborted) {
        const known = tail.after(seq);
        const page = known ?? (await this.#read(runId, seq, PAGE));
        for (const event of page.events) {
          if (!(await tell(event))) return false;
          seq = event.seq;
        }
        if (page.events.length > 0) continue;
        if (page.ended) return true;
        await tail.next(seq, signal);
        if (tail.failure !== undefined) throw tail.failure;
      }
      return false;
    } finally {
      this.#leave(runId, tail);
    }
  }

  #join(runId: string): Tail {
    let tail = this.#tails.get(runId);
    if (tail === undefined || tail.failure !== undefined) {
      tail = new Tail(runId, this.#read, this.#news);
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

class Tail {
  readers = 0;
  /** Why it follows no more; its readers fail with it. */
  failure: unknown;
  readonly #events: RunEvent[] = [];
  /** Everything up to here is older than the tail; null until the first look. */
  #start: number | null = null;
  #seq = 0;
  #ended = false;
  #isStopped = false;
  readonly #news: Subscription;
  #waiting: (() => void)[] = [];

  constructor(runId: string, read: ReadRun, news: News) {
    // Listening before the first look, so that what comes during it is not missed.
    this.#news = news.listen(runId);
    void this.#run(runId, read);
  }

  /** The events after a number, from memory; undefined for a reader that must read the store. */
  after(seq: number): { readonly events: readonly RunEvent[]; readonly ended: boolean } | undefined {
    if (this.#start === null || seq < this.#start) return undefined;
    const first = this.#events[0]?.seq ?? this.#seq + 1;
    return { events: seq >= this.#seq ? [] : this.#events.slice(Math.max(0, seq + 1 - first)), ended: this.#ended };
  }

  /** Resolves when there may be something after a number. */
  async next(seq: number, signal: AbortSignal): Promise<void> {
    if (this.#start !== null && (seq < this.#seq || this.#ended)) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done);
        resolve();
      };
      signal.addEventListener('abort', done, { once: true });
      this.#waiting.push(done);
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#news.close();
  }

  async #run(runId: string, read: ReadRun): Promise<void> {
    let failures = 0;
    while (!this.#isStopped && !this.#ended) {
      try {
        if (await this.#look(runId, read)) continue;
        failures = 0;
      } catch (error) {
        failures += 1;
        if (!isPassing(error) || failures > MOST_FAILURES) {
          this.failure = error;
          this.#tellAll();
          break;
        }
      }
      if (!this.#ended) await this.#news.next(failures > 0 ? RETRY_MS : LOOK_MS);
    }
    this.#news.close();
  }

  /** True when there may be more at once. */
  async #look(runId: string, read: ReadRun): Promise<boolean> {
    if (this.#start === null) {
      // Readers catch up by the store; the tail begins where the run is now.
      const { lastSeq } = await read(runId, Number.MAX_SAFE_INTEGER, 0);
      this.#start = lastSeq;
      this.#seq = lastSeq;
    }
    const { events, ended } = await read(runId, this.#seq, PAGE);
    this.#events.push(...events);
    this.#seq = events.at(-1)?.seq ?? this.#seq;
    const surplus = this.#events.length - KEPT;
    if (surplus > 0) {
      const removed = this.#events.splice(0, surplus);
      this.#start = removed.at(-1)?.seq ?? this.#start;
    }
    const isFull = events.length === PAGE;
    this.#ended = ended && !isFull;
    if (events.length > 0 || this.#ended || this.#waiting.length > 0) this.#tellAll();
    return isFull;
  }

  #tellAll(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const done of waiting) done();
  }
}

/** Trouble with the database passes; that a run is not there does not. */
function isPassing(error: unknown): boolean {
  return !(error instanceof Error && 'kind' in error && error.kind === 'not-found');
}
