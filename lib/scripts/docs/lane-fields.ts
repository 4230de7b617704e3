import { expectedText, typesOf } from '../../src/lane/expected-text.ts';
import type { FieldSchema } from '../../src/lane/lane-schema.ts';
import { laneSchema } from '../../src/lane/schema/index.ts';

/** What the reference reads of a lane field's schema. */
interface DocumentedSchema extends FieldSchema {
  readonly description?: string;
  readonly default?: unknown;
  readonly uniqueItems?: boolean;
  readonly properties?: Readonly<Record<string, DocumentedSchema>>;
  readonly additionalProperties?: boolean | DocumentedSchema;
  readonly items?: DocumentedSchema;
  readonly then?: { readonly required?: readonly string[] };
}

/** One field of a lane, in words. */
export interface LaneField {
  /** Dotted; `[]` stands for the items of a list, `<NAME>` and the like for the keys of a free map. */
  readonly path: string;
  /** For example `integer` or `text or null`. */
  readonly type: string;
  /** `required`, `required when …`, `optional`, or `default …`. */
  readonly need: string;
  /** What the value must be; empty where any of its type is right. */
  readonly rule: string;
  readonly description: string;
  /** JSON; absent for mappings whose fields have their own. */
  readonly example?: string;
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'integer',
  number: 'number',
  boolean: 'true or false',
  array: 'list',
  object: 'mapping',
  null: 'null',
};

/** How the keys of the free maps are called, and what an entry is where the schema does not say it. */
const ENTRIES: Readonly<Record<string, readonly [key: string, meaning: string]>> = {
  'deployment.manager.env': ['.<NAME>', 'Value of the variable.'],
  'deployment.manager.secretEnv': ['.<NAME>', ''],
  'deployment.manager.resources.requests': ['.<resource>', 'Amount of `cpu`, `memory` or another resource.'],
  'deployment.manager.resources.limits': ['.<resource>', 'Amount of `cpu`, `memory` or another resource.'],
  'deployment.runner.retention.selectors.matchLabels': ['["<label>"]', 'Value of the label.'],
};

/** Every field of the lane schema, mappings and list items included, in the order of the schema. */
export function laneFields(): LaneField[] {
  return fieldsBelow(laneSchema as DocumentedSchema, '');
}

function fieldsBelow(parent: DocumentedSchema, path: string): LaneField[] {
  const fields = Object.entries(parent.properties ?? {}).flatMap(([name, schema]) => {
    const below = path === '' ? name : `${path}.${name}`;
    return fieldAndBelow(schema, below, needOf(parent, name, schema));
  });
  if (typeof parent.additionalProperties === 'object') {
    const [key, meaning] = ENTRIES[path] ?? ['', ''];
    if (key === '') throw new Error(`the keys of ${path} have no name`);
    const entry = { description: meaning, ...parent.additionalProperties };
    fields.push(...fieldAndBelow(entry, path + key, 'as many as you like'));
  }
  if (parent.items !== undefined) fields.push(...fieldAndBelow(parent.items, `${path}[]`, 'as many as you like'));
  return fields;
}

function fieldAndBelow(schema: DocumentedSchema, path: string, need: string): LaneField[] {
  const hasOwnExamples = Object.keys(schema.properties ?? {}).length > 0 && !typesOf(schema).includes('null');
  const example = hasOwnExamples ? undefined : schema.examples?.[0];
  return [
    {
      path,
      type: typesOf(schema)
        .map((type) => TYPE_WORDS[type] ?? type)
        .join(' or '),
      need,
      rule: ruleOf(schema),
      description: schema.description ?? '',
      ...(example === undefined ? {} : { example: JSON.stringify(example) }),
    },
    ...fieldsBelow(schema, path),
  ];
}

function needOf(parent: DocumentedSchema, name: string, schema: DocumentedSchema): string {
  if (parent.required?.includes(name)) return 'required';
  if (parent.then?.required?.includes(name)) return 'required when `enabled` is true';
  return schema.default === undefined ? 'optional' : `default \`${JSON.stringify(schema.default)}\``;
}

function ruleOf(schema: DocumentedSchema): string {
  const types = typesOf(schema);
  const parts: string[] = [];
  if (!types.includes('object')) {
    const words = expectedText(schema).replace(/, or null$/, '');
    if (!['a text', 'true or false', 'an integer', 'a list'].includes(words)) parts.push(words);
    const length = schema.maxLength;
    if (length !== undefined && !words.includes(`at most ${length}`)) parts.push(`at most ${length} characters`);
    if (schema.uniqueItems) parts.push('no item twice');
  }
  if ((schema.minProperties ?? 0) > 0) parts.push('at least one entry');
  const keys = schema.propertyNames?.['x-expected'];
  if (keys !== undefined) parts.push(`each key ${keys}`);
  // Outside code, "<" could begin a tag.
  return parts.join('; ').replaceAll('<', '\\<');
}
