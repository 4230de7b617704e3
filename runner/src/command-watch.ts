import { setTimeout as delay } from 'node:timers/promises';
import { NEXT_WAIT_MS } from '@agentrun/lib/contract';
import { type CancelRequest, cancelOf, msBetween } from './cancel-request.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import { type Log, saying } from './log.ts';
import type { Command, ManagerClient } from './manager-client.ts';

interface Watched {
  readonly client: ManagerClient;
  readonly lease: LeaseKeeper;
  readonly turn: Pick<Command, 'id' | 'seq'>;
  readonly log: Log;
  /** Called once, and once more when it is known how long ago it was asked for. */
  readonly onCancel: (request: CancelRequest) => void;
  /** Called for each steer, in order; one may come again. */
  readonly onSteer: (steer: Command) => void;
}

/** An answer that came sooner than this, and without anything, is followed by a pause. Milliseconds. */
const BUSY_MS = 500;
const TROUBLE_MS = 2000;

/** Hears of steers and cancels while a turn runs: one poll is open all the time, and heartbeats tell of cancels too. */
export class CommandWatch {
  readonly #watched: Watched;
  readonly #stop = new AbortController();
  readonly #leave: () => void;
  #isCancelled = false;

  constructor(watched: Watched) {
    this.#watched = watched;
    this.#leave = watched.lease.onBeat((run) => this.#hear(cancelOf(run, run.serverTime, watched.turn.id)));
    void this.#poll();
  }

  stop(): void {
    this.#leave();
    this.#stop.abort();
  }

  async #poll(): Promise<void> {
    const { client, turn, log, onSteer } = this.#watched;
    const { signal } = this.#stop;
    for (let afterSeq = turn.seq; !signal.aborted; ) {
      const asked = performance.now();
      try {
        const next = await client.next({ afterSeq, waitMs: NEXT_WAIT_MS, signal });
        if (next === null) return;
        this.#hear(cancelOf(next.run, next.serverTime, turn.id));
        for (const command of next.items) {
          afterSeq = Math.max(afterSeq, command.seq);
          if (command.type === 'steer') onSteer(command);
        }
        const isBusy = next.items.length === 0 && performance.now() - asked < BUSY_MS;
        if (isBusy) await delay(BUSY_MS, undefined, { signal }).catch(() => {});
      } catch (error) {
        // A lost lease ends the turn by itself; anything else must not.
        if (this.#watched.lease.lost.aborted) return;
        log(`looking for steers and cancels failed: ${saying(error)}`);
        await delay(TROUBLE_MS, undefined, { signal }).catch(() => {});
      }
    }
  }

  #hear(request: CancelRequest | null): void {
    if (request === null || this.#isCancelled || this.#stop.signal.aborted) return;
    this.#isCancelled = true;
    this.#watched.onCancel(request);
    if (request.sinceMs === null) void this.#askSince(request);
  }

  /** When the cancel of a turn was asked for stands in its command. */
  async #askSince(request: CancelRequest): Promise<void> {
    const { client, turn, onCancel } = this.#watched;
    const { signal } = this.#stop;
    const next = await client.next({ afterSeq: turn.seq - 1, waitMs: 0, signal }).catch(() => null);
    const asked = next?.items.find(({ id }) => id === turn.id)?.cancelRequestedAt;
    if (next === null || typeof asked !== 'string' || signal.aborted) return;
    onCancel({ ...request, sinceMs: msBetween(asked, next.serverTime) });
  }
}
