import type { FastifyReply } from 'fastify';
import type { SseStreams } from './sse-streams.ts';

export interface SseOptions {
  /** How long a reader waits before it connects again, in milliseconds; default 1000. */
  readonly retryMs?: number;
  /** How many bytes may wait for a reader before `send` waits as well; default 1 MiB. */
  readonly bufferBytes?: number;
  /** How long `send` waits for such a reader before its stream is closed, in milliseconds; default 10 s. */
  readonly stallMs?: number;
}

export interface SseEvent {
  /** Where a reader goes on after it; one line. */
  readonly id?: string;
  /** The name of the event; absent is `message`. */
  readonly event?: string;
  /** Written as JSON. */
  readonly data: unknown;
}

const BUFFER_BYTES = 1024 * 1024;
const STALL_MS = 10_000;
const RETRY_MS = 1_000;

/**
 * One reader of server-sent events. Every event reaches it, in order: a reader that does not keep up is closed, and comes
 * back with its last id; nothing is left out in between.
 */
export class SseStream {
  readonly #raw: FastifyReply['raw'];
  readonly #streams: SseStreams;
  readonly #bufferBytes: number;
  readonly #stallMs: number;
  readonly #ended = new AbortController();
  #lastId: string | null = null;
  #room: Promise<boolean> | undefined;
  #closing: NodeJS.Timeout | undefined;

  /** Made by `openSse`, which has written the headers. */
  constructor(raw: FastifyReply['raw'], streams: SseStreams, options: SseOptions) {
    this.#raw = raw;
    this.#streams = streams;
    this.#bufferBytes = options.bufferBytes ?? BUFFER_BYTES;
    this.#stallMs = options.stallMs ?? STALL_MS;
    // A write after the end is no reason to end the process.
    raw.on('error', () => this.#ended.abort());
    raw.once('close', () => this.#cleanUp());
    if (raw.destroyed || raw.writableEnded) {
      this.#cleanUp();
      return;
    }
    raw.write(`retry: ${options.retryMs ?? RETRY_MS}\n\n`);
    streams.add(this);
  }

  /** Aborted when the stream has ended, whoever ended it. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  get closed(): boolean {
    return this.#ended.signal.aborted;
  }

  /** The id of the last event that was sent; null before the first. */
  get lastId(): string | null {
    return this.#lastId;
  }

  /**
   * Sends an event and waits while too much waits for the reader. False when the stream has ended, also by this wait:
   * then nothing more is to be sent.
   */
  async send({ data, ...event }: SseEvent): Promise<boolean> {
    return await this.write(sseText({ ...event, json: JSON.stringify(data ?? null) }), event.id);
  }

  /** As {@link send}, with events that {@link sseText} has written; `lastId` is the id of the last of them. */
  async write(text: string | Buffer, lastId: string | undefined): Promise<boolean> {
    if (this.closed) return false;
    this.#raw.write(text);
    if (lastId !== undefined) this.#lastId = lastId;
    if (this.#raw.writableLength <= this.#bufferBytes || !this.#raw.writableNeedDrain) return true;
    this.#room ??= this.#waitForRoom();
    return this.#room;
  }

  /** Sends a line that readers do not see. */
  comment(text: string): void {
    if (!this.closed) this.#raw.write(`: ${oneLine(text)}\n\n`);
  }

  /** Sends a sign of life, unless older bytes still wait. */
  beat(): void {
    if (!this.#raw.writableNeedDrain) this.comment('beat');
  }

  /**
   * Ends the stream with `event: close` and `{reason, lastId}`; a browser connects again after a second, with its last
   * id. What a reader does not take in time is cut off.
   */
  close(reason: string, lastId: string | null = this.#lastId): void {
    this.#finish(`retry: ${RETRY_MS}\n${sseText({ event: 'close', json: JSON.stringify({ reason, lastId }) })}`);
  }

  /** Ends the stream with an event after which nothing comes. What a reader does not take in time is cut off. */
  end({ data, ...event }: SseEvent): void {
    this.#finish(sseText({ ...event, json: JSON.stringify(data ?? null) }));
  }

  #finish(text: string): void {
    if (this.closed) return;
    this.#ended.abort();
    this.#raw.end(text);
    this.#closing = setTimeout(() => this.#raw.destroy(), this.#stallMs).unref();
  }

  #waitForRoom(): Promise<boolean> {
    return new Promise((resolve) => {
      const stall = setTimeout(() => this.close('slow-reader'), this.#stallMs);
      const done = () => {
        clearTimeout(stall);
        this.#raw.off('drain', done);
        this.signal.removeEventListener('abort', done);
        this.#room = undefined;
        resolve(!this.closed);
      };
      this.#raw.once('drain', done);
      this.signal.addEventListener('abort', done, { once: true });
    });
  }

  #cleanUp(): void {
    clearTimeout(this.#closing);
    this.#ended.abort();
    this.#streams.delete(this);
  }
}

/** An event as it is sent; `json` must be one line. */
export function sseText({ id, event, json }: Omit<SseEvent, 'data'> & { readonly json: string }): string {
  const head = `${id === undefined ? '' : `id: ${oneLine(id)}\n`}${event === undefined ? '' : `event: ${oneLine(event)}\n`}`;
  return `${head}data: ${json}\n\n`;
}

function oneLine(text: string): string {
  if (/[\r\n\0]/.test(text)) throw new TypeError('an id, a name or a comment of an event stream must be one line');
  return text;
}
