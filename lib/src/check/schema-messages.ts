import { printable } from '../lane/characters.ts';
import { closest } from '../lane/did-you-mean.ts';
import { expectedText } from '../lane/expected-text.ts';
import type { FieldSchema } from '../lane/lane-schema.ts';
import { anyText, pointerSegment } from './json-view.ts';
import type { Mask, SchemaFinding } from './schema-finding.ts';

/** The part of a schema that refused something. */
export type RefusingSchema = FieldSchema;

const FEW = 16;
const LONGEST = 80;

export function unknownField(
  parent: string,
  key: string,
  schema: RefusingSchema,
  mask: Mask,
): { finding: SchemaFinding; meant: string | undefined } {
  const names = Object.keys(schema.properties ?? {});
  const meant = names.find((name) => name.toLowerCase() === key.toLowerCase()) ?? closest(key, names);
  const pointer = `${parent}/${pointerSegment(key)}`;
  const allowed = names.length <= FEW ? `; allowed here: ${names.join(', ')}` : '';
  const suggestion = meant === undefined ? '' : `, did you mean "${meant}"?`;
  return {
    finding: {
      code: 'output-schema',
      pointer,
      message: `${placeText(pointer, mask)} is an unknown field${suggestion}${allowed}`,
      ...(meant === undefined ? {} : { hint: `Rename it to "${meant}".` }),
    },
    meant,
  };
}

export function missingField(parent: string, field: string, because: unknown, mask: Mask): SchemaFinding {
  const reason = typeof because === 'string' ? `; "${because}" needs it` : '';
  return {
    code: 'output-schema',
    pointer: parent,
    message: `${placeText(`${parent}/${pointerSegment(field)}`, mask)} is missing${reason}`,
  };
}

export function badValue(
  pointer: string,
  found: unknown,
  isKey: boolean,
  schema: RefusingSchema,
  mask: Mask,
): SchemaFinding {
  const place = isKey
    ? `the key ${quoted(anyText(found), mask)} of ${placeText(parentOf(pointer), mask)}`
    : placeText(pointer, mask);
  const meant = typeof found === 'string' ? closest(found, words(schema)) : undefined;
  return {
    code: 'output-schema',
    pointer,
    message: `${place} must be ${expectedText(schema)}${isKey ? '' : `, found ${foundText(found, mask)}`}`,
    ...(meant === undefined ? {} : { hint: `Did you mean "${meant}"?` }),
  };
}

export function wrongShape(
  pointer: string,
  fields: readonly string[],
  schema: RefusingSchema,
  mask: Mask,
): SchemaFinding {
  const found = fields.length === 0 ? 'nothing' : printable(fields.map(mask).join(', '));
  const expected = schema['x-expected'] ?? 'another number of fields';
  return {
    code: 'output-schema',
    pointer,
    message: `${placeText(pointer, mask)} takes ${expected}; found ${found}`,
  };
}

export function repeatedItem(pointer: string, one: number, other: number, data: unknown, mask: Mask): SchemaFinding {
  const [first, second] = one < other ? [one, other] : [other, one];
  const value = Array.isArray(data) ? `: ${foundText(data[second], mask)}` : '';
  return {
    code: 'output-schema',
    pointer: `${pointer}/${second}`,
    message: `${placeText(`${pointer}/${second}`, mask)} repeats the item ${first}${value}`,
  };
}

const parentOf = (pointer: string): string => pointer.slice(0, pointer.lastIndexOf('/'));

const words = (schema: RefusingSchema): string[] =>
  [...(schema.enum ?? []), schema.const].filter((word): word is string => typeof word === 'string');

/** `/spec/template/metadata/labels/a~1b` as `spec.template.metadata.labels["a/b"]`. */
function placeText(pointer: string, mask: Mask): string {
  if (pointer === '') return 'the object';
  let text = '';
  for (const segment of pointer.split('/').slice(1)) {
    const key = segment.replaceAll('~1', '/').replaceAll('~0', '~');
    if (/^(0|[1-9][0-9]*)$/.test(key)) text += `[${key}]`;
    else if (/^[A-Za-z_][A-Za-z0-9_-]*$/.test(key)) text += `${text === '' ? '' : '.'}${mask(key)}`;
    else text += `[${quoted(key, mask)}]`;
  }
  return text;
}

/** Masked before it is cut: half a secret is one, too. */
function quoted(text: string, mask: Mask): string {
  const points = Array.from(printable(JSON.stringify(mask(text))));
  return points.length > LONGEST
    ? `${points.slice(0, LONGEST).join('')}…" (${text.length} characters)`
    : points.join('');
}

function foundText(value: unknown, mask: Mask): string {
  if (typeof value === 'string') return quoted(value, mask);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object' && value !== null)
    return Object.keys(value).length === 0 ? 'an empty mapping' : 'a mapping';
  return mask(String(value));
}
