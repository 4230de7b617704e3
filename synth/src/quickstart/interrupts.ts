import type { Terminal } from '../terminal.ts';

/** npm passes a Ctrl-C on that the terminal sent to everybody: what comes so soon is the same one. */
const SAME_MS = 100;

/** Ctrl-C, as often as a person pressed it. A closed terminal and SIGTERM count as one too. */
export class Interrupts {
  readonly #first = new AbortController();
  readonly #end: (() => void) | undefined;
  #stop: (() => void) | undefined;
  #count = 0;
  #last = Number.NEGATIVE_INFINITY;

  /** @param tell told how often, at each */
  constructor(terminal: Terminal, tell: (count: number) => void) {
    this.#end = terminal.onSignal?.(() => {
      const now = performance.now();
      if (now - this.#last < SAME_MS) return;
      this.#last = now;
      this.#count += 1;
      tell(this.#count);
      this.#first.abort(new Interrupted());
      this.#stop?.();
    });
  }

  /** Aborted by the first, with {@link Interrupted}. */
  get signal(): AbortSignal {
    return this.#first.signal;
  }

  /** How many there were. */
  get count(): number {
    return this.#count;
  }

  /** Says what each one stops from now on; one that came before counts. */
  set stops(stop: (() => void) | undefined) {
    this.#stop = stop;
    if (this.#count > 0) stop?.();
  }

  /** Signals end the process again. */
  close(): void {
    this.#end?.();
  }
}

/** The person broke it off. */
export class Interrupted extends Error {}
