/** A line of a stream, without its newline. */
export interface StreamLine {
  /** UTF-8, what is none as U+FFFD; of a line that is too long, its head. */
  readonly text: string;
  /** Bytes of the line beyond what is kept. */
  readonly cutBytes: number;
}

/**
 * Cuts a stream of bytes into lines, in bounded memory: of a line longer than `maxBytes` the head is kept and the rest
 * is counted.
 */
export class LineSplitter {
  readonly #maxBytes: number;
  readonly #onLine: (line: StreamLine) => void;
  #parts: Buffer[] = [];
  #kept = 0;
  #cut = 0;

  constructor(maxBytes: number, onLine: (line: StreamLine) => void) {
    this.#maxBytes = maxBytes;
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    let from = 0;
    for (let at = chunk.indexOf(0x0a); at !== -1; at = chunk.indexOf(0x0a, from)) {
      this.#take(chunk.subarray(from, at));
      this.#flush();
      from = at + 1;
    }
    this.#take(chunk.subarray(from));
  }

  /** The last line, when it had no newline. */
  end(): void {
    if (this.#kept > 0 || this.#cut > 0) this.#flush();
  }

  #take(part: Buffer): void {
    const room = this.#maxBytes - this.#kept;
    const kept = part.length <= room ? part : part.subarray(0, room);
    // A copy: a view would keep the whole chunk in memory.
    if (kept.length > 0) this.#parts.push(Buffer.from(kept));
    this.#kept += kept.length;
    this.#cut += part.length - kept.length;
  }

  #flush(): void {
    const bytes = this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts);
    const end = bytes.at(-1) === 0x0d ? bytes.length - 1 : bytes.length;
    const cutBytes = this.#cut;
    this.#parts = [];
    this.#kept = 0;
    this.#cut = 0;
    this.#onLine({ text: bytes.toString('utf8', 0, end), cutBytes });
  }
}
