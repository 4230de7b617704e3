import type { FromSchema } from 'json-schema-to-ts';
import { PROFILE_NAME, type SHIPPED_PROFILES } from './run-input.ts';

/** The kinds of agent that a runner can drive. */
export const BACKENDS = ['codex', 'opencode', 'acp', 'claude', 'command'] as const;
/** One of {@link BACKENDS}. */
export type BackendName = (typeof BACKENDS)[number];

/** How a model provider is spoken to: OpenAI's Responses, OpenAI's chat completions, Anthropic's messages. */
export const WIRE_APIS = ['responses', 'chat', 'messages'] as const;

const HTTP_URL = { type: 'string', pattern: '^https?://[^\\s/@]+(?:/[^\\s@]*)?$', maxLength: 2048 } as const;
const COUNT = { type: 'integer', minimum: 0, maximum: 100 } as const;
const TEXT = { type: 'string', minLength: 1, maxLength: 4096 } as const;

/**
 * Settings of a backend that few profiles need. Every one has a default; a backend ignores those that are not its own.
 */
export const PROFILE_OPTIONS = {
  type: 'object',
  additionalProperties: false,
  properties: {
    executable: {
      ...TEXT,
      description: 'the program of the agent, a name on PATH or a path; default: that of the backend',
    },
    apiKeyVariable: {
      type: 'string',
      pattern: '^[A-Za-z_][A-Za-z0-9_]{0,127}$',
      default: 'AGENTRUN_API_KEY',
      description: 'the variable by which a command gets the key of the profile',
    },
    proxy: {
      type: 'object',
      additionalProperties: false,
      description: 'proxies that the agent is told of; default: those of the runner',
      properties: { http: HTTP_URL, https: HTTP_URL, no: TEXT },
    },
    requestMaxRetries: { ...COUNT, default: 4, description: 'of one request to the provider, silent' },
    streamMaxRetries: { ...COUNT, default: 5, description: 'of one answer of the model; each is an event "retry"' },
    streamIdleTimeoutMs: {
      type: 'integer',
      minimum: 1000,
      maximum: 3_600_000,
      default: 300_000,
      description: 'silence of the provider within an answer',
    },
    contextWindow: {
      type: 'integer',
      minimum: 1024,
      maximum: 100_000_000,
      description: 'tokens; for a model that the agent does not know by itself',
    },
    reasoningLevels: {
      type: 'array',
      minItems: 1,
      maxItems: 10,
      items: { type: 'string', pattern: '^[a-z]{1,16}$' },
      description: 'efforts that the model offers; for a model that the agent does not know by itself',
    },
    patchTool: {
      type: 'boolean',
      description:
        'whether the model may call a free-form patch tool; for a model that the agent does not know by itself',
    },
  },
} as const;
/** Settings of a backend, each with a default. */
export type ProfileOptions = FromSchema<typeof PROFILE_OPTIONS, { keepDefaultedPropertiesOptional: true }>;

/** What a profile says of its agent. It holds no secret: the credential is kept apart. */
export const PROFILE_CONFIG = {
  type: 'object',
  additionalProperties: false,
  required: ['backend'],
  properties: {
    backend: { type: 'string', enum: BACKENDS, description: 'the kind of agent' },
    model: { type: 'string', pattern: '^[^\\s\\u0000]{1,256}$', description: 'default: that of the agent' },
    baseUrl: {
      ...HTTP_URL,
      description: 'of the model provider, without the path of a call; default: that of the agent',
    },
    wireApi: { type: 'string', enum: WIRE_APIS, description: 'default: what the backend speaks' },
    command: {
      type: 'array',
      minItems: 1,
      maxItems: 256,
      items: { type: 'string', pattern: '^[^\\u0000]{1,8192}$' },
      description:
        'program and arguments, never a shell line; {node} is the node of the runner, {agents} the folder of the agents that AgentRun ships, {model} the model',
    },
    env: {
      type: 'object',
      additionalProperties: { type: 'string', pattern: '^[^\\u0000]{0,8192}$' },
      maxProperties: 100,
      description: 'variables for the agent; no secrets, and none whose name begins with AGENTRUN_',
    },
    reasoning: { type: 'string', pattern: '^[a-z]{1,16}$', description: 'effort of the model, such as low or high' },
    options: PROFILE_OPTIONS,
  },
} as const;
/** What a profile says of its agent. */
export type ProfileConfig = FromSchema<typeof PROFILE_CONFIG, { keepDefaultedPropertiesOptional: true }>;

