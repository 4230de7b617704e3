import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { ownClient, type PoolLog } from '../db/pool.ts';
import { holdDuty, pulse } from '../store/duty-lock.ts';

/** A loop that one manager of a database runs at a time. */
export interface DutyOptions {
  readonly url: string;
  readonly log: PoolLog;
  /** How often the others look whether they are needed, in milliseconds; default 2000. */
  readonly retryMs?: number;
  /** Does what is due, once; must be safe to do twice, since a lost connection may be noticed late. */
  tick(signal: AbortSignal): Promise<void>;
  /** Waits for the next tick. */
  rest(signal: AbortSignal): Promise<void>;
  /** Told whenever the duty is taken up. */
  begun?(): void;
}

export interface Duty {
  /** Whether this manager has it now. */
  readonly held: boolean;
  stop(): Promise<void>;
}

/**
 * Takes the duty up when nobody has it, and keeps it as long as its connection lives: the lock is the connection's, so a
 * manager that dies gives it back by dying.
 */
export function startDuty(options: DutyOptions): Duty {
  const stopping = new AbortController();
  let held = false;
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      await serve(options, stopping.signal, (value) => {
        held = value;
      });
      held = false;
      await sleep(options.retryMs ?? 2000, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();
  return {
    get held() {
      return held;
    },
    stop: async () => {
      stopping.abort();
      await loop;
    },
  };
}

async function serve(options: DutyOptions, stopping: AbortSignal, setHeld: (held: boolean) => void): Promise<void> {
  const client: Client = ownClient(options.url, 'agentrun-mgr-duties');
  const lost = new AbortController();
  client.on('error', () => lost.abort());
  client.on('end', () => lost.abort());
  const signal = AbortSignal.any([stopping, lost.signal]);
  try {
    await client.connect();
    if (!(await holdDuty(client))) return;
    setHeld(true);
    options.begun?.();
    while (!signal.aborted) {
      // Without its connection the duty is somebody else's.
      await pulse(client);
      await tickSafely(options, signal);
      if (!signal.aborted) await options.rest(signal);
    }
  } catch (error) {
    if (!stopping.aborted) options.log.warn({ err: error }, 'the duties were given up: the database is not reached');
  } finally {
    setHeld(false);
    await client.end().catch(() => undefined);
  }
}

async function tickSafely(options: DutyOptions, signal: AbortSignal): Promise<void> {
  try {
    await options.tick(signal);
  } catch (error) {
    options.log.warn({ err: error }, 'the duties could not be done; they are tried again');
  }
}
