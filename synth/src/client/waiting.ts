import type { Client } from './client.ts';
import { clientError } from './client-error.ts';
import { EXIT } from './exit-code.ts';

/** How long something is waited for. */
export interface WaitLimits {
  /** Seconds in all; undefined is for ever. */
  readonly timeout?: number;
  /** Seconds that the manager may be away. */
  readonly reconnectFor: number;
}

/** Why a wait was broken off by the person. */
class Interrupted extends Error {}

/**
 * Waits with the limits of the command line. Ctrl-C and the timeout end the wait, never the run: `left` says what goes
 * on, and how to follow or cancel it.
 *
 * @returns the exit code of the work, or 130 after Ctrl-C
 * @throws ClientError `timeout`, and what the work throws
 */
export async function waiting(
  { terminal }: Pick<Client, 'terminal'>,
  { timeout }: WaitLimits,
  left: { readonly tell: (line: string) => void; readonly lines: readonly string[] },
  work: (signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const over = new AbortController();
  const takeBack = terminal.onSignal?.(() => over.abort(new Interrupted()));
  const timer =
    timeout === undefined
      ? undefined
      : setTimeout(() => over.abort(clientError('timeout', `it took longer than ${timeout} s`)), timeout * 1000);
  try {
    return await work(over.signal);
  } catch (error) {
    if (!over.signal.aborted) throw error;
    for (const line of left.lines) left.tell(line);
    if (over.signal.reason instanceof Interrupted) return EXIT.interrupted;
    throw over.signal.reason;
  } finally {
    clearTimeout(timer);
    takeBack?.();
  }
}
