import { invalidField } from './invalid-field.ts';

/**
 * The first rows of those that were read, and the cursor of the page after them; null when it is the last one.
 *
 * @param rows one more than `limit`, when there are so many.
 * @param idOf the second column of the order; the first is the time `cursor_at`.
 */
export function pageOf<Row extends { readonly cursor_at: string }>(
  rows: readonly Row[],
  limit: number,
  idOf: (row: Row) => string,
): { readonly page: readonly Row[]; readonly cursor: string | null } {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const hasMore = rows.length > page.length && last !== undefined;
  return { page, cursor: hasMore ? encodeCursor([last.cursor_at, idOf(last)]) : null };
}

/** Where a page ended: the columns of its order, as texts. Opaque to clients. */
function encodeCursor(parts: readonly string[]): string {
  return Buffer.from(JSON.stringify(parts), 'utf8').toString('base64url');
}

/**
 * Reads a cursor of so many parts.
 *
 * @throws Failure `schema-invalid` for anything that no page has given.
 */
function decodeCursor(cursor: string, count: number): string[] {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    parts = undefined;
  }
  const isRight =
    Array.isArray(parts) &&
    parts.length === count &&
    parts.every((part) => typeof part === 'string' && PART.test(part));
  return isRight ? (parts as string[]) : refuse(cursor);
}

function refuse(cursor: string): never {
  throw invalidField('query.cursor', 'is not one that a page has given: begin without it', cursor);
}

/** No control characters: PostgreSQL takes no NUL. */
const PART = /^[\x20-\x7e]{1,256}$/;

/**
 * The cursor of a page ordered by a time and an id.
 *
 * @throws Failure `schema-invalid`
 */
export function decodeTimeCursor(cursor: string): { readonly at: string; readonly id: string } {
  const [at = '', id = ''] = decodeCursor(cursor, 2);
  if (TIME.test(at) && isDay(at.slice(0, 10))) return { at, id };
  return refuse(cursor);
}

const TIME = /^(?!0000)\d{4}-\d{2}-\d{2}T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z$/;

/** Date takes a 30th of February for the 2nd of March; PostgreSQL does not. */
function isDay(day: string): boolean {
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}
