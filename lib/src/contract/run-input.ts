import type { FromSchema } from 'json-schema-to-ts';
import { DURATION_MS, FREE_OBJECT, id, MESSAGE, NAME } from './scalar.ts';

/** How a run may behave. Every field has a default; `null` for `runTimeoutMs` is no limit. */
export const EXECUTION_POLICY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    oneShot: { type: 'boolean', default: false, description: 'the run ends with its first turn' },
    maxAttempts: {
      type: 'integer',
      minimum: 1,
      maximum: 20,
      default: 3,
      description: 'runners lost before it is given up',
    },
    runTimeoutMs: { ...DURATION_MS, type: ['integer', 'null'], default: null },
    turnTimeoutMs: { ...DURATION_MS, default: 3_600_000 },
    idleEventTimeoutMs: { ...DURATION_MS, default: 600_000, description: 'silence of the agent within a turn' },
    pendingTimeoutMs: { ...DURATION_MS, default: 86_400_000, description: 'how long a run waits for a runner' },
    sandbox: { type: 'string', enum: ['read-only', 'workspace-write', 'full'] },
    approvals: { type: 'string', enum: ['never', 'accept', 'decline'], default: 'never' },
    network: { type: 'boolean', default: true },
  },
} as const;
/** A policy as it is given: every field may be absent. */
export type ExecutionPolicyInput = FromSchema<typeof EXECUTION_POLICY, { keepDefaultedPropertiesOptional: true }>;
/** A policy with its defaults filled in; `sandbox` stays absent for the default of the placement. */
export type ExecutionPolicy = Omit<Required<ExecutionPolicyInput>, 'sandbox'> & Pick<ExecutionPolicyInput, 'sandbox'>;

/** The policy of a run that names none. */
export const EXECUTION_POLICY_DEFAULTS: ExecutionPolicy = {
  oneShot: EXECUTION_POLICY.properties.oneShot.default,
  maxAttempts: EXECUTION_POLICY.properties.maxAttempts.default,
  runTimeoutMs: EXECUTION_POLICY.properties.runTimeoutMs.default,
  turnTimeoutMs: EXECUTION_POLICY.properties.turnTimeoutMs.default,
  idleEventTimeoutMs: EXECUTION_POLICY.properties.idleEventTimeoutMs.default,
  pendingTimeoutMs: EXECUTION_POLICY.properties.pendingTimeoutMs.default,
  approvals: EXECUTION_POLICY.properties.approvals.default,
  network: EXECUTION_POLICY.properties.network.default,
};

/** A path below a folder: relative, without empty, "." and ".." segments. */
const SUB_PATH = {
  type: 'string',
  minLength: 1,
  maxLength: 1024,
  pattern: '^(?!/)(?!.*//)(?!.*(^|/)\\.{1,2}(/|$))[^\\\\\\u0000]+(?<!/)$',
} as const;

/** Where the agent works: the volume of the session, or a folder of the run that goes with it. */
export const WORKSPACE_REF = {
  type: 'object',
  additionalProperties: false,
  required: ['kind'],
  properties: { kind: { type: 'string', enum: ['session', 'ephemeral'] }, subPath: SUB_PATH },
} as const;
/** Where the agent works. */
export type WorkspaceRef = FromSchema<typeof WORKSPACE_REF>;

const FILE = {
  type: 'object',
  additionalProperties: false,
  required: ['path'],
  properties: {
    path: SUB_PATH,
    content: { type: 'string' },
    contentBase64: { type: 'string', pattern: '^[A-Za-z0-9+/]*={0,2}$' },
    mode: { type: 'string', pattern: '^0?[0-7]{3}$', default: '644', description: 'octal' },
  },
  oneOf: [{ required: ['content'] }, { required: ['contentBase64'] }],
} as const;

