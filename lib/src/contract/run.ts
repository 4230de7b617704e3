import type { FromSchema } from 'json-schema-to-ts';
import { FAILURE_KIND_NAMES, OUTCOME_KINDS } from './failure-kinds.ts';
import { CANCEL_STAGES } from './lifecycle.ts';
import { CREATE_RUN } from './run-input.ts';
import { FREE_OBJECT, id, NULL_TEXT, NULL_TIME, SEQ, TIME } from './scalar.ts';
import { RUN_STATUSES, TERMINAL_STATUSES } from './states.ts';

/** The stages of a cancel, as phases of events. */
export const CANCEL_PHASES = CANCEL_STAGES.map((stage) => `cancel-${stage}` as const);
/** One of {@link CANCEL_PHASES}. */
export type CancelPhase = (typeof CANCEL_PHASES)[number];

/** The receipts of a cancel, by phase; times count from the request. */
export const CANCEL_RECEIPTS = {
  type: 'object',
  additionalProperties: false,
  properties: Object.fromEntries(
    CANCEL_PHASES.map((phase) => [
      phase,
      {
        type: 'object',
        additionalProperties: false,
        required: ['at', 'sinceRequestMs'],
        properties: { at: TIME, sinceRequestMs: { type: 'integer', minimum: 0 } },
      },
    ]),
  ),
} as const;
/** When each stage of a cancel came; absent for those that did not. */
export type CancelReceipts = Partial<Record<CancelPhase, { at: string; sinceRequestMs: number }>>;

/** A failure kind, or null. */
export const FAILURE_KIND = { type: ['string', 'null'], enum: [...FAILURE_KIND_NAMES, null] } as const;
/** How something ended, or null. */
export const TERMINAL_STATUS = { type: ['string', 'null'], enum: [...TERMINAL_STATUSES, null] } as const;

const { idempotencyKey: _key, ...RUN_FIELDS } = CREATE_RUN.properties;

/** A run, as it is answered. */
export const RUN = {
  type: 'object',
  additionalProperties: false,
  required: [
    'id',
    'tenantId',
    'projectId',
    'providerId',
    'backendProfile',
    'workspaceRef',
    'executionPolicy',
    'sessionRef',
    'resourceBundleRef',
    'traceSink',
    'metadata',
    'status',
    'terminalStatus',
    'failureKind',
    'failureMessage',
    'claimedBy',
    'leaseExpiresAt',
    'leaseEpoch',
    'attemptId',
    'attemptCount',
    'lastSeq',
    'cancelRequestedAt',
    'cancelReason',
    'cancelReceipts',
    'diagnosis',
    'createdAt',
    'updatedAt',
  ],
  properties: {
    id: id('run'),
    ...RUN_FIELDS,
    status: { type: 'string', enum: RUN_STATUSES },
    terminalStatus: TERMINAL_STATUS,
    failureKind: FAILURE_KIND,
    failureMessage: NULL_TEXT,
    claimedBy: { ...NULL_TEXT, description: 'the runner that holds the lease' },
    leaseExpiresAt: NULL_TIME,
    leaseEpoch: { type: 'integer', minimum: 0, description: 'raised by each claim; the only proof of holding the run' },
    attemptId: NULL_TEXT,
    attemptCount: { type: 'integer', minimum: 0, description: 'attempts so far' },
    lastSeq: { ...SEQ, description: 'of the newest event' },
    cancelRequestedAt: NULL_TIME,
    cancelReason: NULL_TEXT,
    cancelReceipts: CANCEL_RECEIPTS,
    diagnosis: { type: ['object', 'null'], additionalProperties: true },
    createdAt: TIME,
    updatedAt: TIME,
  },
} as const;

/** Reported by the runner that holds the lease: how a run, or a command, ended. */
export const REPORT_STATUS = {
  type: 'object',
  additionalProperties: false,
  required: ['terminalStatus'],
  properties: {
    terminalStatus: { type: 'string', enum: TERMINAL_STATUSES },
    failureKind: { type: ['string', 'null'], enum: [...OUTCOME_KINDS, null] },
    failureMessage: { type: ['string', 'null'], maxLength: 65_536 },
    threadId: { type: ['string', 'null'], minLength: 1, maxLength: 512 },
    turnId: { type: ['string', 'null'], minLength: 1, maxLength: 512 },
    steerDelivery: FREE_OBJECT,
  },
} as const;
/** A report, as a runner sends it. */
export type ReportStatus = FromSchema<typeof REPORT_STATUS>;
