import { closest } from './did-you-mean.ts';
import { typesOf } from './expected-text.ts';
import type { FieldSchema } from './lane-schema.ts';
import { isSecretPair } from './secret-pair.ts';
import { yamlExample } from './yaml-example.ts';

const TRUE_WORDS = new Set(['true', 'yes', 'on', 'y', '1']);
const FALSE_WORDS = new Set(['false', 'no', 'off', 'n', '0']);

/** The next step for a value that does not fit its field; undefined when the message says it all. */
export function valueHint(
  schema: FieldSchema,
  found: unknown,
  source: string | undefined,
  name: string | number | undefined,
): string | undefined {
  const types = typesOf(schema);
  if (types.includes('string') && (typeof found === 'number' || typeof found === 'boolean')) {
    const text = source ?? String(found);
    const fits = schema.pattern === undefined || new RegExp(schema.pattern).test(text);
    const secret = name !== undefined && isSecretPair(String(name), text);
    if (fits && schema.enum === undefined && schema.const === undefined) {
      return secret ? 'Put it in quotes.' : `Put it in quotes: ${JSON.stringify(text)}`;
    }
  }
  if (typeof found === 'string') {
    const word = found.trim().toLowerCase();
    if (types.includes('boolean') && (TRUE_WORDS.has(word) || FALSE_WORDS.has(word))) {
      return `Write ${TRUE_WORDS.has(word)}, without quotes.`;
    }
    if ((types.includes('integer') || types.includes('number')) && /^-?(?:0|[1-9][0-9]{0,15})$/.test(word)) {
      return `Write ${word}, without quotes.`;
    }
    const allowed = [...(schema.enum ?? []), ...(schema.const === undefined ? [] : [schema.const])].map(String);
    const near = closest(found, allowed);
    if (near !== undefined) return `Did you mean "${near}"?`;
    if (types.includes('array') && found !== '') return 'Write a list, with "- " before each item.';
  }
  const example = schema.examples?.[0];
  return example === undefined ? undefined : `For example: ${yamlExample(example)}`;
}
