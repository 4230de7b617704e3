import type { FromSchema } from 'json-schema-to-ts';
import { COMMAND_PAYLOAD, IF_BUSY, IF_TURN_ENDED, PROMPT_BYTES } from './command.ts';
import { FAILURE_KIND, TERMINAL_STATUS } from './run.ts';
import { CREATE_RUN, PROFILE_NAME, SESSION_REF } from './run-input.ts';
import { FREE_OBJECT, id, MESSAGE, NAME, NULL_TEXT, NULL_TIME, SEQ, TIME } from './scalar.ts';
import { ATTENTION_STATES, EXECUTION_STATES, STORAGE_KINDS } from './states.ts';

/** A session without an expiry of its own lives this long after its last activity, in milliseconds: 30 days. */
export const SESSION_TTL_MS = 30 * 24 * 3_600_000;

const SUBDIRECTORY = { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' } as const;

/** The body that makes a session. */
export const CREATE_SESSION = {
  type: 'object',
  additionalProperties: false,
  required: ['tenantId', 'projectId'],
  properties: {
    sessionId: { ...id('sess'), description: 'default: made by the manager' },
    tenantId: NAME,
    projectId: NAME,
    backendProfile: { ...PROFILE_NAME, default: 'codex' },
    conversationId: NAME,
    codexRolloutSubdir: { ...SUBDIRECTORY, default: 'sessions' },
    expiresAt: { type: ['string', 'null'], format: 'date-time', description: 'null: never; default: in 30 days' },
    metadata: FREE_OBJECT,
    idempotencyKey: { type: 'string', minLength: 1, maxLength: 256 },
  },
} as const;
/** The body that makes a session, as its sender writes it. */
export type CreateSession = FromSchema<typeof CREATE_SESSION, { keepDefaultedPropertiesOptional: true }>;

/** A session, as it is answered. */
export const SESSION = {
  type: 'object',
  additionalProperties: false,
  required: [
    'sessionId',
    'tenantId',
    'projectId',
    'backendProfile',
    'conversationId',
    'threadId',
    'version',
    'executionState',
    'lastRunId',
    'lastCommandId',
    'activeRunId',
    'activeCommandId',
    'lastEventSeq',
    'terminalStatus',
    'failureKind',
    'title',
    'summary',
    'metadata',
    'lastActivityAt',
    'expiresAt',
    'createdAt',
    'updatedAt',
    'storageKind',
    'storagePvcName',
    'storageNamespace',
    'storageSha256',
    'storagePvcPhase',
    'storageSizeBytes',
    'storageFilesCount',
    'storageUpdatedAt',
    'storageEvictedAt',
    'codexRolloutSubdir',
  ],
  properties: {
    sessionId: id('sess'),
    tenantId: NAME,
    projectId: NAME,
    backendProfile: PROFILE_NAME,
    conversationId: NULL_TEXT,
    threadId: NULL_TEXT,
    version: { type: 'integer', description: 'raised whenever a reader should look again' },
    executionState: { type: 'string', enum: EXECUTION_STATES },
    lastRunId: NULL_TEXT,
    lastCommandId: NULL_TEXT,
    activeRunId: NULL_TEXT,
    activeCommandId: NULL_TEXT,
    lastEventSeq: { ...SEQ, description: 'of lastRunId' },
    terminalStatus: TERMINAL_STATUS,
    failureKind: FAILURE_KIND,
    title: NULL_TEXT,
    summary: FREE_OBJECT,
    metadata: FREE_OBJECT,
    lastActivityAt: NULL_TIME,
    expiresAt: NULL_TIME,
    createdAt: TIME,
    updatedAt: TIME,
    storageKind: { type: 'string', enum: STORAGE_KINDS },
    storagePvcName: NULL_TEXT,
    storageNamespace: NULL_TEXT,
    storageSha256: NULL_TEXT,
    storagePvcPhase: NULL_TEXT,
    storageSizeBytes: { type: ['integer', 'null'] },
    storageFilesCount: { type: ['integer', 'null'] },
    storageUpdatedAt: NULL_TIME,
    storageEvictedAt: NULL_TIME,
    codexRolloutSubdir: SUBDIRECTORY,
  },
} as const;

/** A session as a reader sees it. */
export const SESSION_SUMMARY = {
  ...SESSION,
  required: [...SESSION.required, 'attentionState', 'active', 'unread', 'sessionPath'],
  properties: {
    ...SESSION.properties,
    attentionState: { type: 'string', enum: ATTENTION_STATES },
    active: { type: 'boolean', description: 'a run of it is open' },
    unread: { type: 'boolean', description: 'changed since the reader marked it read' },
    sessionPath: { type: 'string' },
    liveness: FREE_OBJECT,
    supervisor: FREE_OBJECT,
  },
} as const;

/** How far a reader is with a session. */
export const SESSION_READ_CURSOR = {
  type: 'object',
  additionalProperties: false,
  required: ['sessionId', 'readerId', 'sessionVersion', 'readAt'],
  properties: { sessionId: id('sess'), readerId: NAME, sessionVersion: { type: 'integer' }, readAt: TIME },
} as const;

const { idempotencyKey: _key, sessionRef: _ref, ...RUN_OF_SESSION } = CREATE_RUN.properties;

const SEND_RUN = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ...RUN_OF_SESSION,
    sessionRef: { type: ['object', 'null'], additionalProperties: false, properties: SESSION_REF.properties },
  },
} as const;

