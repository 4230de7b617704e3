/** An event of a run as its readers get it. */
export interface LoggedEvent {
  /** From 1 for each run, without a hole. */
  readonly seq: number;
  readonly text: string;
}

/** Events that follow each other, in one piece that all readers at the same place share. */
export interface Batch {
  readonly bytes: Buffer;
  /** Number of its last event. */
  readonly lastSeq: number;
}

/** What an event costs beside its text. */
const EVENT_BYTES = 64;

/** The newest events of a run, as many as fit a number of bytes. */
export class EventWindow {
  readonly #mostBytes: number;
  readonly #events: LoggedEvent[] = [];
  #bytes = 0;
  /** Everything up to here is older than the window. */
  #start: number;
  #seq: number;
  #latest: { readonly after: number; readonly batch: Batch } | undefined;

  /** Begins after a number. */
  constructor(seq: number, mostBytes: number) {
    this.#start = seq;
    this.#seq = seq;
    this.#mostBytes = mostBytes;
  }

  /** Number of the newest event that was seen. */
  get seq(): number {
    return this.#seq;
  }

  /** Adds what comes next; the oldest events leave when there is no more room. */
  add(events: readonly LoggedEvent[]): void {
    for (const event of events) {
      this.#events.push(event);
      this.#bytes += event.text.length + EVENT_BYTES;
      this.#seq = event.seq;
    }
    let surplus = 0;
    for (const { seq, text } of this.#events) {
      if (this.#bytes <= this.#mostBytes) break;
      this.#bytes -= text.length + EVENT_BYTES;
      this.#start = seq;
      surplus += 1;
    }
    this.#events.splice(0, surplus);
    this.#latest = undefined;
  }

  /** What comes after a number: null for nothing, undefined when that is older than the window. */
  after(seq: number): Batch | null | undefined {
    if (seq < this.#start) return undefined;
    if (seq >= this.#seq) return null;
    if (this.#latest?.after !== seq) {
      this.#latest = { after: seq, batch: batchOf(this.#events.slice(seq - this.#start), this.#seq) };
    }
    return this.#latest.batch;
  }
}

/** Puts events together. */
export function batchOf(events: readonly LoggedEvent[], lastSeq: number): Batch {
  return { bytes: Buffer.from(events.map(({ text }) => text).join('')), lastSeq };
}
