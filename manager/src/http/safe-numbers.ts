/** Keywords that hold values, not schemas. */
const VALUES = new Set(['const', 'default', 'enum', 'examples', 'example', 'required', 'type']);
/** Keywords that hold schemas by names that people chose. */
const MAPS = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']);

/**
 * The schema with the limits of exact integers at each `integer`, beyond which parsing has already lost digits, and of
 * finite numbers at each `number`.
 */
export function withSafeNumbers(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withSafeNumbers);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).map(([key, value]): [string, unknown] => {
    if (VALUES.has(key)) return [key, value];
    if (!MAPS.has(key)) return [key, withSafeNumbers(value)];
    return [key, Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withSafeNumbers(each)]))];
  });
  const result: Record<string, unknown> = Object.fromEntries(entries);
  const { type } = result;
  if (type === 'integer' || (Array.isArray(type) && type.includes('integer') && !type.includes('number'))) {
    result['maximum'] ??= Number.MAX_SAFE_INTEGER;
    result['minimum'] ??= Number.MIN_SAFE_INTEGER;
  } else if (type === 'number' || (Array.isArray(type) && type.includes('number'))) {
    result['maximum'] ??= Number.MAX_VALUE;
    result['minimum'] ??= -Number.MAX_VALUE;
  }
  return result;
}
