import { randomBytes } from 'node:crypto';

/** What the first part of an id says. */
export type IdPrefix = 'run' | 'cmd' | 'sess' | 'runner' | 'att' | 'rjob';

const ALPHABET = '0123456789abcdefghijklmnopqrstuv';

/** `<prefix>_` and 25 lower-case letters and digits: the time in 9, so that ids sort by it, and 80 random bits in 16. */
export function newId(prefix: IdPrefix): string {
  const time = Date.now().toString(36).padStart(9, '0');
  let random = '';
  for (const byte of randomBytes(16)) random += ALPHABET[byte & 31];
  return `${prefix}_${time}${random}`;
}
