/**
 * Who waits for news of which run. A wake-up carries nothing: whoever is woken reads the store. Wake-ups may be too many
 * and, after trouble with the database, too few; so nobody waits for long without a look.
 */
export interface Wakeups {
  /** Begins to listen for news of some runs. Listen before you read the store, so that nothing falls in between. */
  listen(...runIds: readonly string[]): Subscription;
  wake(runId: string): void;
  /** Wakes everybody: something may have been missed. */
  wakeAll(): void;
  /** How many listen. */
  readonly listening: number;
}

/** What is told when a run has new events and nothing else: those who wait for commands need not look. */
export function eventsOf(runId: string): string {
  return `${runId}#events`;
}

export interface Subscription {
  /**
   * Resolves when there was news since the last call, at the latest after `ms`; at once when it is closed.
   */
  next(ms: number): Promise<void>;
  /** Ends it; a call that waits resolves. May be called again. */
  close(): void;
}

export function createWakeups(): Wakeups {
  const listeners = new Map<string, Set<Listener>>();
  let listening = 0;

  const leave = (runIds: readonly string[], listener: Listener) => {
    for (const runId of runIds) {
      const same = listeners.get(runId);
      same?.delete(listener);
      if (same?.size === 0) listeners.delete(runId);
    }
  };
  return {
    listen: (...runIds) => {
      const listener = new Listener(() => {
        leave(runIds, listener);
        listening -= 1;
      });
      for (const runId of runIds) {
        const same = listeners.get(runId);
        if (same === undefined) listeners.set(runId, new Set([listener]));
        else same.add(listener);
      }
      listening += 1;
      return listener;
    },
    wake: (runId) => {
      for (const listener of listeners.get(runId) ?? []) listener.wake();
    },
    wakeAll: () => {
      for (const same of listeners.values()) for (const listener of same) listener.wake();
    },
    get listening() {
      return listening;
    },
  };
}

class Listener implements Subscription {
  readonly #onClose: () => void;
  #hasNews = false;
  #isClosed = false;
  #resolve: (() => void) | undefined;

  constructor(onClose: () => void) {
    this.#onClose = onClose;
  }

  wake(): void {
    this.#hasNews = true;
    this.#resolve?.();
  }

  async next(ms: number): Promise<void> {
    if (!this.#hasNews && !this.#isClosed) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#resolve = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#resolve = undefined;
    }
    this.#hasNews = false;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#onClose();
    this.#resolve?.();
  }
}
