import type { Problem } from '../errors.ts';

/** Sorts by file, line, column and code, and drops what is said twice. Problems without a place keep their order. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>();
  return problems
    .filter(({ code, line, column, lanePath, message }) => {
      const id = JSON.stringify([code, line, column, lanePath, message]);
      if (seen.has(id)) return false;
      seen.add(id);
      return true;
    })
    .sort(
      (a, b) =>
        compare(a.file ?? '', b.file ?? '') ||
        (a.line ?? 0) - (b.line ?? 0) ||
        (a.column ?? 0) - (b.column ?? 0) ||
        compare(a.code, b.code) ||
        compare(a.lanePath ?? '', b.lanePath ?? ''),
    );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
