/** What the agent says, written as it comes. A message that comes whole after its pieces is not written again. */
export class TextBlock {
  readonly #write: (text: string) => void;
  readonly #said = new Map<string, string>();
  #isMidLine = false;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  get isMidLine(): boolean {
    return this.#isMidLine;
  }

  delta(itemId: string, text: string): void {
    const before = this.#said.get(itemId) ?? '';
    this.#said.set(itemId, before + text);
    this.#put(before === '' ? text.replace(/^\n+/, '') : text);
  }

  /** What of a whole message was not said yet; the message is over. */
  whole(itemId: string, text: string): string {
    const said = this.#said.get(itemId) ?? '';
    this.#said.delete(itemId);
    if (said.trim() === text.trim()) return '';
    // Pieces may be missing: then it is said as a whole.
    return text.startsWith(said) ? text.slice(said.length) : text;
  }

  /** Writes the rest of a message that {@link whole} answered. */
  rest(_itemId: string, text: string): void {
    this.#put(text);
  }

  /** Forgets messages that broke off: they come anew. */
  forget(itemIds: unknown, runId: string): void {
    if (Array.isArray(itemIds)) for (const itemId of itemIds) this.#said.delete(`${runId} ${String(itemId)}`);
  }

  /** Ends the line, and sets what comes next apart from it. */
  endLine(isApart: boolean): void {
    if (this.#isMidLine) this.#write('\n');
    if (isApart) this.#write('\n');
    this.#isMidLine = false;
  }

  #put(text: string): void {
    if (text === '') return;
    this.#write(text);
    this.#isMidLine = !text.endsWith('\n');
  }
}
