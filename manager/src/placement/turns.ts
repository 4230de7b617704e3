/** Lets the steps of one key run one after the other, in the order in which they came; other keys do not wait. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  async run<T>(key: string, step: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const turn = before.then(step, step);
    this.#last.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.#last.get(key) === turn) this.#last.delete(key);
    }
  }

  /** Waits until nothing runs that was asked for so far. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#last.values());
  }
}