/** What is put into the workspace before the first turn. */
export const RESOURCE_BUNDLE_REF = {
  type: 'object',
  additionalProperties: false,
  properties: {
    repositories: {
      type: 'array',
      maxItems: 32,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['url', 'commit', 'path'],
        properties: {
          url: { type: 'string', minLength: 1, maxLength: 2048 },
          commit: { type: 'string', pattern: '^[0-9a-f]{40}$', description: 'the full commit id' },
          path: { ...SUB_PATH, description: 'below the workspace; "." is not allowed, "work" is' },
          ref: {
            type: 'string',
            minLength: 1,
            maxLength: 512,
            description: 'where to find the commit, a branch or tag',
          },
          depth: { type: 'integer', minimum: 1, maximum: 1_000_000 },
          submodules: { type: 'boolean', default: false },
          credential: { type: 'string', pattern: '^[a-z0-9][a-z0-9-]{0,40}$', description: 'a tool credential' },
        },
      },
    },
    files: { type: 'array', maxItems: 1000, items: FILE },
    prompts: {
      type: 'array',
      maxItems: 100,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['name', 'content'],
        properties: { name: SUB_PATH, content: { type: 'string' } },
      },
    },
    instructions: { type: 'string' },
    skills: {
      type: 'array',
      maxItems: 100,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['name', 'files'],
        properties: { name: SUB_PATH, files: { type: 'array', minItems: 1, maxItems: 200, items: FILE } },
      },
    },
    onDirty: { type: 'string', enum: ['fail', 'keep', 'overwrite'], default: 'fail' },
  },
} as const;
/** What is put into the workspace. */
export type ResourceBundleRef = FromSchema<typeof RESOURCE_BUNDLE_REF, { keepDefaultedPropertiesOptional: true }>;
/** A file of a resource bundle. */
export type BundleFile = NonNullable<ResourceBundleRef['files']>[number];

/** The session of a run, and what is known of its conversation. */
export const SESSION_REF = {
  type: 'object',
  additionalProperties: false,
  required: ['sessionId'],
  properties: {
    sessionId: id('sess'),
    conversationId: { ...NAME, type: ['string', 'null'] },
    threadId: { ...NAME, type: ['string', 'null'] },
    metadata: FREE_OBJECT,
    expiresAt: { type: ['string', 'null'], format: 'date-time' },
  },
} as const;
/** The session of a run. */
export type SessionRef = FromSchema<typeof SESSION_REF>;

/** The trace that a run belongs to. */
export const TRACE_SINK = {
  type: ['object', 'null'],
  additionalProperties: false,
  properties: { traceparent: { type: 'string', pattern: '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$' } },
} as const;

/** The name of a provider profile. */
export const PROFILE_NAME = {
  type: 'string',
  pattern: '^[a-z0-9][a-z0-9-]{0,40}$',
  description: 'the name of a provider profile',
} as const;

/** The profiles that AgentRun ships. */
export const SHIPPED_PROFILES = ['codex', 'deepseek', 'minimax-m3', 'command', 'demo'] as const;

/** The body that makes a run. */
export const CREATE_RUN = {
  type: 'object',
  additionalProperties: false,
  required: ['tenantId', 'projectId', 'providerId', 'backendProfile', 'workspaceRef'],
  properties: {
    tenantId: NAME,
    projectId: NAME,
    providerId: { ...NAME, description: 'a label that is recorded' },
    backendProfile: PROFILE_NAME,
    workspaceRef: WORKSPACE_REF,
    executionPolicy: EXECUTION_POLICY,
    sessionRef: { ...SESSION_REF, type: ['object', 'null'] },
    resourceBundleRef: { ...RESOURCE_BUNDLE_REF, type: ['object', 'null'] },
    traceSink: TRACE_SINK,
    metadata: FREE_OBJECT,
    idempotencyKey: { type: 'string', minLength: 1, maxLength: 256 },
  },
} as const;
/** The body that makes a run, as its sender writes it. */
export type CreateRun = FromSchema<typeof CREATE_RUN, { keepDefaultedPropertiesOptional: true }>;

/** The body of a cancel. */
export const CANCEL = {
  type: 'object',
  additionalProperties: false,
  properties: { reason: MESSAGE },
} as const;
