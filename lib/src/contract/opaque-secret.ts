/**
 * Long strings that look random: keys and tokens without a form of their own.
 *
 * A run of letters, digits and the signs of base64 is cut into pieces at its signs. A piece looks random when its
 * characters follow each other as they do not in words and numbers. The limits come from an experiment: random
 * base62, base64, base36 and hex stand above them, names of every usual kind below; the tests hold both sides.
 */
import { isExemptWord, withoutKnownForms } from './known-forms.ts';

/** A place in a text that holds a secret: `text.slice(start, end)` is the part to take out. */
export interface SecretFinding {
  /** Name of the shape, such as `jwt` or `url-password`. */
  readonly shape: string;
  readonly start: number;
  readonly end: number;
}

/** Shortest run of characters that is looked at. */
const MIN_LENGTH = 20;
/** A word that is long enough. */
const LONG_WORD = /[^\s"'`,;|<>(){}[\]\\]{20,}/g;
/** How many characters of a run must stand in random pieces, and how much of the run that must be. */
const MIN_RANDOM = 16;
const MIN_RANDOM_PART = 0.6;
/** Bits per character; English text of this length has about the same, so this only turns away repetitions. */
const MIN_ENTROPY = 2.8;
/** The part of neighbouring characters that must be odd for a piece to be random. */
const MIN_ODD = 0.42;
/** The same for a run that holds upper case, lower case and digits, over all its pieces. */
const MIN_ODD_THROUGHOUT = 0.5;

/** The 250 commonest pairs of letters in English and in identifiers (97 of 100 pairs): letter, then its followers. */
const FOLLOWERS: Readonly<Record<string, string>> = {
  a: 'bcdgilmnprstuvy',
  b: 'aeijloruy',
  c: 'acehiklortu',
  d: 'adeiosu',
  e: 'acdefgilmnpqrstvwxy',
  f: 'aefiortu',
  g: 'ehilnrsu',
  h: 'aeiortu',
  i: 'abcdefglmnoprstvz',
  j: 'es',
  k: 'eis',
  l: 'adeilostuy',
  m: 'abeimopsu',
  n: 'acdefgiklnopstuvy',
  o: 'bcdfgiklmnoprstuvw',
  p: 'aeiloprstu',
  q: 'u',
  r: 'acdefgiklmnoprstuvy',
  s: 'acehiopstuy',
  t: 'acehiloprstuy',
  u: 'abcdegilmnprst',
  v: 'aeio',
  w: 'aehinorsw',
  x: 'cipt',
  y: 'nops',
  z: 'e',
};

/** Entropy of the distribution of characters, in bits per character (Shannon). */
function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

type CharClass = 'upper' | 'lower' | 'digit';

function classOf(char: string): CharClass {
  return char <= '9' ? 'digit' : char <= 'Z' ? 'upper' : 'lower';
}

/** Weight of a pair among the pairs looked at, and whether it is odd: one that words and numbers do not have. */
function weigh(first: string, second: string): { weight: number; odd: boolean } {
  const from = classOf(first);
  const to = classOf(second);
  // Digits follow digits in numbers and in random text alike.
  if (from === 'digit' && to === 'digit') return { weight: 0.5, odd: false };
  if (from === 'digit' || to === 'digit' || (from === 'lower' && to === 'upper')) return { weight: 1, odd: true };
  // Neighbours of the alphabet stand in lists of letters.
  if (second.charCodeAt(0) === first.charCodeAt(0) + 1) return { weight: 1, odd: false };
  return { weight: 1, odd: !(FOLLOWERS[first.toLowerCase()] ?? '').includes(second.toLowerCase()) };
}

/** The part of odd pairs among all pairs within the pieces. */
function oddPart(pieces: readonly string[]): number {
  let all = 0;
  let odd = 0;
  for (const piece of pieces) {
    for (let i = 1; i < piece.length; i += 1) {
      const pair = weigh(piece.charAt(i - 1), piece.charAt(i));
      all += pair.weight;
      if (pair.odd) odd += 1;
    }
  }
  return all === 0 ? 0 : odd / all;
}

/** Whether a piece of letters and digits looks random; letters of one case, or digits alone, never do. */
function isRandomPiece(piece: string): boolean {
  if (piece.length < 5 || /^(?:[a-z]+|[A-Z]+|[0-9]+)$/.test(piece)) return false;
  return /^[0-9a-f]{20,}$/i.test(piece) || oddPart([piece]) >= MIN_ODD;
}

function isRandomRun(run: string): boolean {
  const pieces = run.split(/[^A-Za-z0-9]+/);
  const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const random = pieces.filter(isRandomPiece).join('');
  const throughout = /[A-Z]/.test(run) && /[a-z]/.test(run) && /[0-9]/.test(run) && size >= MIN_RANDOM;
  if (throughout && oddPart(pieces) >= MIN_ODD_THROUGHOUT) return entropy(run) >= MIN_ENTROPY;
  return random.length >= MIN_RANDOM && random.length >= size * MIN_RANDOM_PART && entropy(random) >= MIN_ENTROPY;
}

/**
 * The first long random-looking string of a free text: an environment value, an annotation, an argument.
 *
 * Never 24, 40 or 64 hex digits, digests, UUIDs, public keys and certificates, image references, URLs, file paths,
 * host names, versions, times, or words joined by signs. A URL is skipped whole: `findSecret` looks at its parts.
 */
export function findOpaqueSecret(text: string): SecretFinding | undefined {
  // Most texts hold none; taking the known forms out, which makes no word longer, costs them far more than a search.
  if (text.search(LONG_WORD) === -1) return undefined;
  for (const word of withoutKnownForms(text).matchAll(LONG_WORD)) {
    // The parts of a pair; "=" at the end is padding of base64.
    for (const part of word[0].matchAll(/[^=:@&?]+(?:={1,2}(?=$|[:@&?]))?/g)) {
      if (part[0].length < MIN_LENGTH || isExemptWord(part[0], isRandomPiece)) continue;
      for (const run of part[0].matchAll(/[A-Za-z0-9+/_!#$^*~-]{20,}={0,2}/g)) {
        if (!isRandomRun(run[0])) continue;
        const start = word.index + part.index + run.index;
        return { shape: 'random-string', start, end: start + run[0].length };
      }
    }
  }
  return undefined;
}