/** Names of variables that a profile may set. */
export const PROFILE_VARIABLE = /^(?!AGENTRUN_)[A-Za-z_][A-Za-z0-9_]{0,127}$/;

/** What proves to the provider who asks. */
export const CREDENTIAL_KINDS = ['api-key', 'none'] as const;
/** One of {@link CREDENTIAL_KINDS}. */
export type CredentialKind = (typeof CREDENTIAL_KINDS)[number];

/** A credential as it is given; no answer holds its value. */
export const PROFILE_CREDENTIAL = {
  type: 'object',
  required: ['kind'],
  oneOf: [
    {
      type: 'object',
      additionalProperties: false,
      required: ['kind', 'value'],
      properties: {
        kind: { type: 'string', const: 'api-key' },
        value: { type: 'string', pattern: '^[!-~]{1,8192}$', description: 'printable ASCII, as it goes into a header' },
      },
    },
    {
      type: 'object',
      additionalProperties: false,
      required: ['kind'],
      properties: { kind: { type: 'string', const: 'none' } },
    },
  ],
} as const;
/** A credential as it is given. */
export type ProfileCredential = FromSchema<typeof PROFILE_CREDENTIAL>;

/** The file in the credential folder of an attempt that holds the value of an `api-key`, without a newline. */
export const API_KEY_FILE = 'api-key';

/** `profile.json` of an attempt: a profile without the value of its credential. */
export const PROFILE_FILE = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'config', 'credential'],
  properties: {
    name: PROFILE_NAME,
    config: PROFILE_CONFIG,
    credential: {
      type: 'object',
      additionalProperties: false,
      required: ['kind'],
      properties: { kind: { type: 'string', enum: CREDENTIAL_KINDS } },
    },
  },
} as const;
/** `profile.json`, read. */
export type ProfileFile = FromSchema<typeof PROFILE_FILE, { keepDefaultedPropertiesOptional: true }>;

/** A profile that comes with AgentRun. */
export interface ShippedProfile {
  readonly title: string;
  readonly config: ProfileConfig;
  /** The kind of credential that it needs. */
  readonly credential: CredentialKind;
}

/** The profiles that AgentRun ships, before anybody changed them. */
export const PROFILE_DATA: Readonly<Record<(typeof SHIPPED_PROFILES)[number], ShippedProfile>> = {
  codex: {
    title: 'Codex with a model of OpenAI',
    config: { backend: 'codex', baseUrl: 'https://api.openai.com/v1', wireApi: 'responses' },
    credential: 'api-key',
  },
  deepseek: {
    title: 'Codex with a model of DeepSeek',
    config: {
      backend: 'codex',
      model: 'deepseek-flash',
      baseUrl: 'https://api.deepseek.com',
      wireApi: 'responses',
      reasoning: 'high',
      options: { contextWindow: 1_048_576, reasoningLevels: ['low', 'high', 'max'], patchTool: true },
    },
    credential: 'api-key',
  },
  'minimax-m3': {
    title: 'Codex with MiniMax M3',
    config: {
      backend: 'codex',
      model: 'MiniMax-M3',
      baseUrl: 'https://api.minimax.io/v1',
      wireApi: 'responses',
      options: { contextWindow: 512_000 },
    },
    credential: 'api-key',
  },
  command: {
    title: 'Any program: the prompt on its stdin, its output as the answer; "cat" until another is named',
    config: { backend: 'command', command: ['cat'] },
    credential: 'none',
  },
  demo: {
    title: 'A small agent without a model, to look around',
    config: { backend: 'command', command: ['{node}', '{agents}/demo-agent.mjs'] },
    credential: 'none',
  },
};
