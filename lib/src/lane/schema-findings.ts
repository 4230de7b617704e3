import type { ErrorCode } from '../errors.ts';
import { closest } from './did-you-mean.ts';
import { expectedText } from './expected-text.ts';
import type { LaneFinding } from './finding.ts';
import { foundText } from './found-text.ts';
import { formatLanePath, type LanePath, pathOfPointer, valueAt } from './lane-path.ts';
import { type FieldSchema, fieldNames, homesOfField, schemaAt, schemaOfPointer } from './lane-schema.ts';
import { valueHint } from './value-hint.ts';
import { yamlExample } from './yaml-example.ts';

/** One error of the precompiled validator. */
export interface SchemaError {
  readonly instancePath: string;
  readonly schemaPath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly propertyName?: string;
}

/** What the person wrote for a scalar, without quotes; undefined when that is not known. */
export type SourceOf = (path: LanePath) => string | undefined;

/** The most telling keyword stands first: of several errors about one value, one is reported. */
const CODE_OF_KEYWORD: Readonly<Record<string, ErrorCode>> = {
  type: 'lane-type',
  const: 'lane-value',
  enum: 'lane-value',
  pattern: 'lane-format',
  maxLength: 'lane-format',
  minLength: 'lane-format',
  minimum: 'lane-range',
  maximum: 'lane-range',
  exclusiveMinimum: 'lane-range',
  minItems: 'lane-list',
  minProperties: 'lane-list',
};
const RANK = Object.keys(CODE_OF_KEYWORD);

export interface SchemaFindings {
  readonly findings: readonly LaneFinding[];
  /** Every place that does not fit, also those that no finding speaks of because another one does. */
  readonly invalid: readonly LanePath[];
}

/** The errors of the validator as findings: one for each place, in sentences. */
export function schemaFindings(value: unknown, errors: readonly SchemaError[], sourceOf: SourceOf): SchemaFindings {
  const findings: LaneFinding[] = [];
  const invalid: LanePath[] = [];
  const ofValue = new Map<string, SchemaError>();
  const corrected = new Set<string>();
  for (const error of errors) {
    const path = pathOfPointer(error.instancePath, value);
    if (error.keyword === 'additionalProperties') {
      const { finding, meant } = unknownField(value, path, String(error.params['additionalProperty']));
      findings.push(finding);
      if (meant !== undefined) corrected.add(formatLanePath([...path, meant]));
    } else if (error.keyword === 'uniqueItems') findings.push(...repeatedItems(value, path));
    else if (error.propertyName !== undefined) findings.push(badKey(path, error));
    else if (CODE_OF_KEYWORD[error.keyword] !== undefined) {
      const known = ofValue.get(error.instancePath);
      if (known === undefined || RANK.indexOf(error.keyword) < RANK.indexOf(known.keyword)) {
        ofValue.set(error.instancePath, error);
      }
    }
  }
  for (const error of errors) {
    if (error.keyword !== 'required') continue;
    const path = [...pathOfPointer(error.instancePath, value), String(error.params['missingProperty'])];
    invalid.push(path);
    // The misspelt field has been reported, with this name as the one that is meant.
    if (!corrected.has(formatLanePath(path))) findings.push(missingField(path, error.schemaPath.includes('/then/')));
  }
  for (const error of ofValue.values()) findings.push(badValue(value, error, sourceOf));
  invalid.push(...findings.map(({ path }) => path));
  return { findings: distinct(findings), invalid };
}

function badValue(value: unknown, error: SchemaError, sourceOf: SourceOf): LaneFinding {
  const path = pathOfPointer(error.instancePath, value);
  const found = valueAt(value, path);
  const name = formatLanePath(path);
  const code = CODE_OF_KEYWORD[error.keyword] ?? 'lane-value';
  const field = schemaAt(path) ?? {};
  if (error.schemaPath.includes('/then/') && found === null) {
    const example = field.examples?.[0];
    return {
      code: 'lane-missing-field',
      message: `${name} is needed, because ${formatLanePath([...path.slice(0, -1), 'enabled'])} is true; found null`,
      ...(example === undefined ? {} : { hint: `For example: ${path.at(-1)}: ${yamlExample(example)}` }),
      path,
    };
  }
  const schema = error.schemaPath.includes('/then/') ? field : schemaOfPointer(parentPointer(error.schemaPath));
  const hint = valueHint(schema, found, sourceOf(path), path.at(-1));
  return {
    code,
    message: `${name} must be ${expected(schema, error)}, found ${foundAsWritten(found, sourceOf(path), path.at(-1))}`,
    ...(hint === undefined ? {} : { hint }),
    path,
  };
}

