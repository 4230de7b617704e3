import type { EventInput, EventType, RedactedStream, StreamRedactor } from '@agentrun/lib/contract';
import { cleanPayload } from './backends/clean-payload.ts';

/** A streamed text is passed on when it has grown so large, in bytes; or when the next batch is made. */
const MERGED_BYTES = 4 * 1024;

type Payload = Readonly<Record<string, unknown>>;

/** Texts that come in pieces. */
const STREAMED: readonly EventType[] = ['assistant_delta', 'reasoning', 'tool_output'];
/** Which streams of an item are over with an event of it. */
const ENDS: Readonly<Partial<Record<EventType, readonly EventType[]>>> = {
  assistant_message: ['assistant_delta'],
  tool_end: ['tool_output'],
};
/** Phases of the backend after which nothing of a turn comes. */
const TURN_ENDS: readonly unknown[] = ['turn-completed', 'turn-failed', 'turn-interrupted'];

interface Stream {
  readonly type: EventType;
  /** The members of its events but the text, as JSON. */
  readonly members: string;
  readonly payload: Payload;
  readonly redacted: RedactedStream;
  /** Redacted and not passed on. */
  text: string;
}

/**
 * Makes events fit for the log: clean, without known secrets though they may be spread over pieces of a stream, and with
 * the pieces of each stream merged. Other events come out in their order, after all pieces that came before them.
 */
export class EventIntake {
  readonly #redactor: StreamRedactor;
  readonly #put: (type: EventType, payload: Payload) => void;
  readonly #streams = new Map<string, Stream>();

  constructor(redactor: StreamRedactor, put: (type: EventType, payload: Payload) => void) {
    this.#redactor = redactor;
    this.#put = put;
  }

  /** Whether a merged text waits to be passed on. */
  get hasText(): boolean {
    return [...this.#streams.values()].some(({ text }) => text !== '');
  }

  take({ type, payload: given = {} }: EventInput): void {
    const payload = cleanPayload(given);
    if (STREAMED.includes(type) && isPiece(payload)) return this.#piece(type, payload);
    this.#endStreams(type, payload);
    this.settle();
    this.#put(type, this.#redacted(payload) as Payload);
  }

  /** Passes on what is merged so far. What may begin a secret stays. */
  settle(): void {
    for (const stream of this.#streams.values()) this.#pass(stream);
  }

  /** Passes on everything. */
  end(): void {
    for (const [key, stream] of this.#streams) this.#end(key, stream);
  }

  #piece(type: EventType, payload: Payload & { readonly text: string }): void {
    const { text, ...others } = payload;
    const members = JSON.stringify(others);
    const key = `${type} ${members}`;
    let stream = this.#streams.get(key);
    if (stream === undefined) {
      const redactedOthers = this.#redacted(others) as Payload;
      stream = { type, members, payload: redactedOthers, redacted: this.#redactor.open(), text: '' };
      this.#streams.set(key, stream);
    }
    stream.text += stream.redacted.push(text);
    if (Buffer.byteLength(stream.text) >= MERGED_BYTES) this.#pass(stream);
  }

  #pass(stream: Stream): void {
    if (stream.text === '') return;
    const { type, payload, text } = stream;
    stream.text = '';
    this.#put(type, { ...payload, text });
  }

  #end(key: string, stream: Stream): void {
    stream.text += stream.redacted.end();
    this.#pass(stream);
    this.#streams.delete(key);
  }

  #endStreams(type: EventType, payload: Payload): void {
    const isTurnEnd = type === 'backend_status' && TURN_ENDS.includes(payload['phase']);
    const ended = ENDS[type] ?? [];
    if (!isTurnEnd && ended.length === 0) return;
    for (const [key, stream] of this.#streams) {
      const same = (member: string): boolean => stream.payload[member] === payload[member];
      if (!same('commandId')) continue;
      if (isTurnEnd || (ended.includes(stream.type) && same('itemId'))) this.#end(key, stream);
    }
  }

  #redacted(value: unknown): unknown {
    if (typeof value === 'string') return this.#redactor.text(value);
    if (Array.isArray(value)) return value.map((item) => this.#redacted(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [this.#redactor.text(name), this.#redacted(item)]),
    );
  }
}

/** A piece that was cut, or that takes the place of others, is told as it is. */
function isPiece(payload: Payload): payload is Payload & { readonly text: string } {
  const { text, mode = 'append', truncatedBytes } = payload;
  return typeof text === 'string' && mode === 'append' && truncatedBytes === undefined;
}
