import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** One operation of `docs/deviations.yaml`. */
export interface Undo {
  readonly op: 'remove' | 'replace' | 'add' | 'strip-digest' | 'drop' | 'wrap-list';
  readonly path?: string;
  readonly value?: unknown;
}

/** One row of `docs/deviations.yaml`. */
export interface Deviation {
  readonly id: string;
  readonly flaw: number;
  readonly objects: readonly string[];
  readonly change: string;
  readonly undo: readonly Undo[];
}

export function readDeviations(root: string): Deviation[] {
  return parse(readFileSync(join(root, 'docs', 'deviations.yaml'), 'utf8')) as Deviation[];
}

type Container = Record<string, unknown> | unknown[];

/**
 * Applies one undo operation to one object, in place. It is strict: what it removes or replaces must be there, and a
 * replacement must change something, so that a row that no longer says anything fails.
 */
export function applyUndo(object: Container, undo: Undo, lane: unknown): void {
  const segments = (undo.path ?? '')
    .split(/\/(?![^[]*\])/)
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = segments.pop();
  if (last === undefined) throw new Error('an undo needs a path');
  let parent: unknown = object;
  for (const segment of segments) parent = step(parent, segment);
  if (undo.op === 'add' && last === '-' && Array.isArray(parent)) {
    parent.push(withLane(undo.value, lane));
    return;
  }
  const key = keyOf(parent, last);
  const container = parent as Record<string | number, unknown>;
  const present = Object.hasOwn(container, key);
  if (undo.op === 'add') {
    if (present) throw new Error(`${undo.path} is there already`);
    container[key] = withLane(undo.value, lane);
  } else {
    if (!present) throw new Error(`${undo.path} is not there`);
    if (undo.op === 'remove') {
      if (Array.isArray(parent)) parent.splice(key as number, 1);
      else delete container[key];
    } else {
      const value =
        undo.op === 'strip-digest'
          ? String(container[key]).replace(/@sha256:[0-9a-f]{64}$/, '')
          : withLane(undo.value, lane);
      if (JSON.stringify(value) === JSON.stringify(container[key])) throw new Error(`${undo.path} does not differ`);
      container[key] = value;
    }
  }
}

function step(parent: unknown, segment: string): unknown {
  const found = (parent as Record<string | number, unknown> | undefined)?.[keyOf(parent, segment)];
  if (found === undefined) throw new Error(`"${segment}" is not there`);
  return found;
}

/** `[name=X]` picks the list item with that field, `[=X]` the item that is X. */
function keyOf(parent: unknown, segment: string): string | number {
  const picked = /^\[([a-z]*)=(.*)\]$/.exec(segment);
  if (!Array.isArray(parent)) return segment;
  if (!picked) return Number(segment);
  const [, field = '', value] = picked;
  return parent.findIndex((item) => (field === '' ? item : (item as Record<string, unknown>)[field]) === value);
}

/** Replaces each `{$lane: path}` by the lane's value. */
function withLane(value: unknown, lane: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => withLane(item, lane));
  if (typeof value !== 'object' || value === null) return value;
  if ('$lane' in value)
    return String(value.$lane)
      .split('.')
      .reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], lane);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withLane(item, lane)]));
}
