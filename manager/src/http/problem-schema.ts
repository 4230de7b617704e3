import { FAILURE_KIND_NAMES } from '@agentrun/lib/contract';

const KIND = { type: 'string', enum: FAILURE_KIND_NAMES } as const;

/** The shape of a problem, for the OpenAPI document. */
export const PROBLEM_SCHEMA = {
  type: 'object',
  required: [
    'type',
    'title',
    'status',
    'detail',
    'instance',
    'ok',
    'failureKind',
    'message',
    'traceId',
    'retryable',
    'nextStep',
    'error',
  ],
  properties: {
    type: { type: 'string', description: 'urn:agentrun:failure:<failureKind>' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    instance: { type: 'string', description: 'the path that was asked for' },
    ok: { const: false },
    failureKind: KIND,
    message: { type: 'string' },
    traceId: { type: 'string', pattern: '^trc_[0-9a-f]{32}$' },
    retryable: { type: 'boolean', description: 'the same request can succeed later' },
    nextStep: { type: 'string' },
    error: {
      type: 'object',
      required: ['failureKind', 'message', 'httpStatus', 'details'],
      properties: {
        failureKind: KIND,
        message: { type: 'string' },
        httpStatus: { type: 'integer' },
        details: {
          type: 'object',
          description: 'facts of the kind; of schema-invalid: part, and errors with path, pointer, message, received',
          additionalProperties: true,
        },
      },
    },
  },
} as const;
