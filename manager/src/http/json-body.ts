import { isUtf8 } from 'node:buffer';
import { Failure } from '../failure.ts';
import { findJsonFault } from './json-fault.ts';
import { findValueFault, MAX_DEPTH, needsStrictLook } from './value-fault.ts';
import { formatPath, pointerOf } from './value-path.ts';

const BYTE_ORDER_MARK = '\uFEFF';

/**
 * The value of a JSON body: undefined when there is none, which an empty body, white space and `null` mean as well.
 *
 * Refused as `schema-invalid`: bytes that are not UTF-8, text that is not JSON (by line and column, without a word of the
 * content), nesting deeper than {@link MAX_DEPTH}, numbers that no number holds, and, by JSON pointer, what PostgreSQL
 * cannot store (NUL, halves of surrogate pairs) and keys that reach for prototypes. Of a key that stands twice the last
 * value counts, as in every JSON parser. A byte order mark is skipped.
 */
export function parseJsonBody(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  if (!isUtf8(bytes)) throw invalid('', `is not valid UTF-8, at byte ${firstBadByte(bytes) + 1}`);
  let text = bytes.toString('utf8');
  if (text.startsWith(BYTE_ORDER_MARK)) text = text.slice(1);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (text.trim() === '') return undefined;
    const { line, column, what } = findJsonFault(text);
    throw invalid('', `is not JSON: ${what}, at line ${line}, column ${column}`, { line, column }, error);
  }
  const fault = findValueFault([value], MAX_DEPTH + 1, needsStrictLook(text));
  if (fault !== undefined) {
    const path = fault.path.toReversed().slice(1);
    throw invalid(pointerOf(path), fault.what, { path: formatPath('body', path) });
  }
  return value ?? undefined;
}

function invalid(pointer: string, what: string, more: Record<string, unknown> = {}, cause?: unknown): Failure {
  const name = pointer === '' ? 'The body' : `The body, at ${shortened(pointer)},`;
  const message = `${name} ${what}.`;
  return new Failure('schema-invalid', message, {
    cause,
    details: {
      part: 'body',
      errors: [{ path: 'body', pointer: shortened(pointer), message, received: null, ...more }],
    },
  });
}

function shortened(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

/** Decoding puts a mark in the place of bad bytes: the first difference is the first of them. */
function firstBadByte(bytes: Buffer): number {
  const decoded = Buffer.from(bytes.toString('utf8'), 'utf8');
  let at = 0;
  while (at < bytes.length && decoded[at] === bytes[at]) at += 1;
  return at;
}
