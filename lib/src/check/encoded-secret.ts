import { findSecrets, type SecretFinding } from '../contract/secret-shapes.ts';

/** Shortest base64 that is looked at, in characters. */
const SHORTEST = 24;
const RUN = /(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{24,}={0,2}/g;
/** How deep base64 within base64 is followed. */
const MAX_DEPTH = 3;

/** Control characters but tab and line ends, and the mark of bad UTF-8: what holds one was no encoded text. */
const NO_TEXT = /[^\t\n\r\P{Cc}]|\ufffd/u;

function decoded(encoded: string): string | undefined {
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  return NO_TEXT.test(text) ? undefined : text;
}

/**
 * The secrets of known shape within the base64 of a text, at least 24 characters of it, also wrapped over lines.
 * A finding is the place of the base64 text that holds the secret.
 */
export function findEncodedSecrets(text: string, depth = 0): SecretFinding[] {
  if (depth >= MAX_DEPTH || text.length < SHORTEST) return [];
  const found: SecretFinding[] = [];
  const look = (encoded: string, start: number, end: number): void => {
    const inner = decoded(encoded);
    if (inner === undefined) return;
    const first = findSecrets(inner)[0] ?? findEncodedSecrets(inner, depth + 1)[0];
    if (first !== undefined) found.push({ shape: first.shape, start, end });
  };
  if (/^[A-Za-z0-9+/_=\s-]{24,}$/.test(text) && /\s/.test(text.trim())) look(text.replace(/\s+/g, ''), 0, text.length);
  if (found.length > 0) return found;
  // Most texts hold none; a search costs them far less than an iterator.
  if (text.search(RUN) === -1) return found;
  // A run is tried at its beginning only: the time stays linear in the text.
  for (const match of text.matchAll(RUN)) {
    look(match[0], match.index, match.index + match[0].length);
  }
  return found;
}
