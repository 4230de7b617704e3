/** What is read of a JSON Schema to make a value of it. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly minLength?: number;
  readonly minItems?: number;
}

/** Names of things that are there, for members and parameters that name one. */
export type Pool = Readonly<Record<string, string>>;

const TEXTS = [
  'word',
  'a'.repeat(40),
  '644',
  `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
  'AAEC',
  'a/b',
  'main',
  'KEY',
  'https://example.internal/v1',
  '2026-01-02T03:04:05.678Z',
];

/** A value that the schema takes, as far as that can be told; `pick` chooses which members are there. */
export function goodValue(schema: Schema, pool: Pool, name: string, pick: (below: number) => number): unknown {
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[pick(schema.enum.length)];
  const union = schema.oneOf ?? schema.anyOf;
  if (union !== undefined && schema.properties === undefined) {
    return goodValue(union[pick(union.length)] ?? {}, pool, name, pick);
  }
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? ['object']);
  switch (types[0]) {
    case 'object':
      return goodObject(schema, pool, pick);
    case 'array':
      return Array.from({ length: Math.max(schema.minItems ?? 0, pick(3)) }, () =>
        goodValue(schema.items ?? {}, pool, name, pick),
      );
    case 'integer':
    case 'number':
      return Math.max(schema.minimum ?? 0, typeof schema.default === 'number' ? schema.default : pick(3));
    case 'boolean':
      return pick(2) === 1;
    case 'null':
      return null;
    default:
      return goodText(schema, pool, name, pick);
  }
}

function goodObject(schema: Schema, pool: Pool, pick: (below: number) => number): Record<string, unknown> {
  const { properties = {}, required = [], oneOf = [] } = schema;
  // Forms that ask for one of several members.
  const form = oneOf[pick(Math.max(1, oneOf.length))]?.required ?? [];
  const others = oneOf.flatMap((each) => each.required ?? []).filter((key) => !form.includes(key));
  const wanted = Object.keys(properties).filter(
    (key) => required.includes(key) || form.includes(key) || (!others.includes(key) && pick(3) === 0),
  );
  return Object.fromEntries(wanted.map((key) => [key, goodValue(properties[key] ?? {}, pool, key, pick)]));
}

function goodText(schema: Schema, pool: Pool, name: string, pick: (below: number) => number): string {
  const known = pool[name];
  if (known !== undefined) return known;
  const fits = (text: string) => schema.pattern === undefined || new RegExp(schema.pattern, 'u').test(text);
  const texts = TEXTS.filter((text) => fits(text) && (schema.format !== 'date-time' || text.endsWith('Z')));
  return texts[pick(Math.max(1, texts.length))] ?? 'word';
}
