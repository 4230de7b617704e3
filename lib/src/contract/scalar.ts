/** Small schemas that every record is made of. */

/** Ids are `<prefix>_` and lower-case letters and digits, sorted by time of creation; sessions may be named by callers. */
export const ID_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$';

/** The schema of an id whose usual prefix is given. */
export function id<const Prefix extends string>(prefix: Prefix) {
  return { type: 'string', pattern: ID_PATTERN, description: `an id, usually ${prefix}_…` } as const;
}

/** A time: ISO 8601, UTC, milliseconds. */
export const TIME = { type: 'string', format: 'date-time', description: 'ISO 8601, UTC, milliseconds' } as const;
/** A time, or null where there is none. */
export const NULL_TIME = {
  type: ['string', 'null'],
  format: 'date-time',
  description: 'ISO 8601, UTC, or null',
} as const;
/** A text, or null where there is none. */
export const NULL_TEXT = { type: ['string', 'null'] } as const;
/** A number in an order; it fits a 32-bit integer. */
export const SEQ = { type: 'integer', minimum: 0, maximum: 2_147_483_647 } as const;
/** A name or a label that a person gives. */
export const NAME = { type: 'string', minLength: 1, maxLength: 256, pattern: '\\S' } as const;
/** A reason or a message that a person reads. */
export const MESSAGE = { type: 'string', minLength: 1, maxLength: 4096, pattern: '\\S' } as const;
/** An object with any members. */
export const FREE_OBJECT = { type: 'object', additionalProperties: true } as const;
/** An object with any members, or null. */
export const NULL_OBJECT = { type: ['object', 'null'], additionalProperties: true } as const;
/** Milliseconds, at most a year. */
export const DURATION_MS = { type: 'integer', minimum: 1, maximum: 31_536_000_000 } as const;
/** Says that an object holds no secret value. */
export const VALUES_PRINTED = {
  type: 'boolean',
  const: false,
  description: 'no secret value stands in this object',
} as const;
