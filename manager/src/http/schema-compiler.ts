import type { Redactor } from '@agentrun/lib/contract';
import { Ajv2020, type AnySchemaObject, type ErrorObject, type Options, type ValidateFunction } from 'ajv/dist/2020.js';
import type { FastifySchemaCompiler } from 'fastify';
import type { Failure } from '../failure.ts';
import { FORMATS } from './formats.ts';
import { withSafeNumbers } from './safe-numbers.ts';
import { schemaFailure } from './schema-failure.ts';

type Part = 'body' | 'querystring' | 'params' | 'headers';
type Checked = { readonly value: unknown } | { readonly error: Failure };

/** All errors are looked for only in values of at most so many members: a large wrong body must not become millions. */
const MOST_MEMBERS = 5_000;

const COMMON: Options = {
  strict: true,
  // Forms of a union name members that stand beside the union.
  strictRequired: false,
  allowUnionTypes: true,
  verbose: true,
  discriminator: true,
  formats: FORMATS,
  keywords: ['x-defaults'],
};

/**
 * The validators of routes, for JSON Schema draft 2020-12.
 *
 * A body is taken as it is: nothing is converted, filled in or removed. An absent body counts as `{}` where the schema
 * permits that. Queries, params and headers are texts and are converted; an empty parameter counts as absent, defaults
 * are filled in, and what does not convert is refused. An integer is one that a number holds exactly.
 */
export function schemaCompiler(redactor: Redactor): FastifySchemaCompiler<unknown> {
  const asItIs = { first: new Ajv2020(COMMON), all: new Ajv2020({ ...COMMON, allErrors: true }) };
  // Converting makes "1e999" infinite, which the limits of safe numbers refuse only when they are asked.
  const converting = { ...COMMON, coerceTypes: true, useDefaults: true, strictNumbers: false };
  const converted = { first: new Ajv2020(converting), all: new Ajv2020({ ...converting, allErrors: true }) };
  return ({ schema, httpPart }) => {
    const part = (httpPart ?? 'body') as Part;
    const exact = withSafeNumbers(part === 'headers' ? lowerCaseNames(schema) : schema) as AnySchemaObject;
    const { first, all } = part === 'body' ? asItIs : converted;
    const check = first.compile(exact);
    let checkAll: ValidateFunction | undefined;
    const errorsOf = (value: unknown): readonly ErrorObject[] => {
      const found = check.errors ?? [];
      if (countMembers(value, MOST_MEMBERS) > MOST_MEMBERS) return found;
      checkAll ??= all.compile(exact);
      return checkAll(value) ? found : (checkAll.errors ?? found);
    };
    return (given: unknown): Checked => {
      const value = part === 'body' ? (given ?? {}) : withoutEmpty(given);
      if (check(value)) return { value };
      const absent = part === 'body' && given === null;
      return { error: schemaFailure(errorsOf(value), { part, value, absent, redactor }) };
    };
  };
}

/** A copy: node and fastify keep using the headers and params that were given. */
function withoutEmpty(given: unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== ''));
}

/** Names of headers arrive in lower case. */
function lowerCaseNames(schema: unknown): unknown {
  const { properties, required, ...rest } = schema as {
    properties?: Record<string, unknown>;
    required?: readonly string[];
  };
  return {
    ...rest,
    properties: Object.fromEntries(Object.entries(properties ?? {}).map(([name, each]) => [name.toLowerCase(), each])),
    ...(required === undefined ? {} : { required: required.map((name) => name.toLowerCase()) }),
  };
}

function countMembers(value: unknown, enough: number): number {
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  for (const item of Object.values(value)) {
    count += 1 + countMembers(item, enough - count);
    if (count > enough) break;
  }
  return count;
}