/** Numbers as they were written: reading them may have lost digits. */
function foundAsWritten(found: unknown, source: string | undefined, name: string | number | undefined): string {
  if (found === null && source === '') return 'nothing';
  const shown = foundText(found, name);
  if (source === undefined || (typeof found === 'object' && found !== null)) return shown;
  return shown === String(found) ? source.slice(0, 40) : shown;
}

function expected(schema: FieldSchema, error: SchemaError): string {
  if (error.keyword === 'maxLength') return `at most ${schema.maxLength} characters long`;
  if (error.keyword === 'maximum' && schema.maximum === Number.MAX_SAFE_INTEGER)
    return `an integer of at most ${schema.maximum}`;
  return expectedText(schema);
}

function unknownField(
  value: unknown,
  parent: LanePath,
  key: string,
): { finding: LaneFinding; meant: string | undefined } {
  const names = fieldNames(schemaAt(parent));
  const holder = valueAt(value, parent) as object;
  const homes = homesOfField(key);
  const near = homes.length > 0 ? undefined : closest(key, names);
  const exactButCase = names.find((name) => name.toLowerCase() === key.toLowerCase());
  const meant = exactButCase ?? near;
  const where = parent.length === 0 ? 'a lane' : formatLanePath(parent);
  const hint =
    meant !== undefined
      ? `Did you mean "${meant}"?`
      : homes.length > 0
        ? `A field of this name belongs in ${homes.slice(0, 3).join(' or ')}.`
        : `Allowed here: ${names.join(', ')}.`;
  return {
    finding: {
      code: 'lane-unknown-field',
      message: `${formatLanePath([...parent, key])} is not known: ${where} has no field ${foundText(key, undefined)}`,
      hint,
      path: [...parent, key],
      at: 'key',
    },
    // When both stand there, the missing one is not missing.
    meant: meant !== undefined && !Object.hasOwn(holder, meant) ? meant : undefined,
  };
}

function missingField(path: LanePath, becauseEnabled: boolean): LaneFinding {
  const schema = schemaAt(path);
  const example = schema?.examples?.[0];
  const name = formatLanePath(path);
  return {
    code: 'lane-missing-field',
    message: becauseEnabled
      ? `${name} is missing; it is needed, because ${formatLanePath([...path.slice(0, -1), 'enabled'])} is true`
      : `${name} is missing${schema === undefined ? '' : `; it must be ${expectedText(schema)}`}`,
    ...(example === undefined ? {} : { hint: `add: ${String(path.at(-1))}: ${yamlExample(example)}` }),
    path,
    at: 'parent',
  };
}

function badKey(parent: LanePath, error: SchemaError): LaneFinding {
  const key = error.propertyName ?? '';
  const schema = schemaOfPointer(parentPointer(error.schemaPath));
  return {
    code: 'lane-key',
    message: `a key of ${formatLanePath(parent)} must be ${schema['x-expected'] ?? expectedText(schema)}, found ${foundText(key, undefined)}`,
    path: [...parent, key],
    at: 'key',
  };
}

function repeatedItems(value: unknown, path: LanePath): LaneFinding[] {
  const items = valueAt(value, path);
  if (!Array.isArray(items)) return [];
  const first = new Map<string, number>();
  const findings: LaneFinding[] = [];
  for (const [index, item] of items.entries()) {
    const text = JSON.stringify(item);
    const earlier = first.get(text);
    if (earlier === undefined) first.set(text, index);
    else {
      findings.push({
        code: 'lane-list',
        message: `${formatLanePath([...path, index])} repeats ${formatLanePath([...path, earlier])}: ${foundText(item, undefined)}`,
        hint: 'Keep one of the two items.',
        path: [...path, index],
      });
    }
  }
  return findings;
}

function parentPointer(pointer: string): string {
  return pointer.slice(0, pointer.lastIndexOf('/'));
}

function distinct(findings: readonly LaneFinding[]): LaneFinding[] {
  const seen = new Set<string>();
  return findings.filter(({ code, path }) => {
    const id = `${code} ${formatLanePath(path)}`;
    if (seen.has(id)) return false;
    seen.add(id);
    return true;
  });
}
