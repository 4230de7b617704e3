/** What the set of streams asks of one. */
interface OpenStream {
  beat(): void;
  close(reason: string): void;
}

const HEARTBEAT_MS = 15_000;

/** All event streams that are open: they beat together, and end together when the manager stops. */
export class SseStreams {
  readonly #open = new Set<OpenStream>();
  readonly #heartbeatMs: number;
  #timer: NodeJS.Timeout | undefined;
  #ended: string | null = null;

  /** `heartbeatMs`: how often a comment is sent, so that proxies and readers see life; default 15 s. */
  constructor({ heartbeatMs = HEARTBEAT_MS }: { heartbeatMs?: number | undefined } = {}) {
    this.#heartbeatMs = heartbeatMs;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Called by the stream itself; after {@link closeAll} it is closed at once. */
  add(stream: OpenStream): void {
    this.#open.add(stream);
    if (this.#ended !== null) stream.close(this.#ended);
    else this.#timer ??= setInterval(() => this.#beat(), this.#heartbeatMs).unref();
  }

  delete(stream: OpenStream): void {
    this.#open.delete(stream);
    if (this.#open.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Ends every stream with a `close` event that carries its last id, and each later one at once. */
  closeAll(reason: string): void {
    this.#ended = reason;
    for (const stream of this.#open) stream.close(reason);
  }

  #beat(): void {
    for (const stream of this.#open) stream.beat();
  }
}
