import { setTimeout as delay } from 'node:timers/promises';
import { type EventInput, streamRedactor } from '@agentrun/lib/contract';
import { EventIntake } from './event-uploader-intake.ts';
import { EventQueue, type QueueLimits } from './event-uploader-queue.ts';
import type { Log } from './log.ts';
import { EpochChanged } from './manager-client.ts';
import { ManagerFailure, ManagerUnreachable } from './manager-client-failure.ts';

export interface UploaderOptions {
  readonly attemptId: string;
  readonly runnerId: string;
  /** Values that must show nowhere. */
  readonly secrets: readonly string[];
  /** The epoch under which is written now. */
  readonly epoch: () => number;
  /** One append, once. @throws EpochChanged; ManagerFailure, ManagerUnreachable; whatever else ends the upload */
  readonly append: (epoch: number, producerSeq: number, events: readonly string[]) => Promise<void>;
  readonly log: Log;
  /** How long events wait for others, in milliseconds; default 250. */
  readonly lingerMs?: number;
  /** The first and the longest pause between tries, in milliseconds; default 100 and 5000. */
  readonly pausesMs?: readonly [number, number];
  readonly limits?: QueueLimits;
}

/**
 * Sends events to the manager as they happen: in batches, in order, each once. What is sent again carries the same
 * number, so that the manager knows it. No failure of it changes how a turn ends.
 */
export class EventUploader {
  readonly #options: UploaderOptions;
  readonly #queue: EventQueue;
  readonly #intake: EventIntake;
  readonly #waiters = new Set<() => void>();
  #epoch: number;
  #isSending = false;
  #urgent = new AbortController();
  #stopped = false;

  constructor(options: UploaderOptions) {
    this.#options = options;
    this.#queue = new EventQueue(options.limits);
    this.#intake = new EventIntake(streamRedactor(options.secrets), (type, payload) => this.#queue.put(type, payload));
    this.#epoch = options.epoch();
  }

  /** Takes an event at once, without waiting. `commandId`: the command that it is about. */
  emit(event: EventInput, commandId: string | null): void {
    if (this.#stopped) return;
    const { attemptId, runnerId } = this.#options;
    const about = commandId === null ? {} : { commandId };
    this.#intake.take({ type: event.type, payload: { ...event.payload, ...about, attemptId, runnerId } });
    this.#begin();
  }

  /**
   * Sends what there is, without waiting for more.
   *
   * @returns whether all was confirmed within the time
   */
  async flush(deadlineMs: number): Promise<boolean> {
    this.#intake.end();
    if (this.#queue.isEmpty || this.#stopped) return this.#queue.isEmpty;
    this.#urgent.abort();
    this.#begin();
    const late = new AbortController();
    const empty = new Promise<void>((resolve) => {
      this.#waiters.add(resolve);
    });
    await Promise.race([empty, delay(deadlineMs, undefined, { signal: late.signal }).catch(() => {})]);
    late.abort();
    if (!this.#queue.isEmpty)
      this.#options.log(`${this.#queue.length} events were not confirmed within ${deadlineMs} ms`);
    return this.#queue.isEmpty;
  }

  /** Sends nothing more; what is left is dropped. */
  stop(): void {
    if (!this.#stopped && !this.#queue.isEmpty) this.#options.log(`${this.#queue.length} events were not sent`);
    this.#stopped = true;
    this.#queue.clear();
    this.#urgent.abort();
    this.#tellEmpty();
  }

  #begin(): void {
    if (this.#isSending) return;
    this.#isSending = true;
    void this.#send().finally(() => {
      this.#isSending = false;
      // What came while the last look was over.
      if (!this.#stopped && (!this.#queue.isEmpty || this.#intake.hasText)) this.#begin();
    });
  }

  /** Until there is nothing to send. Never rejects. */
  async #send(): Promise<void> {
    while (!this.#stopped) {
      await this.#linger();
      this.#intake.settle();
      this.#tellDropped();
      if (this.#queue.isEmpty) break;
      while (!this.#queue.isEmpty && !this.#stopped) await this.#sendBatch();
      this.#tellEmpty();
    }
  }

  async #linger(): Promise<void> {
    const { lingerMs = 250 } = this.#options;
    await delay(lingerMs, undefined, { signal: this.#urgent.signal }).catch(() => {});
    if (this.#urgent.signal.aborted) this.#urgent = new AbortController();
  }

  /** One batch, until it is confirmed or given up. */
  async #sendBatch(): Promise<void> {
    const [firstPause, longestPause] = this.#options.pausesMs ?? [100, 5000];
    let most: number | undefined;
    for (let pause = firstPause; !this.#stopped; pause = Math.min(pause * 2, longestPause)) {
      const batch = this.#queue.batch(most);
      if (batch.length === 0) return;
      try {
        await this.#append(batch);
        return;
      } catch (error) {
        if (error instanceof EpochChanged) continue;
        if (isGap(error)) {
          this.#queue.expect(Number(error.details['expected']));
          continue;
        }
        const isTrouble = error instanceof ManagerUnreachable || (error instanceof ManagerFailure && error.retryable);
        if (isTrouble) {
          const asked = error instanceof ManagerUnreachable ? (error.retryAfterMs ?? 0) : 0;
          await delay(Math.max(asked, pause * (0.5 + Math.random() / 2)));
          continue;
        }
        if (!(error instanceof ManagerFailure) || error.status === 401 || error.status === 403) {
          this.stop();
          return;
        }
        // One of them is not to be had by the manager: the batch is halved until it stands alone.
        if (batch.length > 1) most = Math.ceil(batch.length / 2);
        else {
          this.#options.log(`an event was refused and is dropped: ${error.message}`);
          this.#queue.discardFirst();
          return;
        }
        pause = firstPause;
      }
    }
  }

  async #append(batch: readonly string[]): Promise<void> {
    const epoch = this.#options.epoch();
    if (epoch !== this.#epoch) {
      this.#epoch = epoch;
      this.#queue.renumber();
    }
    await this.#options.append(epoch, this.#queue.first, batch);
    if (!this.#stopped) this.#queue.confirm(batch.length);
  }

  #tellDropped(): void {
    const dropped = this.#queue.takeDropped();
    if (dropped === null) return;
    const { events, bytes } = dropped;
    const message = `the manager took events too slowly: ${events} with ${bytes} bytes were dropped`;
    const { attemptId, runnerId, log } = this.#options;
    log(message);
    this.#queue.put('warning', { message, phase: 'events-dropped', truncatedBytes: bytes, attemptId, runnerId });
  }

  #tellEmpty(): void {
    for (const waiter of this.#waiters) waiter();
    this.#waiters.clear();
  }
}

function isGap(error: unknown): error is ManagerFailure {
  return (
    error instanceof ManagerFailure &&
    error.failureKind === 'event-gap' &&
    Number.isSafeInteger(error.details['expected'])
  );
}
