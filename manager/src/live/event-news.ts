import type { Pool } from 'pg';
import type { PoolLog } from '../db/pool.ts';
import { notifyEvents } from '../store/notify.ts';
import { eventsOf, type Wakeups } from './wakeups.ts';

/** A notification takes a lock of the whole database, so events of one run share one. */
const EVERY_MS = 20;

/**
 * Tells that a run has new events: readers here at once, other managers at once and then at most every 20 ms. Outside
 * the transaction of the append: a reader who misses it looks again by himself.
 */
export class EventNews {
  readonly #pool: Pool;
  readonly #wakeups: Wakeups;
  readonly #log: PoolLog;
  /** Runs told of a moment ago; true when more came since. */
  readonly #recent = new Map<string, boolean>();

  constructor(pool: Pool, wakeups: Wakeups, log: PoolLog) {
    this.#pool = pool;
    this.#wakeups = wakeups;
    this.#log = log;
  }

  tell(runId: string): void {
    this.#wakeups.wake(eventsOf(runId));
    if (this.#recent.has(runId)) this.#recent.set(runId, true);
    else this.#send(runId);
  }

  #send(runId: string): void {
    this.#recent.set(runId, false);
    setTimeout(() => {
      const more = this.#recent.get(runId) === true;
      this.#recent.delete(runId);
      if (more) this.#send(runId);
    }, EVERY_MS).unref();
    notifyEvents(this.#pool, runId).catch((error: unknown) => {
      this.#log.warn({ err: error, runId }, 'other managers could not be told of new events');
    });
  }
}
