import type { FromSchema } from 'json-schema-to-ts';
import { CANCEL_RECEIPTS, FAILURE_KIND, TERMINAL_STATUS } from './run.ts';
import { FREE_OBJECT, id, NULL_TEXT, NULL_TIME, SEQ, TIME } from './scalar.ts';
import { COMMAND_STATES, COMMAND_TYPES } from './states.ts';

/** The text of a prompt, in bytes of UTF-8. */
export const PROMPT_BYTES = 1024 * 1024;

/** What a turn or a steer says to the agent. */
export const COMMAND_PAYLOAD = {
  type: 'object',
  additionalProperties: false,
  required: ['prompt'],
  properties: {
    prompt: { type: 'string', minLength: 1, maxLength: PROMPT_BYTES, pattern: '\\S' },
    attachments: { type: 'array', maxItems: 100, items: FREE_OBJECT },
    metadata: FREE_OBJECT,
  },
} as const;
/** What a turn or a steer says. */
export type CommandPayload = FromSchema<typeof COMMAND_PAYLOAD>;

/** What becomes of a steer whose turn has ended: it is made a turn, or refused. */
export const IF_TURN_ENDED = ['turn', 'reject'] as const;
/** What a send does while a turn runs. */
export const IF_BUSY = ['steer', 'queue', 'reject'] as const;

/** The body that makes a command. */
export const CREATE_COMMAND = {
  type: 'object',
  additionalProperties: false,
  required: ['type', 'payload'],
  properties: {
    type: { type: 'string', enum: COMMAND_TYPES },
    payload: COMMAND_PAYLOAD,
    targetCommandId: {
      ...id('cmd'),
      description: 'of a steer: the turn that it is for; default: the acknowledged one',
    },
    ifTurnEnded: { type: 'string', enum: IF_TURN_ENDED, default: 'reject' },
    idempotencyKey: { type: 'string', minLength: 1, maxLength: 256 },
  },
} as const;
/** The body that makes a command, as its sender writes it. */
export type CreateCommand = FromSchema<typeof CREATE_COMMAND, { keepDefaultedPropertiesOptional: true }>;

/** How a steer ended: the turn that it reached, why it was not applied, the turn that it became. */
export const STEER_DELIVERY = {
  type: ['object', 'null'],
  additionalProperties: false,
  properties: {
    targetCommandId: id('cmd'),
    ifTurnEnded: { type: 'string', enum: IF_TURN_ENDED },
    reason: { type: 'string', enum: ['turn-ended', 'unsupported', 'superseded'] },
    convertedTo: id('cmd'),
  },
} as const;

/** A command, as it is answered. */
export const COMMAND = {
  type: 'object',
  additionalProperties: false,
  required: [
    'id',
    'runId',
    'seq',
    'type',
    'payload',
    'payloadHash',
    'state',
    'terminalStatus',
    'failureKind',
    'failureMessage',
    'threadId',
    'turnId',
    'steerDelivery',
    'cancelRequestedAt',
    'cancelReason',
    'cancelReceipts',
    'diagnosis',
    'createdAt',
    'updatedAt',
    'acknowledgedAt',
  ],
  properties: {
    id: id('cmd'),
    runId: id('run'),
    seq: { ...SEQ, minimum: 1, description: 'from 1 for each run' },
    type: { type: 'string', enum: COMMAND_TYPES },
    payload: COMMAND_PAYLOAD,
    payloadHash: { type: 'string' },
    idempotencyKey: { type: 'string' },
    state: { type: 'string', enum: COMMAND_STATES },
    terminalStatus: TERMINAL_STATUS,
    failureKind: FAILURE_KIND,
    failureMessage: NULL_TEXT,
    threadId: NULL_TEXT,
    turnId: NULL_TEXT,
    steerDelivery: STEER_DELIVERY,
    cancelRequestedAt: NULL_TIME,
    cancelReason: NULL_TEXT,
    cancelReceipts: CANCEL_RECEIPTS,
    diagnosis: { type: ['object', 'null'], additionalProperties: true },
    createdAt: TIME,
    updatedAt: TIME,
    acknowledgedAt: NULL_TIME,
  },
} as const;

/** What a runner gets when it asks for work: nothing changes by asking. */
export const COMMANDS_NEXT = {
  type: 'object',
  additionalProperties: false,
  required: ['items', 'run', 'leaseEpoch', 'serverTime'],
  properties: {
    items: { type: 'array', maxItems: 20, items: COMMAND, description: 'pending, or acknowledged by this attempt' },
    run: {
      type: 'object',
      additionalProperties: false,
      required: ['status', 'cancelRequestedAt', 'cancelCommandIds'],
      properties: {
        status: { type: 'string' },
        cancelRequestedAt: NULL_TIME,
        cancelCommandIds: { type: 'array', items: id('cmd'), description: 'acknowledged turns to interrupt' },
      },
    },
    leaseEpoch: { type: 'integer' },
    serverTime: TIME,
  },
} as const;

/** The longest that `commands/next` waits, in milliseconds. */
export const NEXT_WAIT_MS = 25_000;
