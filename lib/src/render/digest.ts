import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

const byCodeUnit = (a: { path: string }, b: { path: string }) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0);

/**
 * The digest of a set of files: sha256 over path, NUL, content, NUL of each, sorted by path (code units).
 * The list itself is not reordered. Form: `sha256:` and 64 lower-case hex digits.
 */
export function filesDigest(files: readonly { readonly path: string; readonly content: string }[]): string {
  const hash = createHash('sha256');
  for (const { path, content } of [...files].sort(byCodeUnit)) hash.update(`${path}\0${content}\0`, 'utf8');
  return `sha256:${hash.digest('hex')}`;
}

/** The digest of a list of objects: sha256 of the canonical JSON (RFC 8785) of the array, in the order given. */
export function objectsDigest(objects: readonly object[]): string {
  const texts = objects.map((object) => (isCanonical(object) ? JSON.stringify(object) : canonicalize(object)));
  return `sha256:${createHash('sha256')
    .update(`[${texts.join(',')}]`, 'utf8')
    .digest('hex')}`;
}

/** With the flag `u`, a whole pair is one character of another kind. */
const HALF_PAIR = /\p{Cs}/u;

/** Whether JSON.stringify writes the canonical form: it keeps the order of the members, and most are sorted already. */
function isCanonical(value: unknown): boolean {
  if (typeof value === 'string') return !HALF_PAIR.test(value);
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return typeof value === 'boolean' || value === null;
  if (Array.isArray(value)) return value.every(isCanonical);
  let last: string | undefined;
  for (const [key, member] of Object.entries(value)) {
    if ((last !== undefined && key <= last) || !isCanonical(key) || !isCanonical(member)) return false;
    last = key;
  }
  return true;
}
