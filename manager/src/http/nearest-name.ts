/** Longer names are no typing mistakes, and comparing them would cost time. */
const LONGEST = 60;

/** The known name that was most likely meant, or undefined; case, "-" and "_" count for nothing. */
export function nearestName(given: string, known: readonly string[]): string | undefined {
  if (given.length > LONGEST) return undefined;
  const wanted = folded(given);
  let least = Math.max(1, Math.floor(wanted.length / 3));
  let best: string | undefined;
  for (const name of known) {
    const other = folded(name);
    if (Math.abs(other.length - wanted.length) > least) continue;
    const steps = distance(wanted, other);
    if (steps < least || (steps === least && best === undefined)) {
      least = steps;
      best = name;
    }
  }
  return best;
}

const folded = (name: string): string => name.toLowerCase().replaceAll(/[-_]/g, '');

/** How many letters must be put in, taken out or changed (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
