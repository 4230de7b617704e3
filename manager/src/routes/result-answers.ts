import {
  COMMAND_STATES,
  FAILURE_KIND,
  FAILURE_KIND_NAMES,
  id,
  NULL_OBJECT,
  NULL_TEXT,
  NULL_TIME,
  RUN_STATUSES,
  SEQ,
  STEER_DELIVERY,
  TERMINAL_STATUS,
  TIME,
  VALUES_PRINTED,
} from '@agentrun/lib/contract';
import { PHASES } from '../services/liveness.ts';
import { closed } from './answers.ts';

/** The shapes of what is told of a run that goes on or has ended. Durations are milliseconds. */
const MS = { type: 'integer', minimum: 0 } as const;
const NULL_MS = { type: ['integer', 'null'], minimum: 0 } as const;
const NULL_SEQ = { ...SEQ, type: ['integer', 'null'] } as const;
const FLAG = { type: 'boolean' } as const;

const PHASE = { type: 'string', enum: PHASES } as const;

const ACTIVITY = closed(
  {
    sourceSeq: SEQ,
    eventId: id('evt'),
    activityKind: { type: 'string', enum: ['manager', 'runner'] },
    type: { type: 'string' },
    status: NULL_TEXT,
    toolName: NULL_TEXT,
    itemId: NULL_TEXT,
    ageMs: MS,
    summary: { ...NULL_TEXT, maxLength: 180 },
    valuesPrinted: VALUES_PRINTED,
  },
  { nullable: true },
);

const TIMEOUT_BUDGET = closed(
  {
    state: { type: 'string', enum: ['running', 'exceeded'] },
    timeoutKind: { type: 'string', enum: ['run', 'turn', 'idle'] },
    timeoutMs: MS,
    elapsedMs: MS,
    remainingMs: MS,
    idleElapsedMs: MS,
    startedAt: TIME,
    idleStartedAt: TIME,
    lastActivityAt: TIME,
    lastActivitySeq: NULL_SEQ,
    commandElapsedMs: MS,
    runElapsedMs: MS,
    source: { const: 'executionPolicy' },
    valuesPrinted: VALUES_PRINTED,
  },
  { nullable: true },
);

const CLASSIFICATION = closed(
  {
    category: {
      type: 'string',
      enum: ['success', 'agent-error', 'provider', 'auth', 'quota', 'timeout', 'cancelled', 'infra', 'unknown'],
    },
    confidence: { type: 'string', enum: ['high', 'low'] },
    providerEvidence: FAILURE_KIND,
    providerInterruption: FLAG,
    providerInterruptionKnown: FLAG,
    providerInterruptionReason: { ...NULL_TEXT, maxLength: 240 },
    retryInterruptionObserved: FLAG,
    retryInterruptionSeq: NULL_SEQ,
    retryInterruptionKind: NULL_TEXT,
    hardTimeout: FLAG,
    idleTimeout: FLAG,
    timeoutKind: { type: ['string', 'null'], enum: ['run', 'turn', 'idle', null] },
    transportDisconnectObserved: FLAG,
    transportDisconnectSeq: NULL_SEQ,
    reason: { ...NULL_TEXT, maxLength: 240 },
    valuesPrinted: VALUES_PRINTED,
  },
  { nullable: true },
);

const LEASE = closed(
  {
    claimedBy: id('runner'),
    leaseEpoch: { type: 'integer', minimum: 1 },
    leaseExpiresAt: TIME,
    leaseExpired: FLAG,
    leaseRemainingMs: MS,
    valuesPrinted: VALUES_PRINTED,
  },
  { nullable: true },
);

const RECOVERY_ACTIONS = {
  type: 'array',
  maxItems: 5,
  items: closed({
    action: { type: 'string', enum: ['resend-turn', 'cancel', 'validate-profile', 'refresh-storage', 'inspect'] },
    operation: { type: 'string' },
    resourceKind: { type: 'string', enum: ['run', 'session', 'profile'] },
    resourceName: { type: 'string' },
    reason: { type: 'string' },
    reasonHint: { ...NULL_TEXT, maxLength: 220 },
    reasonRequired: FLAG,
    inputKind: NULL_TEXT,
    runId: id('run'),
    commandId: NULL_TEXT,
    sessionId: NULL_TEXT,
    failureMessage: { ...NULL_TEXT, maxLength: 220 },
    valuesPrinted: VALUES_PRINTED,
  }),
} as const;

export const LIVENESS = closed({
  phase: PHASE,
  active: { ...FLAG, description: 'the run has not ended' },
  lastSeq: SEQ,
  lastEventAt: NULL_TIME,
  lastEventAgeMs: NULL_MS,
  lastActivity: ACTIVITY,
  lastCommandActivity: ACTIVITY,
  timeoutBudget: TIMEOUT_BUDGET,
  terminalClassification: CLASSIFICATION,
  lease: LEASE,
  recoveryActions: RECOVERY_ACTIONS,
  valuesPrinted: VALUES_PRINTED,
});

/** How a run, or one of its commands, stands or ended. */
export const RESULT = closed(
  {
    runId: id('run'),
    commandId: NULL_TEXT,
    status: { type: 'string', enum: [...new Set([...RUN_STATUSES, ...COMMAND_STATES])] },
    terminalStatus: TERMINAL_STATUS,
    failureKind: FAILURE_KIND,
    failureMessage: NULL_TEXT,
    threadId: NULL_TEXT,
    turnId: NULL_TEXT,
    diagnosis: NULL_OBJECT,
    terminalClassification: CLASSIFICATION,
    lastSeq: SEQ,
    output: closed({ text: { type: 'string', description: 'at most 64 KiB' }, truncated: FLAG }, { nullable: true }),
    usage: NULL_OBJECT,
    changes: { ...NULL_OBJECT, description: 'files, insertions, deletions, patchBytes' },
    liveness: LIVENESS,
    steerDelivery: STEER_DELIVERY,
    valuesPrinted: VALUES_PRINTED,
  },
  { optional: ['steerDelivery'] },
);

/** What a session tells of its run, for those who watch many. */
export const SUPERVISOR = closed(
  {
    sessionId: id('sess'),
    executionState: { type: 'string' },
    attentionState: { type: 'string' },
    active: FLAG,
    activeRunId: NULL_TEXT,
    activeCommandId: NULL_TEXT,
    lastRunId: NULL_TEXT,
    lastCommandId: NULL_TEXT,
    runId: id('run'),
    commandId: NULL_TEXT,
    status: { type: 'string', enum: RUN_STATUSES },
    terminalStatus: TERMINAL_STATUS,
    failureKind: { type: ['string', 'null'], enum: [...FAILURE_KIND_NAMES, null] },
    lastSeq: SEQ,
    liveness: LIVENESS,
    terminalClassification: CLASSIFICATION,
    lastActivity: ACTIVITY,
    timeoutBudget: TIMEOUT_BUDGET,
    recoveryActions: RECOVERY_ACTIONS,
    phase: PHASE,
    lastEventAgeMs: NULL_MS,
    steerDelivery: STEER_DELIVERY,
    valuesPrinted: VALUES_PRINTED,
  },
  { optional: ['steerDelivery'] },
);
