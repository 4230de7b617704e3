import { WRAPPERS } from './jsii-definitions.ts';
import type { OverlayRow } from './overlay/row.ts';
import type { Definitions, Schema } from './schema.ts';

type Properties = Record<string, Schema>;

/** Adds the constraints of the rows to the definitions, in place. A row that hits nothing, or contradicts, is an error. */
export function applyOverlay(definitions: Definitions, rows: readonly OverlayRow[]): void {
  for (const row of rows) {
    try {
      if (row.definition === '*') constrainNumbers(definitions, row.constraint);
      else {
        const definition = definitions[row.definition];
        if (definition === undefined) throw new Error(`no definition "${row.definition}"`);
        constrain(place(definition, row.property), row.constraint, row.property === '');
      }
    } catch (error) {
      throw new Error(`overlay row "${row.id}": ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }
}

function constrainNumbers(node: unknown, constraint: Schema): void {
  if (typeof node !== 'object' || node === null) return;
  if ((node as Schema)['type'] === 'number') Object.assign(node, constraint);
  for (const child of Object.values(node)) constrainNumbers(child, constraint);
}

/** Follows `a.b[].c{}` from a definition; `{key}` is where the keys of a map are described. */
function place(definition: Schema, path: string): Schema {
  let at = definition;
  for (const step of path === '' ? [] : path.split('.')) {
    const [, name = '', suffix = ''] = /^(\w+)(.*)$/.exec(step) ?? [];
    const properties = (at['properties'] ??= {}) as Properties;
    const known = properties[name];
    if (known === undefined) {
      if (at['$ref'] === undefined) throw new Error(`no property "${name}"`);
      properties[name] = {};
    }
    at = properties[name] as Schema;
    for (const part of suffix.match(/\[\]|\{\}|\{key\}/g) ?? []) {
      const keyword = part === '[]' ? 'items' : part === '{}' ? 'additionalProperties' : 'propertyNames';
      if (part === '{key}') at['propertyNames'] ??= {};
      const next = at[keyword];
      if (typeof next !== 'object' || next === null) throw new Error(`"${step}" has no ${keyword}`);
      at = next as Schema;
    }
  }
  return at;
}

function constrain(target: Schema, constraint: Schema, whole: boolean): void {
  const { required, ...rest } = constraint;
  if (required !== undefined && rest['x-expected'] === undefined) {
    const before = (target['required'] ?? []) as string[];
    target['required'] = [...new Set([...before, ...(required as string[])])].sort();
  } else if (required !== undefined) rest['required'] = required;
  if (Object.keys(rest).length === 0) return;
  // A named form says the type itself, and replaces the form of any quantity or port.
  if (rest['$ref'] !== undefined) {
    delete target['type'];
    const form = target['$ref'];
    if (typeof form === 'string' && WRAPPERS[form.replace('#/$defs/', '')] !== undefined) delete target['$ref'];
  }
  // Rules about a whole object stand apart, each with its own words.
  if (whole && rest['x-expected'] !== undefined) {
    target['allOf'] = [...((target['allOf'] ?? []) as Schema[]), rest];
    return;
  }
  for (const [keyword, value] of Object.entries(rest)) {
    if (keyword === 'properties') {
      const properties = (target['properties'] ??= {}) as Properties;
      for (const [name, schema] of Object.entries(value as Properties)) {
        constrain((properties[name] ??= {}), schema, false);
      }
    } else if (keyword === 'allOf') {
      target['allOf'] = [...((target['allOf'] ?? []) as Schema[]), ...(value as Schema[])];
    } else if (target[keyword] !== undefined && JSON.stringify(target[keyword]) !== JSON.stringify(value)) {
      throw new Error(`"${keyword}" is already ${JSON.stringify(target[keyword])}`);
    } else target[keyword] = value;
  }
}
