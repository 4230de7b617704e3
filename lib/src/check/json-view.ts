import { maskSecrets } from '../contract/secret-shapes.ts';

/**
 * Reading of objects that may be broken in any way: each function gives an empty answer for a value of another shape,
 * so that a rule can speak of what it knows and leave the shape to the schema check.
 */
export type View = Readonly<Record<string, unknown>>;

export const viewOf = (value: unknown): View =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as View) : {};

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Any value as a text. `String` throws for an object whose own `toString` is no function. */
export const anyText = (value: unknown): string =>
  typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);

/** The value below some keys; list positions are numbers. */
export function dig(value: unknown, ...keys: readonly (string | number)[]): unknown {
  let current = value;
  for (const key of keys) {
    current = typeof key === 'number' ? listOf(current)[key] : viewOf(current)[key];
  }
  return current;
}

/** One segment of a JSON pointer, escaped as RFC 6901 says. */
export const pointerSegment = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

/** The pointer with its secrets masked, each segment as it was before it was escaped. */
export const maskPointer = (pointer: string): string =>
  pointer
    .split('/')
    .map((segment) => pointerSegment(maskSecrets(segment.replaceAll('~1', '/').replaceAll('~0', '~'))))
    .join('/');

/** Whether every label of the selector stands in the labels. */
export function selects(selector: View, labels: View): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

const LONGEST = 120;

/** A value as a message shows it, on one line. Masked before it is cut: half a secret is one, too. */
export function shown(value: unknown): string {
  const points = Array.from(maskSecrets(JSON.stringify(value) ?? 'nothing'));
  return points.length > LONGEST ? `${points.slice(0, LONGEST).join('')}…` : points.join('');
}
