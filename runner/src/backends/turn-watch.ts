/** Why a turn was ended from outside. */
export type TimeoutKind = 'turn-timeout' | 'turn-idle-timeout';

interface Watched {
  readonly turnTimeoutMs: number;
  readonly idleEventTimeoutMs: number;
  /** Milliseconds of CPU that the processes of the agent have used so far, while they count as work; else null. */
  readonly workMs: () => number | null;
  readonly onTimeout: (kind: TimeoutKind, message: string) => void;
}

/** Of an idle period, the share of one CPU from which an agent that says nothing is taken to work. */
const WORKING_SHARE = 0.01;
/** What setTimeout can wait. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * The two deadlines of a turn: its whole time, and the silence of its agent.
 *
 * Silence is a period without any message of the agent. One exception: when a tool call is open and the processes below
 * the agent used at least 1 % of a CPU in its second half, a long compilation say, the period begins anew. A tool that
 * only sleeps or waits for the network is silent.
 */
export class TurnWatch {
  readonly #watched: Watched;
  readonly #startedAt = performance.now();
  #total: NodeJS.Timeout | undefined;
  #idle: NodeJS.Timeout | undefined;
  #heardAt = performance.now();
  #worked: number | null = null;
  #stopped = false;

  constructor(watched: Watched) {
    this.#watched = watched;
    this.#count();
    this.#wait(watched.idleEventTimeoutMs / 2);
  }

  /** The agent said something. */
  heard(): void {
    this.#heardAt = performance.now();
    this.#worked = null;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#total);
    clearTimeout(this.#idle);
  }

  #count(): void {
    const { turnTimeoutMs, onTimeout } = this.#watched;
    const left = this.#startedAt + turnTimeoutMs - performance.now();
    if (left > 1) {
      this.#total = setTimeout(() => this.#count(), Math.min(left, LONGEST_MS));
      return;
    }
    this.stop();
    onTimeout('turn-timeout', `the turn took longer than ${turnTimeoutMs} ms`);
  }

  #wait(ms: number): void {
    this.#idle = setTimeout(() => this.#look(), Math.min(Math.max(ms, 1), LONGEST_MS));
  }

  #look(): void {
    if (this.#stopped) return;
    const { idleEventTimeoutMs, workMs, onTimeout } = this.#watched;
    const half = idleEventTimeoutMs / 2;
    const left = this.#heardAt + idleEventTimeoutMs - performance.now();
    // The clock of timers may run a little ahead of this one.
    if (left > half + 1) return this.#wait(left - half);
    if (left > 1) {
      // What the processes have used is noted halfway, so that there is something to compare with at the end.
      this.#worked ??= workMs();
      return this.#wait(left);
    }
    const worked = workMs();
    if (worked !== null && this.#worked !== null && worked - this.#worked >= half * WORKING_SHARE) {
      this.heard();
      return this.#wait(half);
    }
    this.stop();
    onTimeout('turn-idle-timeout', `the agent said nothing for ${idleEventTimeoutMs} ms`);
  }
}
