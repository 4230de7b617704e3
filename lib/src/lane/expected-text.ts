import type { FieldSchema } from './lane-schema.ts';

/** What a field takes, in words that follow "must be". */
export function expectedText(schema: FieldSchema): string {
  const types = typesOf(schema);
  const own = expectedWithoutNull(schema, types);
  return types.includes('null') ? `${own}, or null` : own;
}

export function typesOf(schema: FieldSchema): readonly string[] {
  return schema.type === undefined ? [] : typeof schema.type === 'string' ? [schema.type] : schema.type;
}

function expectedWithoutNull(schema: FieldSchema, types: readonly string[]): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) {
    const values = schema.enum.map((value) => JSON.stringify(value));
    return values.length === 1 ? (values[0] ?? '') : `one of ${values.join(', ')}`;
  }
  if (schema['x-expected'] !== undefined) return schema['x-expected'];
  if (types.includes('integer')) return `an integer${limits(schema)}`;
  if (types.includes('number')) return `a number${limits(schema)}`;
  if (types.includes('boolean')) return 'true or false';
  if (types.includes('array')) return (schema.minItems ?? 0) > 0 ? 'a list with at least one item' : 'a list';
  if (types.includes('object')) return mapping(schema);
  return (schema.minLength ?? 0) > 0 ? 'a text that is not empty' : 'a text';
}

function limits({ minimum, maximum }: FieldSchema): string {
  const bounded = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  if (minimum !== undefined && bounded) return ` from ${minimum} to ${maximum}`;
  if (bounded) return ` of at most ${maximum}`;
  return minimum === undefined ? '' : ` of at least ${minimum}`;
}

function mapping(schema: FieldSchema): string {
  const names = schema.required ?? Object.keys(schema.properties ?? {});
  if (names.length > 0) return `a mapping with ${names.map((name) => `"${name}"`).join(', ')}`;
  const least = (schema.minProperties ?? 0) > 0 ? 'a mapping with at least one entry' : 'a mapping';
  return schema.propertyNames?.['x-expected'] === undefined
    ? least
    : `${least}, each key ${schema.propertyNames['x-expected']}`;
}
