import { isCollection, isMap, isScalar, isSeq, type Pair, type Scalar } from 'yaml';
import type { LanePath } from './lane-path.ts';
import type { TextRange } from './line-index.ts';

/** Which part of a field a position is asked for. */
export type FieldPart = 'key' | 'value';

interface Field {
  readonly key: Scalar | undefined;
  readonly value: unknown;
}

/**
 * The range of a field in the text. A mapping or list is shown by its key. When the field does not stand in the file,
 * the range of the nearest enclosing field that does; of the root, the beginning of the file.
 */
export function rangeOfField(root: unknown, path: LanePath, part: FieldPart = 'value'): TextRange {
  let nearest: TextRange = { start: 0, end: 0 };
  let here: unknown = root;
  for (const [at, step] of path.entries()) {
    const field = fieldOf(here, step);
    if (field === undefined) return nearest;
    const last = at === path.length - 1;
    const key = rangeOfNode(field.key);
    const whole = rangeOfNode(field.value);
    if (last && part === 'value' && whole !== undefined && !isCollection(field.value)) return whole;
    nearest =
      key ??
      (whole === undefined ? nearest : isCollection(field.value) ? { start: whole.start, end: whole.start } : whole);
    here = field.value;
  }
  return nearest;
}

/** The text of a scalar as it is written, without quotes; undefined for anything else. */
export function sourceOfField(root: unknown, path: LanePath): string | undefined {
  let here: unknown = root;
  for (const step of path) here = fieldOf(here, step)?.value;
  return isScalar(here) ? here.source : undefined;
}

function fieldOf(node: unknown, step: string | number): Field | undefined {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => isScalar(key) && key.value === step) as Pair<Scalar> | undefined;
    return pair === undefined ? undefined : { key: pair.key, value: pair.value };
  }
  if (isSeq(node) && typeof step === 'number' && step in node.items) return { key: undefined, value: node.items[step] };
  return undefined;
}

/** Undefined for what takes no room, such as the null of a key with nothing behind it. */
function rangeOfNode(node: unknown): TextRange | undefined {
  const range = isScalar(node) || isCollection(node) ? node.range : undefined;
  return range && range[1] > range[0] ? { start: range[0], end: range[1] } : undefined;
}
