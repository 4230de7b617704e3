/** What the diffs of one turn come to. */
export interface ChangeTotals {
  readonly files: number;
  readonly insertions: number;
  readonly deletions: number;
  /** Bytes of UTF-8 of the diffs. */
  readonly patchBytes: number;
}

/** Per path: insertions, deletions, bytes. Kept on the command, so that a file that is changed twice counts once. */
export type ChangesByPath = Readonly<Record<string, readonly [number, number, number]>>;

/** Paths that are told apart; what comes after them is counted as one. */
const MOST = 2000;
const OTHERS = '';

/** Adds a diff of a file. */
export function withChange(changes: ChangesByPath, path: string, diff: string): ChangesByPath {
  const name = path in changes || Object.keys(changes).length < MOST ? path : OTHERS;
  const lines = diff.split('\n');
  const count = (sign: string, head: string) =>
    lines.filter((line) => line.startsWith(sign) && !line.startsWith(head)).length;
  return merged(changes, { [name]: [count('+', '+++ '), count('-', '--- '), Buffer.byteLength(diff)] });
}

/** Sums, path by path. */
export function merged(some: ChangesByPath, more: ChangesByPath): ChangesByPath {
  const sums: Record<string, readonly [number, number, number]> = { ...some };
  for (const [path, [insertions, deletions, bytes]] of Object.entries(more)) {
    const [a, b, c] = sums[path] ?? [0, 0, 0];
    sums[path] = [a + insertions, b + deletions, c + bytes];
  }
  return sums;
}

export function totalsOf(changes: ChangesByPath): ChangeTotals {
  const parts = Object.values(changes);
  const sum = (column: 0 | 1 | 2) => parts.reduce((total, part) => total + part[column], 0);
  return { files: parts.length, insertions: sum(0), deletions: sum(1), patchBytes: sum(2) };
}
