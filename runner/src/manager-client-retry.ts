import { setTimeout as delay } from 'node:timers/promises';
import { ManagerFailure, ManagerUnreachable } from './manager-client-failure.ts';

export interface RetryOptions {
  /** Ends the tries; its reason is thrown. */
  readonly signal: AbortSignal;
  /** The first pause; each is twice the last, with chance, up to `longestMs`. */
  readonly firstMs?: number;
  readonly longestMs?: number;
  /** How often the manager may answer that it failed; default 10. Connections that fail are not counted. */
  readonly maxRefusals?: number;
  /** Told of each failed try. */
  readonly onRetry?: (error: Error, tries: number) => void;
}

/** Kinds that are the manager's own trouble, and go away. */
function mayGoAway(error: unknown): error is ManagerFailure | ManagerUnreachable {
  return error instanceof ManagerUnreachable || (error instanceof ManagerFailure && error.retryable);
}

/**
 * Does something until it succeeds, or fails for good. Every request of a runner may be sent again: the manager answers
 * a repeated one as it answered the first.
 *
 * @throws what the last try threw, when another try cannot help; the reason of the signal when that was aborted
 */
export async function retrying<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { signal, firstMs = 100, longestMs = 5000, maxRefusals = 10, onRetry } = options;
  let refusals = 0;
  for (let tries = 1, pause = firstMs; ; tries += 1, pause = Math.min(pause * 2, longestMs)) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (!mayGoAway(error)) throw error;
      if (error instanceof ManagerFailure) refusals += 1;
      if (refusals >= maxRefusals) throw error;
      onRetry?.(error, tries);
      const asked = error instanceof ManagerUnreachable ? (error.retryAfterMs ?? 0) : 0;
      const wait = Math.max(asked, pause * (0.5 + Math.random() / 2));
      await delay(wait, undefined, { signal }).catch(() => {});
    }
  }
}
