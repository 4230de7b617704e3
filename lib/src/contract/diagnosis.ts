import type { FromSchema } from 'json-schema-to-ts';
import { NULL_TEXT } from './scalar.ts';

/** A place where something does not hold that always must. */
export const VIOLATION = {
  type: 'object',
  additionalProperties: false,
  required: ['rule', 'runId', 'sessionId', 'message'],
  properties: { rule: { type: 'string' }, runId: NULL_TEXT, sessionId: NULL_TEXT, message: { type: 'string' } },
} as const;
/** A place where something does not hold that always must. */
export type Violation = FromSchema<typeof VIOLATION>;

/** What must always hold, and where it does not. */
export const DIAGNOSIS = {
  type: 'object',
  additionalProperties: false,
  required: ['ok', 'rules', 'violations', 'count'],
  properties: {
    ok: { type: 'boolean' },
    rules: { type: 'array', items: { type: 'string' } },
    violations: { type: 'array', items: VIOLATION },
    count: { type: 'integer', minimum: 0 },
  },
} as const;
/** What must always hold, and where it does not. */
export type Diagnosis = FromSchema<typeof DIAGNOSIS>;
