import type { FromSchema } from 'json-schema-to-ts';
import { id, SEQ, TIME } from './scalar.ts';

/** What can stand in the log of a run. The list is closed. */
export const EVENT_TYPES = [
  'backend_status',
  'error',
  'terminal_status',
  'user_message',
  'assistant_delta',
  'assistant_message',
  'reasoning',
  'tool_begin',
  'tool_output',
  'tool_end',
  'file_change',
  'usage',
  'approval',
  'retry',
  'warning',
] as const;
/** One of {@link EVENT_TYPES}. */
export type EventType = (typeof EVENT_TYPES)[number];

/** Written by the manager alone; a runner that posts one is refused, and so is the phase `command-terminal`. */
export const MANAGER_EVENT_TYPES = ['terminal_status'] as const satisfies readonly EventType[];
/** Phases of `backend_status` that only the manager writes. */
export const MANAGER_PHASES = ['command-terminal'] as const;

/** What a person reads of a session. */
export const OUTPUT_EVENT_TYPES = [
  'user_message',
  'assistant_delta',
  'assistant_message',
  'tool_begin',
  'tool_output',
  'tool_end',
  'file_change',
  'error',
  'terminal_status',
] as const satisfies readonly EventType[];

/** Dropped, with one warning, when a run has used up its budget of bytes. */
export const DROPPABLE_EVENT_TYPES = [
  'assistant_delta',
  'reasoning',
  'tool_output',
] as const satisfies readonly EventType[];

/** What an event, an append and a run may hold, in bytes of UTF-8 but for the batch. */
export const EVENT_LIMITS = {
  /** One event, payload and all. */
  eventBytes: 256 * 1024,
  /** One append. */
  bodyBytes: 4 * 1024 * 1024,
  /** Events of one append. */
  batch: 500,
  /** A text within a payload: more is cut to its head and its tail, and `truncatedBytes` says how much. */
  textBytes: 64 * 1024,
  /** All events of one run. */
  runBytes: 64 * 1024 * 1024,
} as const;

/** An event, as a runner sends it. */
export const EVENT_INPUT = {
  type: 'object',
  additionalProperties: false,
  required: ['type'],
  properties: {
    type: { type: 'string', enum: EVENT_TYPES, description: 'what happened' },
    payload: { type: 'object', additionalProperties: true, description: 'free members; commandId names the command' },
  },
} as const;
/** An event, as a runner sends it. */
export type EventInput = FromSchema<typeof EVENT_INPUT>;

/** One event, or up to 500 in order. */
export const APPEND_EVENTS = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ...EVENT_INPUT.properties,
    events: { type: 'array', minItems: 1, maxItems: EVENT_LIMITS.batch, items: EVENT_INPUT },
  },
  oneOf: [{ required: ['type'] }, { required: ['events'] }],
} as const;

/** What an append is answered. */
export const APPENDED = {
  type: 'object',
  additionalProperties: false,
  required: ['firstSeq', 'lastSeq', 'count'],
  properties: {
    firstSeq: { ...SEQ, type: ['integer', 'null'], description: 'null when nothing new was stored' },
    lastSeq: SEQ,
    count: { type: 'integer', description: 'events stored by this request' },
    duplicate: { type: 'boolean', const: true, description: 'all of them were known already' },
    dropped: { type: 'integer', description: 'events not stored: the run has used up its budget of bytes' },
  },
} as const;
/** What an append is answered. */
export type Appended = FromSchema<typeof APPENDED>;

/** An event, as it is stored and answered. */
export const RUN_EVENT = {
  type: 'object',
  additionalProperties: false,
  required: ['id', 'runId', 'seq', 'type', 'payload', 'createdAt'],
  properties: {
    id: id('evt'),
    runId: id('run'),
    seq: { ...SEQ, description: 'from 1 for each run, without a hole' },
    type: EVENT_INPUT.properties.type,
    payload: EVENT_INPUT.properties.payload,
    createdAt: TIME,
    late: { type: 'boolean', const: true, description: 'written by a fenced attempt, where the lane permits that' },
    epoch: { type: 'integer', description: 'of a late event: the epoch of the attempt that wrote it' },
  },
} as const;
/** An event, as it is stored and answered. */
export type RunEvent = FromSchema<typeof RUN_EVENT>;
