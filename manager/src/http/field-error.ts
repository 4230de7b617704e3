import type { Redactor } from '@agentrun/lib/contract';
import type { ErrorObject } from 'ajv/dist/2020.js';
import { expectedText, type SchemaPart } from './expected-text.ts';
import { nearestName } from './nearest-name.ts';
import { receivedText } from './received-text.ts';
import { formatPath, pathOfPointer, pointerOf, type ValuePath } from './value-path.ts';

/** One thing that is wrong with a request, as `error.details.errors` lists it. */
export interface FieldError {
  /** As in JavaScript, from `body`, `query`, `params` or `headers`. */
  readonly path: string;
  /** The same place as a JSON pointer within that part. */
  readonly pointer: string;
  readonly message: string;
  /** What was received, shortened and without secrets; null when nothing was. */
  readonly received: string | null;
}

const MOST_NAMES = 12;

/** An error of the validator as a sentence: the place, what is expected there, and what was received. */
export function describeError(root: string, error: ErrorObject, value: unknown, redactor: Redactor): FieldError {
  const path = pathOfPointer(error.instancePath, value);
  const schema = (error.parentSchema ?? {}) as SchemaPart;
  const name = formatPath(root, path);
  const key: unknown = error.propertyName ?? error.params['propertyName'];
  if (typeof key === 'string') return badKey(root, path, key, schema);
  switch (error.keyword) {
    case 'required':
      return missing(root, path, String(error.params['missingProperty']), schema);
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return unknown(root, path, error, schema, redactor);
    case 'uniqueItems': {
      const places = [Number(error.params['i']), Number(error.params['j'])].sort((a, b) => a - b);
      return field(root, path, `${name} holds the same item twice, at ${places.join(' and ')}`, null);
    }
    case 'anyOf':
    case 'oneOf':
      return ofUnion(root, path, error, schema, redactor);
    default: {
      const received = receivedText(error.data, path.at(-1), schema, redactor);
      const given = typeof error.data === 'string' ? error.data : undefined;
      const near =
        Array.isArray(schema.enum) && given !== undefined ? nearestName(given, schema.enum.map(String)) : undefined;
      const lossy = Math.abs(Number(error.params['limit'])) === Number.MAX_SAFE_INTEGER;
      const hint =
        near !== undefined ? `; did you mean ${JSON.stringify(near)}?` : lossy ? '; beyond 2^53 digits are lost' : '';
      return field(root, path, `${name} must be ${expectedText(schema)}, received ${received}${hint}`, received);
    }
  }
}

function field(root: string, path: ValuePath, message: string, received: string | null): FieldError {
  return { path: formatPath(root, path), pointer: pointerOf(path), message, received };
}

function missing(root: string, parent: ValuePath, key: string, schema: SchemaPart): FieldError {
  const path = [...parent, key];
  const wanted = schema.properties?.[key];
  const what = wanted === undefined ? '' : `; it must be ${expectedText(wanted)}`;
  return field(root, path, `${formatPath(root, path)} is missing${what}`, null);
}

function unknown(
  root: string,
  parent: ValuePath,
  error: ErrorObject,
  schema: SchemaPart,
  redactor: Redactor,
): FieldError {
  const key = String(error.params['additionalProperty'] ?? error.params['unevaluatedProperty']);
  const path = [...parent, key.slice(0, 200)];
  const known = Object.keys(schema.properties ?? {});
  const near = nearestName(key, known);
  const names = known.length > MOST_NAMES ? [...known.slice(0, MOST_NAMES), '…'] : known;
  const hint =
    near === undefined ? `known here: ${names.join(', ') || 'nothing'}` : `did you mean ${JSON.stringify(near)}?`;
  const holder = error.data as Record<string, unknown>;
  return field(
    root,
    path,
    `${formatPath(root, path)} is not known; ${hint}`,
    receivedText(holder[key], key, {}, redactor),
  );
}

function ofUnion(
  root: string,
  path: ValuePath,
  error: ErrorObject,
  schema: SchemaPart,
  redactor: Redactor,
): FieldError {
  const forms = (schema.oneOf ?? schema.anyOf ?? []) as readonly SchemaPart[];
  const name = formatPath(root, path);
  if (forms.every((form) => form.required !== undefined && Object.keys(form).length === 1)) {
    const keys = forms.map(({ required = [] }) => required.join(' and '));
    const several = Array.isArray(error.params['passingSchemas']);
    return field(root, path, `${name} needs ${several ? 'only one' : 'one'} of ${keys.join(', ')}`, null);
  }
  const received = receivedText(error.data, path.at(-1), schema, redactor);
  return field(root, path, `${name} must be ${forms.map(expectedText).join(', or ')}, received ${received}`, received);
}

function badKey(root: string, parent: ValuePath, key: string, schema: SchemaPart): FieldError {
  const received = JSON.stringify(key.slice(0, 100));
  const what = schema.pattern === undefined ? 'another text' : expectedText(schema);
  const message = `${formatPath(root, parent)} has a key that must be ${what}, received ${received}`;
  return field(root, [...parent, key.slice(0, 200)], message, received);
}
