import { ATTEMPT_FILE, type AttemptFile } from '@agentrun/lib/contract';

/** The parts of JSON Schema that the schema of the attempt file uses. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
}

/**
 * Checks the value of `attempt.json`. Members that we do not know are let through: a newer manager may write more.
 *
 * @returns the attempt, or the first fault as a sentence
 */
export function checkAttemptFile(value: unknown): { readonly attempt: AttemptFile } | { readonly fault: string } {
  const fault = faultOf(value, ATTEMPT_FILE, 'attempt.json');
  return fault === null ? { attempt: value as AttemptFile } : { fault };
}

function faultOf(value: unknown, schema: Schema, name: string): string | null {
  const types = schema.type === undefined ? [] : [schema.type].flat();
  if (types.length > 0 && !types.some((type) => isOfType(value, type))) return `${name} must be ${types.join(' or ')}`;
  if (schema.const !== undefined && value !== schema.const) return `${name} must be ${JSON.stringify(schema.const)}`;
  if (schema.enum !== undefined && !schema.enum.includes(value))
    return `${name} must be one of ${schema.enum.join(', ')}`;
  if (typeof value === 'string') {
    const { pattern, minLength = 0, maxLength = Number.POSITIVE_INFINITY } = schema;
    const fits = pattern === undefined || new RegExp(pattern, 'u').test(value);
    return fits && value.length >= minLength && value.length <= maxLength
      ? null
      : `${name} has not the form that it must have`;
  }
  if (typeof value === 'number') {
    const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = schema;
    return value >= minimum && value <= maximum ? null : `${name} must be between ${minimum} and ${maximum}`;
  }
  if (typeof value !== 'object' || value === null) return null;
  const members = value as Readonly<Record<string, unknown>>;
  const missing = schema.required?.find((member) => members[member] === undefined);
  if (missing !== undefined) return `${name} lacks "${missing}"`;
  for (const [member, inner] of Object.entries(schema.properties ?? {})) {
    const fault = members[member] === undefined ? null : faultOf(members[member], inner, `${name}: "${member}"`);
    if (fault !== null) return fault;
  }
  return null;
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'integer':
      return Number.isSafeInteger(value);
    default:
      return typeof value === type;
  }
}
