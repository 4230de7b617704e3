import { distance } from 'fastest-levenshtein';

/** Longer texts are no typing mistakes, and comparing them would cost time. */
const LONGEST = 80;

/** The candidate that the text most likely stands for, or undefined when none is close. */
export function closest(text: string, candidates: readonly string[]): string | undefined {
  if (text.length > LONGEST) return undefined;
  const wanted = folded(text);
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const steps = distance(wanted, folded(candidate));
    if (steps < least) {
      least = steps;
      best = candidate;
    }
  }
  return least <= Math.max(1, Math.floor(wanted.length / 3)) ? best : undefined;
}

/** Case, "-" and "_" are what people mix up most: they count for nothing. */
function folded(text: string): string {
  return text.toLowerCase().replace(/[-_]/g, '');
}
