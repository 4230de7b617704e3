import { setTimeout as sleep } from 'node:timers/promises';
import { type Batch, batchOf, EventWindow, type LoggedEvent } from './event-window.ts';
import type { Subscription } from './wakeups.ts';

/** What a tail reads of its run, all of one moment. */
export interface RunRead {
  /** Those after a number, in order. */
  readonly events: readonly LoggedEvent[];
  /** Whether the run has ended and no event comes after those that were read. */
  readonly ended: boolean;
  /** Of the newest event of the run. */
  readonly lastSeq: number;
}

/** Reads at most `limit` events of one run after a number; with 0 only how far the run is. */
export type ReadLog = (afterSeq: number, limit: number) => Promise<RunRead>;

/** What a reader gets next: null for nothing now; `ended` when nothing comes after it. */
export interface Next {
  readonly batch: Batch | null;
  readonly ended: boolean;
}

/** In milliseconds. */
export interface TailTimes {
  /** Looked at without news: a wake-up may be lost with a connection. */
  readonly lookMs: number;
  /** Between two looks while there is news all the time: what comes in between is read together. */
  readonly gapMs: number;
  /** After a look that failed. */
  readonly retryMs: number;
}

export const TAIL_TIMES: TailTimes = { lookMs: 5000, gapMs: 5, retryMs: 500 };

/** What is kept for readers that are a little behind. */
const KEPT_BYTES = 256 * 1024;
const MOST_FAILURES = 60;
/** A page is about so long, whatever the length of its events. */
const PAGE_BYTES = 512 * 1024;
const FIRST_PAGE = 100;
const LEAST_PAGE = 4;
const MOST_PAGE = 500;

/** Follows one run for all its readers. */
export class Tail {
  readers = 0;
  /** Why it follows no more; its readers fail with it. */
  failure: unknown;
  readonly #read: ReadLog;
  readonly #news: Subscription;
  readonly #times: TailTimes;
  /** Undefined until the first look. */
  #window: EventWindow | undefined;
  #ended = false;
  #isStopped = false;
  #limit = FIRST_PAGE;
  readonly #pages = new Map<number, Promise<Next>>();
  #waiting = new Set<() => void>();

  /** `news` listens already, so that what comes during the first look is not missed. */
  constructor(read: ReadLog, news: Subscription, times: TailTimes) {
    this.#read = read;
    this.#news = news;
    this.#times = times;
    void this.#run();
  }

  /** The events after a number: from memory, or for a reader that is far behind a page of the store. */
  async after(seq: number): Promise<Next> {
    const batch = this.#window?.after(seq);
    if (batch !== undefined) return { batch, ended: this.#ended };
    // Readers that are at the same place, as after a restart, share one look.
    let page = this.#pages.get(seq);
    if (page === undefined) {
      page = this.#page(seq).finally(() => this.#pages.delete(seq));
      this.#pages.set(seq, page);
    }
    return await page;
  }

  /** Resolves when there may be something after a number, when the tail failed, or when the signal aborts. */
  async next(seq: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.failure !== undefined) return;
    if (this.#window !== undefined && (seq < this.#window.seq || this.#ended)) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done);
        this.#waiting.delete(done);
        resolve();
      };
      signal.addEventListener('abort', done, { once: true });
      this.#waiting.add(done);
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#news.close();
  }

  async #page(seq: number): Promise<Next> {
    const { events, ended } = await this.#readLog(seq);
    const last = events.at(-1);
    return { batch: last === undefined ? null : batchOf(events, last.seq), ended };
  }

  async #readLog(seq: number): Promise<RunRead & { readonly isFull: boolean }> {
    const limit = this.#limit;
    const read = await this.#read(seq, limit);
    if (read.events.length > 0) {
      const bytes = read.events.reduce((sum, { text }) => sum + text.length, 0);
      const fitting = Math.floor((PAGE_BYTES * read.events.length) / bytes);
      this.#limit = Math.min(MOST_PAGE, Math.max(LEAST_PAGE, fitting));
    }
    return { ...read, isFull: read.events.length === limit };
  }

  async #run(): Promise<void> {
    const { lookMs, gapMs, retryMs } = this.#times;
    let failures = 0;
    while (!this.#isStopped && !this.#ended) {
      const begun = performance.now();
      try {
        const hasMore = await this.#look();
        failures = 0;
        if (hasMore || this.#ended) continue;
      } catch (error) {
        failures += 1;
        if (!isPassing(error) || failures > MOST_FAILURES) {
          this.failure = error;
          this.#tellAll();
          break;
        }
      }
      await this.#news.next(failures > 0 ? retryMs : lookMs);
      const left = begun + gapMs - performance.now();
      if (left > 0 && !this.#isStopped) await sleep(left);
    }
    this.#news.close();
  }

  /** True when there may be more at once. */
  async #look(): Promise<boolean> {
    // Readers catch up by the store; the window begins where the run is at the first look.
    this.#window ??= new EventWindow((await this.#read(0, 0)).lastSeq, KEPT_BYTES);
    const { events, ended, isFull } = await this.#readLog(this.#window.seq);
    if (events.length > 0) this.#window.add(events);
    this.#ended = ended;
    this.#tellAll();
    return isFull;
  }

  #tellAll(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const done of waiting) done();
  }
}

/** Trouble with the database passes; that a run is not there does not. */
function isPassing(error: unknown): boolean {
  return !(error instanceof Error && 'kind' in error && error.kind === 'not-found');
}
