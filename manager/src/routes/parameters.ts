import { ID_PATTERN } from '@agentrun/lib/contract';

/** Parameters that several routes share. */
const ID = { type: 'string', pattern: ID_PATTERN } as const;

export const RUN_PARAMS = {
  type: 'object',
  additionalProperties: false,
  required: ['runId'],
  properties: { runId: ID },
} as const;
export const COMMAND_PARAMS = {
  type: 'object',
  additionalProperties: false,
  required: ['commandId'],
  properties: { commandId: ID },
} as const;
export const RUN_COMMAND_PARAMS = {
  type: 'object',
  additionalProperties: false,
  required: ['runId', 'commandId'],
  properties: { runId: ID, commandId: ID },
} as const;
export const RUNNER_JOB_PARAMS = {
  type: 'object',
  additionalProperties: false,
  required: ['runId', 'runnerJobId'],
  properties: { runId: ID, runnerJobId: ID },
} as const;
export const SESSION_PARAMS = {
  type: 'object',
  additionalProperties: false,
  required: ['sessionId'],
  properties: { sessionId: ID },
} as const;

/** The header that makes a creating request safe to repeat. */
export const KEY_HEADERS = {
  type: 'object',
  properties: { 'idempotency-key': { type: 'string', minLength: 1, maxLength: 256, pattern: '^[\\x20-\\x7e]+$' } },
} as const;

export function limit(most: number, usual: number) {
  return { type: 'integer', minimum: 1, maximum: most, default: usual } as const;
}
export const AFTER_SEQ = { type: 'integer', minimum: 0, maximum: 2_147_483_647, default: 0 } as const;
export const CURSOR = {
  type: 'string',
  minLength: 1,
  maxLength: 1024,
  description: 'where the page before ended',
} as const;
export const QUERY_ID = ID;
export const LABEL = { type: 'string', minLength: 1, maxLength: 256, pattern: '^[^\\u0000]+$' } as const;

/** The idempotency key of a request's header. */
export function keyHeader(headers: Readonly<Record<string, unknown>>): string | undefined {
  const value = headers['idempotency-key'];
  return typeof value === 'string' ? value : undefined;
}

/** Where the key of a request counts that makes something which belongs to no other object. */
export function keyScope(route: string, body: { readonly tenantId: string; readonly projectId: string }): string {
  return `${route} ${JSON.stringify([body.tenantId, body.projectId])}`;
}
