import type { FromSchema } from 'json-schema-to-ts';
import { DELIVERY_MODES, RUNNER_PLACEMENTS } from './lifecycle.ts';
import { PROFILE_NAME } from './run-input.ts';
import { DURATION_MS, id } from './scalar.ts';

/**
 * The attempt folder: how a placement hands an attempt to its runner.
 *
 * It holds the files below and nothing else that the runner needs. Its path is in the environment of the runner, its
 * secrets never are: the token stands in a file that the runner removes once it has read it. On Kubernetes the folder
 * is a mounted Secret, and the runner's own copy of the token is what it forgets.
 */
export const ATTEMPT_FILES = {
  /** JSON, {@link ATTEMPT_FILE}. */
  attempt: 'attempt.json',
  /** The bearer token of the attempt, without a newline; written last, so that a folder that has it is whole. */
  token: 'token',
  /** JSON: the backend profile with its provider settings, without its credential. */
  profile: 'profile.json',
  /** A folder with a file for each part of the profile's credential; absent for a profile without one. */
  credential: 'credential',
} as const;

/** The environment variables that tell a runner of its attempt, beside PATH and HOME. */
export const ATTEMPT_ENVIRONMENT = {
  /** Absolute path of the attempt folder. */
  dir: 'AGENTRUN_ATTEMPT_DIR',
  /** The id of the attempt. Every process of the attempt inherits it: by it they are found and fenced. */
  id: 'AGENTRUN_ATTEMPT_ID',
  /** W3C trace context; absent where nothing is traced. */
  traceparent: 'TRACEPARENT',
} as const;

/** A W3C trace context, version 00. */
export const TRACEPARENT_PATTERN = '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$';

/** The name of a file in the folder `credential`: never a path. */
export const CREDENTIAL_NAME_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$';

const WAIT_MS = { ...DURATION_MS, minimum: 0 } as const;
const ABSOLUTE_PATH = { type: 'string', pattern: '^/[^\\u0000]*$', maxLength: 4096 } as const;
const FOLDER = {
  type: 'object',
  additionalProperties: false,
  required: ['dir'],
  properties: { dir: { ...ABSOLUTE_PATH, description: 'absolute path' } },
} as const;

/** `attempt.json`: all that a runner knows at its start, secrets excepted. Durations are milliseconds. */
export const ATTEMPT_FILE = {
  type: 'object',
  additionalProperties: false,
  required: [
    'formatVersion',
    'attemptId',
    'runId',
    'managerUrl',
    'runnerId',
    'placement',
    'backendProfile',
    'leaseMs',
    'heartbeatMs',
    'idleTimeoutMs',
    'cancel',
    'retry',
    'workspace',
    'home',
    'state',
    'session',
    'sourceCommit',
    'logFile',
  ],
  properties: {
    formatVersion: { type: 'integer', const: 1 },
    attemptId: id('att'),
    runId: id('run'),
    managerUrl: { type: 'string', pattern: '^https?://[^\\s@]+$', description: 'base URL, without /api/v1' },
    runnerId: id('runner'),
    placement: { type: 'string', enum: RUNNER_PLACEMENTS },
    backendProfile: PROFILE_NAME,
    leaseMs: { ...DURATION_MS, description: 'the lease to ask for; the granted one is answered' },
    heartbeatMs: { ...DURATION_MS, description: 'time between two heartbeats' },
    idleTimeoutMs: {
      ...DURATION_MS,
      description: 'how long the runner waits for a command before it gives up the run',
    },
    cancel: {
      type: 'object',
      additionalProperties: false,
      required: ['deliveryMode', 'gracefulAbortMs', 'killEscalationMs', 'staleHeartbeatFencingMs'],
      description: 'the cancel lifecycle of the lane; times count from the request',
      properties: {
        deliveryMode: { type: 'string', enum: DELIVERY_MODES },
        gracefulAbortMs: { ...WAIT_MS, description: 'then SIGTERM' },
        killEscalationMs: { ...WAIT_MS, description: 'then SIGKILL' },
        staleHeartbeatFencingMs: { ...DURATION_MS, description: 'then the manager fences the attempt' },
      },
    },
    retry: {
      type: 'object',
      additionalProperties: false,
      required: ['maxAttempts', 'initialBackoffMs', 'maxBackoffMs'],
      description: 'retries of the backend, as the lane has them',
      properties: {
        maxAttempts: { type: 'integer', minimum: 1 },
        initialBackoffMs: WAIT_MS,
        maxBackoffMs: WAIT_MS,
      },
    },
    workspace: { ...FOLDER, description: 'where the agent works' },
    home: { ...FOLDER, description: 'HOME of the agent' },
    state: { ...FOLDER, description: 'what the backend keeps between runs of a session, such as its conversations' },
    session: {
      type: ['object', 'null'],
      additionalProperties: false,
      required: ['sessionId', 'generation'],
      description: 'the session whose volume is used; null for an ephemeral workspace',
      properties: { sessionId: id('sess'), generation: { type: 'integer', minimum: 0 } },
    },
    sourceCommit: { type: 'string', minLength: 1, maxLength: 256, description: 'the commit that the manager runs' },
    traceparent: { type: 'string', pattern: TRACEPARENT_PATTERN, description: 'as in the environment' },
    logFile: { ...ABSOLUTE_PATH, description: 'where stdout and stderr of the runner go' },
  },
} as const;
/** `attempt.json`, read. */
export type AttemptFile = FromSchema<typeof ATTEMPT_FILE>;
