import type { FromSchema } from 'json-schema-to-ts';
import { RUNNER_PLACEMENTS } from './lifecycle.ts';
import { RUN } from './run.ts';
import { PROFILE_NAME } from './run-input.ts';
import { FREE_OBJECT, id, NAME, TIME } from './scalar.ts';
import { ATTEMPT_STATUSES } from './states.ts';

/** Where an attempt lives; `external` was started by nobody we know, and fences itself when its lease is over. */
export const ATTEMPT_PLACEMENTS = [...RUNNER_PLACEMENTS, 'external'] as const;
/** One of {@link ATTEMPT_PLACEMENTS}. */
export type AttemptPlacement = (typeof ATTEMPT_PLACEMENTS)[number];

/**
 * Options of Node for a runner: its youngest objects get 1 MiB instead of 16, so that a flood of events costs a few more
 * collections and not tens of megabytes. The boot script of the images has the same.
 */
export const RUNNER_NODE_OPTIONS = ['--max-semi-space-size=1'] as const;

/** The body by which a runner registers. */
export const REGISTER_RUNNER = {
  type: 'object',
  additionalProperties: false,
  required: ['runId'],
  properties: {
    id: { ...id('runner'), description: 'default: made by the manager' },
    runId: id('run'),
    attemptId: { ...id('att'), description: 'with the token of an attempt, its id' },
    backendProfile: PROFILE_NAME,
    placement: { type: 'string', enum: ATTEMPT_PLACEMENTS },
    sourceCommit: NAME,
    metadata: FREE_OBJECT,
  },
} as const;
/** The body by which a runner registers. */
export type RegisterRunner = FromSchema<typeof REGISTER_RUNNER>;

/** A runner, as it is answered. */
export const RUNNER = {
  type: 'object',
  additionalProperties: false,
  required: ['id', 'runId', 'attemptId', 'registeredAt', 'heartbeatAt', 'metadata'],
  properties: {
    ...REGISTER_RUNNER.properties,
    registeredAt: TIME,
    heartbeatAt: TIME,
    token: { type: 'string', description: 'given once, to a runner that registered with the API key' },
  },
} as const;

/** The body of a claim and of a heartbeat. */
export const LEASE_REQUEST = {
  type: 'object',
  additionalProperties: false,
  required: ['runnerId'],
  properties: {
    runnerId: id('runner'),
    leaseMs: {
      type: 'integer',
      minimum: 1,
      maximum: 86_400_000,
      description: 'a wish; the lease that is granted is answered',
    },
  },
} as const;

/** A run under a lease. */
export const LEASED_RUN = {
  ...RUN,
  required: [...RUN.required, 'leaseMs', 'serverTime', 'cancelCommandIds'],
  properties: {
    ...RUN.properties,
    leaseMs: { type: 'integer', description: 'the lease that was granted, in milliseconds from serverTime' },
    serverTime: TIME,
    cancelCommandIds: { type: 'array', items: id('cmd'), description: 'acknowledged turns to interrupt' },
  },
} as const;

/** Why a runner gives a run back: nothing to do, or it must go although there may be work left. */
export const RELEASE = {
  type: 'object',
  additionalProperties: false,
  required: ['reason'],
  properties: { reason: { type: 'string', enum: ['idle', 'drain'] } },
} as const;
/** One of the reasons of {@link RELEASE}. */
export type ReleaseReason = FromSchema<typeof RELEASE>['reason'];

/** The body that asks for a runner of a run. */
export const CREATE_RUNNER_JOB = {
  type: 'object',
  additionalProperties: false,
  required: ['commandId'],
  properties: { commandId: id('cmd'), idempotencyKey: { type: 'string', minLength: 1, maxLength: 256 } },
} as const;

/** The record of a started runner. */
export const RUNNER_JOB = {
  type: 'object',
  additionalProperties: false,
  required: [
    'id',
    'runId',
    'commandId',
    'idempotencyKey',
    'payloadHash',
    'attemptId',
    'attemptNumber',
    'runnerId',
    'namespace',
    'jobName',
    'managerUrl',
    'image',
    'sourceCommit',
    'serviceAccountName',
    'placement',
    'status',
    'result',
    'createdAt',
    'updatedAt',
  ],
  properties: {
    id: id('rjob'),
    runId: id('run'),
    commandId: id('cmd'),
    idempotencyKey: { type: ['string', 'null'] },
    payloadHash: { type: 'string' },
    attemptId: id('att'),
    attemptNumber: { type: 'integer', minimum: 1 },
    runnerId: id('runner'),
    namespace: { type: 'string' },
    jobName: { type: 'string' },
    managerUrl: { type: 'string' },
    image: { type: 'string' },
    sourceCommit: { type: 'string' },
    serviceAccountName: { type: ['string', 'null'] },
    placement: { type: 'string', enum: ATTEMPT_PLACEMENTS },
    status: { type: 'string', enum: ATTEMPT_STATUSES },
    result: FREE_OBJECT,
    createdAt: TIME,
    updatedAt: TIME,
  },
} as const;
