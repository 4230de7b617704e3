import { type Definitions, ref, type Schema } from './schema.ts';

/** Keywords whose value is one schema, a list of schemas, or a map of schemas. */
const ONE = ['items', 'additionalProperties', 'propertyNames'];
const MAPS = ['properties'];

/**
 * The definitions, with every subschema that stands at several places moved to a definition of its own. Each is then
 * compiled once, and the compiled code becomes much smaller.
 */
export function shareRepeated(definitions: Definitions): Definitions {
  const counts = new Map<string, number>();
  const count = (schema: Schema): void => {
    const text = JSON.stringify(schema);
    counts.set(text, (counts.get(text) ?? 0) + 1);
    for (const child of children(schema)) count(child);
  };
  for (const definition of Object.values(definitions)) for (const child of children(definition)) count(child);

  const shared: Definitions = {};
  const names = new Map<string, string>();
  const nameOf = (schema: Schema, text: string): string => {
    const known = names.get(text);
    if (known !== undefined) return known;
    const name = `shared${names.size}`;
    names.set(text, name);
    shared[name] = rebuild(schema);
    return name;
  };
  const replace = (schema: Schema): Schema => {
    const text = JSON.stringify(schema);
    const plain = schema['$ref'] !== undefined && Object.keys(schema).length === 1;
    return plain || (counts.get(text) ?? 0) < 2 || text === '{}' ? rebuild(schema) : ref(nameOf(schema, text));
  };
  const rebuild = (schema: Schema): Schema => {
    const copy: Schema = { ...schema };
    for (const keyword of ONE) {
      if (isSchema(schema[keyword])) copy[keyword] = replace(schema[keyword]);
    }
    for (const keyword of MAPS) {
      const map = schema[keyword] as Record<string, Schema> | undefined;
      if (map !== undefined) {
        copy[keyword] = Object.fromEntries(Object.entries(map).map(([name, child]) => [name, replace(child)]));
      }
    }
    return copy;
  };
  const rebuilt = Object.entries(definitions).map(([name, definition]) => [name, rebuild(definition)] as const);
  return { ...Object.fromEntries(rebuilt), ...shared };
}

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function children(schema: Schema): Schema[] {
  const single = ONE.map((keyword) => schema[keyword]).filter(isSchema);
  const maps = MAPS.flatMap((keyword) => Object.values((schema[keyword] ?? {}) as Record<string, Schema>));
  return [...single, ...maps];
}
