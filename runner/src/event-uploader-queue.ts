import { DROPPABLE_EVENT_TYPES, EVENT_LIMITS, type EventType } from '@agentrun/lib/contract';

/** Events of one append; as many bytes as a manager takes at ease. */
const BATCH_BYTES = 1024 * 1024;

export interface QueueLimits {
  /** From here on streamed output is dropped; bytes. */
  readonly softBytes: number;
  /** From here on all is dropped but what says how a turn went; bytes. */
  readonly hardBytes: number;
}

const QUEUE_LIMITS: QueueLimits = { softBytes: 16 * 1024 * 1024, hardBytes: 32 * 1024 * 1024 };

const DROPPABLE: ReadonlySet<EventType> = new Set(DROPPABLE_EVENT_TYPES);
/** Few in a turn, and small. */
const ALWAYS: ReadonlySet<EventType> = new Set<EventType>(['backend_status', 'error', 'usage']);

interface Entry {
  readonly text: string;
  readonly bytes: number;
}

/** Events that the manager has not confirmed, numbered as the manager counts them. Bounded: an absent manager costs no memory without end. */
export class EventQueue {
  readonly #limits: QueueLimits;
  readonly #entries: Entry[] = [];
  #bytes = 0;
  /** Number of the first entry. */
  #first = 1;
  #droppedEvents = 0;
  #droppedBytes = 0;

  constructor(limits: QueueLimits = QUEUE_LIMITS) {
    this.#limits = limits;
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  get length(): number {
    return this.#entries.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Number of the first event that is not confirmed, from 1 within an epoch. */
  get first(): number {
    return this.#first;
  }

  put(type: EventType, payload: Readonly<Record<string, unknown>>): void {
    const text = JSON.stringify({ type, payload });
    const bytes = Buffer.byteLength(text);
    const limit = DROPPABLE.has(type) ? this.#limits.softBytes : this.#limits.hardBytes;
    if (!ALWAYS.has(type) && this.#bytes + bytes > limit) {
      this.#droppedEvents += 1;
      this.#droppedBytes += bytes;
      return;
    }
    this.#entries.push({ text, bytes });
    this.#bytes += bytes;
  }

  /** What was dropped since it was asked last; null for nothing. */
  takeDropped(): { readonly events: number; readonly bytes: number } | null {
    if (this.#droppedEvents === 0) return null;
    const dropped = { events: this.#droppedEvents, bytes: this.#droppedBytes };
    [this.#droppedEvents, this.#droppedBytes] = [0, 0];
    return dropped;
  }

  /** The texts of the next append, at most so many. */
  batch(most: number = EVENT_LIMITS.batch): readonly string[] {
    const texts: string[] = [];
    let bytes = 0;
    for (const entry of this.#entries) {
      if (texts.length >= most || (texts.length > 0 && bytes + entry.bytes > BATCH_BYTES)) break;
      texts.push(entry.text);
      bytes += entry.bytes;
    }
    return texts;
  }

  /** The first events are confirmed. */
  confirm(count: number): void {
    this.#remove(count);
    this.#first += count;
  }

  /** The first event is refused for good: it goes, and its number is free. */
  discardFirst(): void {
    this.#remove(1);
  }

  /** The manager expects another number: events before it are stored; what it lacks and we do not have is lost. */
  expect(number: number): void {
    if (number > this.#first) this.#remove(number - this.#first);
    this.#first = number;
  }

  /** A new epoch begins to count anew. */
  renumber(): void {
    this.#first = 1;
  }

  clear(): void {
    this.#remove(this.#entries.length);
  }

  #remove(count: number): void {
    // In place: copies of a long queue, one for each batch, are much garbage.
    for (const { bytes } of this.#entries.splice(0, count)) this.#bytes -= bytes;
  }
}
