/** A small generator of the same numbers for the same seed; the proof must be repeatable itself. */
function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A copy of a JSON value with the keys of every map in another order. Lists keep theirs: it means something. */
export function shuffleKeys<T>(value: T, seed: number): T {
  const next = numbers(seed);
  const walk = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(walk);
    if (typeof node !== 'object' || node === null) return node;
    const entries = Object.entries(node);
    for (let at = entries.length - 1; at > 0; at -= 1) {
      const other = Math.floor(next() * (at + 1));
      const [a, b] = [entries[at], entries[other]];
      if (a !== undefined && b !== undefined) [entries[at], entries[other]] = [b, a];
    }
    return Object.fromEntries(entries.map(([key, item]) => [key, walk(item)]));
  };
  return walk(value) as T;
}
