import { setTimeout as delay } from 'node:timers/promises';
import { fence } from '@agentrun/lib/processes';
import type { BackendSession } from './backends/backend.ts';
import { type Log, saying } from './log.ts';

/** The way from asking to killing; times count from the request, in milliseconds. */
export interface StopTimes {
  /** Then SIGTERM. */
  readonly gracefulAbortMs: number;
  /** Then SIGKILL. */
  readonly killEscalationMs: number;
}

interface Stopped {
  readonly attemptId: string;
  /** Settles when the turn is over. */
  readonly over: Promise<unknown>;
  /** Null as long as the agent is not up. */
  readonly session: () => BackendSession | null;
  readonly log: Log;
}

const FENCE_MS = 10_000;

/** Ends a turn, by force when it does not end by itself. Asked again, it goes on with the earlier times. */
export class TurnStop {
  readonly #stopped: Stopped;
  readonly #isOver = new AbortController();
  #termAt = Number.POSITIVE_INFINITY;
  #killAt = Number.POSITIVE_INFINITY;
  #begun = false;
  #sooner: (() => void) | null = null;

  constructor(stopped: Stopped) {
    this.#stopped = stopped;
    const over = (): void => this.#isOver.abort();
    stopped.over.then(over, over);
  }

  /** @param sinceMs how long ago it was asked for */
  begin(times: StopTimes, sinceMs: number): void {
    const asked = performance.now() - sinceMs;
    this.#termAt = Math.min(this.#termAt, asked + times.gracefulAbortMs);
    this.#killAt = Math.min(this.#killAt, asked + Math.max(times.gracefulAbortMs, times.killEscalationMs));
    if (this.#begun) return this.#sooner?.();
    this.#begun = true;
    this.#enforce().catch((error: unknown) => this.#stopped.log(`the turn could not be ended: ${saying(error)}`));
  }

  /** Kills the agent now. */
  killNow(): void {
    this.begin({ gracefulAbortMs: 0, killEscalationMs: 0 }, 0);
  }

  async #enforce(): Promise<void> {
    const { session, log, attemptId } = this.#stopped;
    // It also tells the backend that the end of the turn, whatever brings it, is a cancel.
    void session()
      ?.interrupt(Math.max(0, this.#termAt - performance.now()))
      .catch(() => {});
    await this.#until(() => this.#termAt);
    if (this.#isOver.signal.aborted) return;
    log('the turn did not end when it was asked to: its processes are ended');
    const graceMs = Math.max(0, this.#killAt - performance.now());
    // Asks each process of the attempt to end, and kills them all when the time is over.
    await fence(attemptId, { graceMs, deadlineMs: graceMs + FENCE_MS, exclude: [process.pid, process.ppid] });
    if (!this.#isOver.signal.aborted) await session()?.kill();
  }

  async #until(at: () => number): Promise<void> {
    while (!this.#isOver.signal.aborted && performance.now() < at()) {
      const wake = new AbortController();
      const stop = (): void => wake.abort();
      this.#sooner = stop;
      this.#isOver.signal.addEventListener('abort', stop, { once: true });
      await delay(Math.max(1, Math.min(at() - performance.now(), 2 ** 31 - 1)), undefined, {
        signal: wake.signal,
      }).catch(() => {});
      this.#isOver.signal.removeEventListener('abort', stop);
    }
    this.#sooner = null;
  }
}
