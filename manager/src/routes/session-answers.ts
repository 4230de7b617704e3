import {
  COMMAND,
  COMMAND_TYPES,
  id,
  NULL_TEXT,
  NULL_TIME,
  RUN,
  RUN_STATUSES,
  RUNNER_JOB,
  SESSION,
  SESSION_READ_CURSOR,
  SESSION_SUMMARY,
  STORAGE_SUMMARY,
  VALUES_PRINTED,
} from '@agentrun/lib/contract';
import { closed } from './answers.ts';
import { LIVENESS, SUPERVISOR } from './result-answers.ts';

const FLAG = { type: 'boolean' } as const;
const COUNT = { type: 'integer', minimum: 0 } as const;
const SESSION_ID = id('sess');

export const SESSION_SHOWN = {
  ...SESSION_SUMMARY,
  properties: { ...SESSION_SUMMARY.properties, liveness: LIVENESS, supervisor: SUPERVISOR },
} as const;

export const SESSION_MADE = {
  oneOf: [
    closed({
      action: { type: 'string', enum: ['session-created', 'session-storage-recovered'] },
      session: SESSION,
      pvc: STORAGE_SUMMARY,
      valuesPrinted: VALUES_PRINTED,
    }),
    closed({
      action: { const: 'session-exists' },
      session: SESSION,
      pvcName: NULL_TEXT,
      pvcPhase: NULL_TEXT,
      codexRolloutSubdir: { type: 'string' },
      valuesPrinted: VALUES_PRINTED,
    }),
  ],
} as const;

export const STORAGE_DELETED = closed({
  action: { const: 'session-storage-deleted' },
  session: SESSION,
  valuesPrinted: VALUES_PRINTED,
});

export const STORAGE_REFRESHED = closed({
  action: { const: 'session-storage-refreshed' },
  sessionId: SESSION_ID,
  summary: STORAGE_SUMMARY,
  valuesPrinted: VALUES_PRINTED,
});

/** What one sweep of expired sessions did. */
export const SWEPT = closed({
  scanned: COUNT,
  evicted: { type: 'array', items: SESSION_ID },
  skipped: { ...COUNT, description: 'expired, but with an open run' },
  failed: { type: 'array', items: closed({ sessionId: SESSION_ID, message: { type: 'string' } }) },
  purged: { type: 'array', items: { type: 'string' }, description: 'volumes that were deleted for good' },
  couldNotLook: NULL_TEXT,
  valuesPrinted: VALUES_PRINTED,
});

export const CONTROLLED = closed(
  {
    action: { type: 'string', enum: ['read', 'cancel', 'interrupt'] },
    target: closed({ kind: { type: 'string', enum: ['session', 'run', 'command'] }, id: { type: 'string' } }),
    cursor: SESSION_READ_CURSOR,
    run: RUN,
    command: COMMAND,
    valuesPrinted: VALUES_PRINTED,
  },
  { optional: ['cursor', 'run', 'command'] },
);

const DESCRIPTOR = closed(
  {
    action: { type: 'string' },
    operation: { type: 'string' },
    resourceKind: { type: 'string', enum: ['session', 'run', 'command'] },
    resourceName: { type: 'string' },
    runId: NULL_TEXT,
    commandId: NULL_TEXT,
    sessionId: NULL_TEXT,
    afterSeq: COUNT,
    limit: COUNT,
    readerId: { type: 'string' },
    reasonRequired: { const: true },
    inputKind: { type: 'string' },
    valuesPrinted: VALUES_PRINTED,
  },
  { optional: ['afterSeq', 'limit', 'readerId', 'reasonRequired', 'inputKind'] },
);

const DECISION = { type: 'string', enum: COMMAND_TYPES } as const;

const ACTIVE = closed(
  {
    runId: id('run'),
    commandId: id('cmd'),
    commandState: { const: 'acknowledged' },
    runStatus: { type: 'string', enum: RUN_STATUSES },
    leaseExpiresAt: NULL_TIME,
    leaseExpired: { const: false },
    reason: { const: 'active-turn-running' },
    valuesPrinted: VALUES_PRINTED,
  },
  { nullable: true },
);

const REQUEST = {
  method: { const: 'POST' },
  path: { type: 'string' },
  payloadBytes: COUNT,
  valuesPrinted: VALUES_PRINTED,
} as const;

const PLANNED_RUN = closed(
  {
    bodyBytes: COUNT,
    sessionRef: closed({
      sessionId: SESSION_ID,
      conversationId: NULL_TEXT,
      threadId: NULL_TEXT,
      metadataKeys: { type: 'array', items: { type: 'string' } },
      valuesPrinted: VALUES_PRINTED,
    }),
    valuesPrinted: VALUES_PRINTED,
  },
  { nullable: true },
);

const PLAN = {
  action: { const: 'session-send-plan' },
  dryRun: { const: true },
  mutation: { const: false },
  sessionId: SESSION_ID,
  reusedActiveRun: FLAG,
  activeBefore: ACTIVE,
  next: closed({ confirm: DESCRIPTOR, note: { type: 'string' } }),
  valuesPrinted: VALUES_PRINTED,
} as const;

/** What was done with a text, or what would be done with it. */
export const SENT = {
  oneOf: [
    closed({
      action: { const: 'session-send' },
      dryRun: { const: false },
      mutation: { const: true },
      sessionId: SESSION_ID,
      decision: DECISION,
      internalCommandType: DECISION,
      reusedActiveRun: FLAG,
      run: RUN,
      command: COMMAND,
      runnerJob: { ...RUNNER_JOB, type: ['object', 'null'] },
      activeBefore: ACTIVE,
      pollActions: { type: 'array', minItems: 5, maxItems: 5, items: DESCRIPTOR },
      valuesPrinted: VALUES_PRINTED,
    }),
    closed({
      ...PLAN,
      decision: { const: 'steer' },
      internalCommandType: { const: 'steer' },
      request: closed({ ...REQUEST, commandType: { const: 'steer' } }),
    }),
    closed({
      ...PLAN,
      decision: { const: 'turn' },
      internalCommandType: { const: 'turn' },
      request: closed({
        ...REQUEST,
        commandType: { const: 'turn' },
        runBytes: COUNT,
        createRunnerJob: FLAG,
        runnerJobBytes: COUNT,
      }),
      run: PLANNED_RUN,
    }),
  ],
} as const;
