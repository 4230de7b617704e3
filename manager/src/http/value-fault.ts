/** What is wrong within a parsed value, and where; the path stands from the inside to the outside. */
export interface ValueFault {
  readonly what: string;
  readonly path: (string | number)[];
}

/** The deepest nesting of lists and objects that a body may have. */
export const MAX_DEPTH = 64;

const UNSTORABLE = /\\u(?:0000|d[89a-f]|00[4-7])/i;
const LONE_SURROGATE = /[\uD800-\uDFFF]/u;

/**
 * Whether the text of a JSON value may hold what {@link findValueFault} looks for in texts and keys. UTF-8 that was
 * decoded holds none of it but by an escape, so that nearly every body is spared the look at each of its texts; letters
 * are never escaped but to hide a key.
 */
export function needsStrictLook(text: string): boolean {
  return text.includes('__proto__') || text.includes('constructor') || (text.includes('\\u') && UNSTORABLE.test(text));
}

/** The first fault of a list or object: its depth and its numbers always, its texts and keys when `strict`. */
export function findValueFault(value: object, depth: number, strict: boolean): ValueFault | undefined {
  if (depth === 0)
    return {
      what: `is nested too deeply: at most ${MAX_DEPTH} lists and objects may stand within each other`,
      path: [],
    };
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const fault = faultOf(value[index], depth, strict);
      if (fault !== undefined) {
        fault.path.push(index);
        return fault;
      }
    }
    return undefined;
  }
  for (const key in value) {
    const item = (value as Record<string, unknown>)[key];
    const fault = (strict ? keyFault(key, item) : undefined) ?? faultOf(item, depth, strict);
    if (fault !== undefined) {
      fault.path.push(key);
      return fault;
    }
  }
  return undefined;
}

function faultOf(item: unknown, depth: number, strict: boolean): ValueFault | undefined {
  if (typeof item === 'object') return item === null ? undefined : findValueFault(item, depth - 1, strict);
  if (typeof item === 'string') return strict ? textFault(item, 'holds') : undefined;
  if (item === Number.POSITIVE_INFINITY || item === Number.NEGATIVE_INFINITY)
    return { what: 'is a number too large to be held', path: [] };
  return undefined;
}

function textFault(text: string, holds: string): ValueFault | undefined {
  if (text.includes('\0')) return { what: `${holds} a NUL character, which cannot be stored`, path: [] };
  if (LONE_SURROGATE.test(text)) return { what: `${holds} half of a surrogate pair, which is no character`, path: [] };
  return undefined;
}

function keyFault(key: string, item: unknown): ValueFault | undefined {
  if (key === '__proto__') return { what: 'is a key that is not accepted', path: [] };
  if (key === 'constructor' && typeof item === 'object' && item !== null && Object.hasOwn(item, 'prototype'))
    return { what: 'is a key that is not accepted', path: ['prototype'] };
  return textFault(key, 'has a key that holds');
}
