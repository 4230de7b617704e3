import { setTimeout as sleep } from 'node:timers/promises';
import { ownClient, type PoolLog } from '../db/pool.ts';
import { EVENT_CHANNEL, RUN_CHANNEL } from '../store/notify.ts';
import { eventsOf, type Wakeups } from './wakeups.ts';

/** Hears what other managers tell, and turns it into wake-ups. */
export interface Listener {
  stop(): Promise<void>;
}

const RETRY_MS = 500;
/** A connection that says nothing is asked for a sign of life this often: a dead one does not tell. */
const PULSE_MS = 10_000;
const SILENCE_MS = 5000;

/**
 * Listens on a connection of its own; a lost one is made again, and then everybody is woken, since what was said
 * meanwhile was not heard.
 */
export function listen(url: string, wakeups: Wakeups, log: PoolLog): Listener {
  const stopping = new AbortController();
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      await once(url, wakeups, log, stopping.signal);
      await sleep(RETRY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();
  return {
    stop: async () => {
      stopping.abort();
      await loop;
    },
  };
}

async function once(url: string, wakeups: Wakeups, log: PoolLog, stopping: AbortSignal): Promise<void> {
  const client = ownClient(url, 'agentrun-mgr-listen', SILENCE_MS);
  const lost = new AbortController();
  client.on('error', (error) => lost.abort(error));
  client.on('end', () => lost.abort(new Error('the server ended the connection')));
  client.on('notification', ({ channel, payload }) => {
    if (payload !== undefined) wakeups.wake(channel === EVENT_CHANNEL ? eventsOf(payload) : payload);
  });
  try {
    await client.connect();
    await client.query(`LISTEN ${RUN_CHANNEL}; LISTEN ${EVENT_CHANNEL}`);
    wakeups.wakeAll();
    const end = AbortSignal.any([stopping, lost.signal]);
    while (!end.aborted) {
      await sleep(PULSE_MS, undefined, { signal: end }).catch(() => undefined);
      if (!end.aborted) await client.query('SELECT 1');
    }
    lost.signal.throwIfAborted();
  } catch (error) {
    if (!stopping.aborted) log.warn({ err: error }, 'the connection that listens to other managers was lost');
  } finally {
    await client.end().catch(() => undefined);
  }
}
