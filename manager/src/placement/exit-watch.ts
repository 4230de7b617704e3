import { processState } from '@agentrun/lib/processes';
import type { HostHandle } from './handle.ts';

/**
 * Watches processes that are no children of this one, as those that a former manager started: nobody tells of their
 * end, so they are looked at, all of them each 500 ms.
 */
export class ExitWatch {
  readonly #watched = new Map<HostHandle, () => void>();
  readonly #pollMs: number;
  #timer: NodeJS.Timeout | null = null;

  constructor(pollMs: number) {
    this.#pollMs = pollMs;
  }

  /** Calls back once when the process is gone. */
  watch(handle: HostHandle, gone: () => void): void {
    this.#watched.set(handle, gone);
    this.#timer ??= setInterval(() => this.look(), this.#pollMs).unref();
  }

  /** Looks now. */
  look(): void {
    for (const [handle, gone] of this.#watched) {
      // "unknown" is not gone: it is looked at again.
      if (processState(handle) !== 'gone') continue;
      this.#watched.delete(handle);
      gone();
    }
    if (this.#watched.size === 0) this.stop();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
