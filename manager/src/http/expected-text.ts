/** What messages read of a JSON Schema. */
export interface SchemaPart {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, SchemaPart>>;
  readonly anyOf?: readonly SchemaPart[];
  readonly oneOf?: readonly SchemaPart[];
  readonly description?: string;
  readonly writeOnly?: boolean;
}

/** What `withSafeNumbers` adds says nothing to people. */
const OWN_BOUNDS = new Set([Number.MAX_SAFE_INTEGER, Number.MAX_VALUE]);
const MOST_WORDS = 16;

/** What a schema asks for, as words that stand after "must be". */
export function expectedText(schema: SchemaPart): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) {
    const words = schema.enum.map((word) => JSON.stringify(word));
    return words.length === 1
      ? String(words[0])
      : `one of ${words.slice(0, MOST_WORDS).join(', ')}${words.length > MOST_WORDS ? ', …' : ''}`;
  }
  const union = schema.anyOf ?? schema.oneOf;
  if (schema.type === undefined && union !== undefined) return union.map(expectedText).join(', or ');
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []);
  return types.length === 0
    ? (schema.description ?? 'another value')
    : types.map((type) => ofType(type, schema)).join(' or ');
}

function ofType(type: string, schema: SchemaPart): string {
  switch (type) {
    case 'integer':
    case 'number':
      return `${type === 'integer' ? 'an integer' : 'a number'}${range(schema)}${schema.multipleOf === undefined ? '' : `, a multiple of ${schema.multipleOf}`}`;
    case 'string':
      return `${article(schema)}${size(schema.minLength, schema.maxLength, 'character')}${form(schema)}`;
    case 'array':
      return `a list${size(schema.minItems, schema.maxItems, 'item')}`;
    case 'object':
      return `an object${size(schema.minProperties, schema.maxProperties, 'member')}`;
    case 'boolean':
      return 'true or false';
    default:
      return type;
  }
}

function article({ format }: SchemaPart): string {
  if (format === 'date-time') return 'a time such as "2025-01-31T12:00:00Z"';
  return format === 'uri' ? 'a URL' : 'a string';
}

const form = ({ pattern }: SchemaPart): string => {
  if (pattern === undefined) return '';
  return pattern === '\\S' ? ' that is not blank' : ` that matches ${pattern}`;
};

function range({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: SchemaPart): string {
  const told = (bound: number | undefined) => bound !== undefined && !OWN_BOUNDS.has(Math.abs(bound));
  const bounds = [
    told(minimum) ? `>= ${minimum}` : '',
    exclusiveMinimum === undefined ? '' : `> ${exclusiveMinimum}`,
    told(maximum) ? `<= ${maximum}` : '',
    exclusiveMaximum === undefined ? '' : `< ${exclusiveMaximum}`,
  ].filter((bound) => bound !== '');
  return bounds.length === 0 ? '' : ` ${bounds.join(' and ')}`;
}

function size(least: number | undefined, most: number | undefined, unit: string): string {
  const plural = (count: number) => `${count} ${unit}${count === 1 ? '' : 's'}`;
  if (least !== undefined && most !== undefined)
    return least === most ? ` of ${plural(most)}` : ` of ${least} to ${plural(most)}`;
  if (least !== undefined && least > 0) return ` of at least ${plural(least)}`;
  return most === undefined ? '' : ` of at most ${plural(most)}`;
}
