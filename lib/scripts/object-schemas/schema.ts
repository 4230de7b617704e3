import type { Json } from '../../src/manifests/kubernetes-object.ts';

/** A JSON Schema (2020-12) as plain data. */
export interface Schema {
  [keyword: string]: Json | Schema | Schema[] | { [name: string]: Schema };
}

/** Definitions by name; they refer to each other as `#/$defs/<name>`. */
export type Definitions = Record<string, Schema>;

export const ref = (name: string): Schema => ({ $ref: `#/$defs/${name}` });

/** A closed object. */
export const closed = (properties: Record<string, Schema>, required: readonly string[] = []): Schema => ({
  type: 'object',
  additionalProperties: false,
  ...(required.length === 0 ? {} : { required: [...required] }),
  properties,
});

export const list = (items: Schema, more: Schema = {}): Schema => ({ type: 'array', items, ...more });

export const map = (values: Schema): Schema => ({ type: 'object', additionalProperties: values });

export const oneOfWords = (...words: string[]): Schema => ({ type: 'string', enum: words });

export const TEXT: Schema = { type: 'string' };
export const FLAG: Schema = { type: 'boolean' };

/** The definitions that are reachable from the given names, in order of their names. */
export function reachable(definitions: Definitions, names: readonly string[]): Definitions {
  const found = new Set<string>();
  const visit = (name: string): void => {
    if (found.has(name)) return;
    const definition = definitions[name];
    if (definition === undefined) throw new Error(`no definition "${name}"`);
    found.add(name);
    for (const match of JSON.stringify(definition).matchAll(/"#\/\$defs\/([^"]+)"/g)) visit(match[1] ?? '');
  };
  for (const name of names) visit(name);
  return Object.fromEntries([...found].sort().map((name) => [name, definitions[name] as Schema]));
}