const SAID = {
  type: 'string',
  maxLength: PROMPT_BYTES,
  description: 'the first of prompt, message and text that is not blank is sent; payload comes before them',
} as const;

/**
 * Sends a text to a session. While a turn runs the text steers it; otherwise it begins a turn, in the open run of the
 * session or in a new one made of `run`. What `run` leaves out is taken from the session.
 */
export const SESSION_SEND = {
  type: 'object',
  additionalProperties: false,
  properties: {
    dryRun: { type: 'boolean', default: false },
    payload: COMMAND_PAYLOAD,
    prompt: SAID,
    message: SAID,
    text: SAID,
    ifBusy: { type: 'string', enum: IF_BUSY, default: 'steer' },
    ifTurnEnded: { type: 'string', enum: IF_TURN_ENDED, default: 'turn' },
    run: SEND_RUN,
    runBase: { ...SEND_RUN, description: 'the former name of run' },
    createRunnerJob: { type: 'boolean', default: true },
    runnerJob: { type: ['object', 'null'], additionalProperties: true },
    commandIdempotencyKey: { type: 'string', minLength: 1, maxLength: 256 },
    idempotencyKey: { type: 'string', minLength: 1, maxLength: 256 },
  },
} as const;
/** The body of a send, as its sender writes it. */
export type SessionSend = FromSchema<typeof SESSION_SEND, { keepDefaultedPropertiesOptional: true }>;

/** The body that marks a session as read. */
export const SESSION_READ = {
  type: 'object',
  additionalProperties: false,
  properties: { readerId: NAME },
} as const;

/** The body that acts on a session. */
export const SESSION_CONTROL = {
  type: 'object',
  additionalProperties: false,
  required: ['action'],
  properties: {
    action: {
      type: 'string',
      enum: ['read', 'cancel', 'interrupt'],
      description: 'interrupt ends the turn, cancel the run',
    },
    readerId: NAME,
    reason: MESSAGE,
  },
} as const;

/** What a runner tells of the volume; what is absent stays as it was. */
export const STORAGE_REFRESH = {
  type: 'object',
  additionalProperties: false,
  required: ['pvcName', 'namespace'],
  properties: {
    pvcName: NAME,
    namespace: NAME,
    pvcPhase: { type: ['string', 'null'], maxLength: 64 },
    storageSha256: { type: ['string', 'null'], maxLength: 128 },
    storageSizeBytes: { type: ['integer', 'null'], minimum: 0, maximum: 9_007_199_254_740_991 },
    storageFilesCount: { type: ['integer', 'null'], minimum: 0, maximum: 2_147_483_647 },
    storageUpdatedAt: { type: 'string', format: 'date-time' },
    codexRolloutSubdir: SUBDIRECTORY,
  },
} as const;

/** What is known of the volume of a session. */
export const STORAGE_SUMMARY = {
  type: 'object',
  additionalProperties: false,
  required: [
    'pvcName',
    'namespace',
    'pvcPhase',
    'storageSizeBytes',
    'storageFilesCount',
    'storageSha256',
    'storageUpdatedAt',
    'codexRolloutSubdir',
    'valuesPrinted',
  ],
  properties: {
    pvcName: NULL_TEXT,
    namespace: NULL_TEXT,
    pvcPhase: NULL_TEXT,
    storageSizeBytes: { type: ['integer', 'null'] },
    storageFilesCount: { type: ['integer', 'null'] },
    storageSha256: NULL_TEXT,
    storageUpdatedAt: NULL_TIME,
    codexRolloutSubdir: SUBDIRECTORY,
    valuesPrinted: { type: 'boolean', const: false },
  },
} as const;
