import { dig, textOf } from './json-view.ts';

/**
 * One step down in a value and in a changed copy of it: the members at the key, or undefined where there is none.
 *
 * In lists that have grown or shrunk, items with a name belong together whatever their position, so that one more
 * variable in an environment does not seem to change all that follow it.
 */
export function counterparts(value: unknown, changed: unknown, key: string): readonly [unknown, unknown] {
  if (!Array.isArray(value)) return [dig(value, key), dig(changed, key)];
  const item: unknown = value[Number(key)];
  if (item === undefined || !Array.isArray(changed)) return [item, undefined];
  const name = value.length === changed.length ? undefined : nameOf(item);
  return [item, name === undefined ? changed[Number(key)] : changed.find((other) => nameOf(other) === name)];
}

/** What tells an item of a list from the others: the name of an entry or object with its kind, the path of a file. */
function nameOf(item: unknown): string | undefined {
  const name = textOf(dig(item, 'name')) ?? textOf(dig(item, 'metadata', 'name')) ?? textOf(dig(item, 'path'));
  return name === undefined ? undefined : `${textOf(dig(item, 'kind')) ?? ''}/${name}`;
}
