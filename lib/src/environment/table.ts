import { CANCEL_STAGES, CLEANUP_ORDER, DELIVERY_MODES, RUNNER_PLACEMENTS } from '../contract/lifecycle.ts';
import {
  bool,
  commit,
  list,
  nonNegativeInteger,
  oneOf,
  type Parser,
  port,
  positiveInteger,
  stagesOf,
  stringMap,
  text,
  url,
} from './parsers.ts';

/** How a lane value becomes text: as it is, `String()`, compact JSON with sorted keys, joined by ",", or a Secret key. */
export type Encoding = 'literal' | 'number' | 'boolean' | 'json' | 'csv' | 'secret';

/** Where the value comes from: a lane field, an input of the render, or a constant. */
export type Source =
  | { readonly lane: string }
  | { readonly input: 'sourceCommit' | 'envIdentity' | 'image' }
  | { readonly constant: string };

/** When the variable is written: always, when the value is not null, or when the list is not empty. */
export type Condition = 'always' | 'not-null' | 'not-empty';

/** One variable of the manager: written from a lane, read back as `ManagerConfig[configKey]`. */
export interface Row<Key extends string, Value> {
  readonly name: string;
  readonly source: Source;
  readonly encoding: Encoding;
  readonly condition: Condition;
  readonly configKey: Key;
  readonly parse: Parser<Value>;
}

/** One variable that only `deployment.manager.env` can set; absent means the default. */
export interface Setting<Key extends string, Value> {
  readonly name: string;
  readonly configKey: Key;
  readonly parse: Parser<Value>;
  readonly fallback: Value;
  readonly description: string;
}

type Options = { encoding?: Encoding; condition?: Condition };

function row<const Key extends string, Value>(
  name: string,
  source: Source,
  configKey: Key,
  parse: Parser<Value>,
  options: Options = {},
): Row<Key, Value> {
  return {
    name,
    source,
    encoding: options.encoding ?? 'literal',
    condition: options.condition ?? 'always',
    configKey,
    parse,
  };
}

/** The same, for a variable that may be absent: its value is then null. */
function optional<const Key extends string, Value>(
  name: string,
  source: Source,
  configKey: Key,
  parse: Parser<Value>,
  options: Options,
): Row<Key, Value | null> {
  return row<Key, Value | null>(name, source, configKey, parse, options);
}

function setting<const Key extends string, Value>(
  name: string,
  configKey: Key,
  parse: Parser<Exclude<Value, null>>,
  fallback: Value,
  description: string,
): Setting<Key, Value> {
  return { name, configKey, parse: parse as Parser<Value>, fallback, description };
}

const lane = (path: string) => ({ lane: path }) as const;
const runner = (path: string) => lane(`deployment.runner.${path}`);
const input = (name: 'sourceCommit' | 'envIdentity' | 'image') => ({ input: name }) as const;

/** The variables that come before `deployment.manager.env`, in the order in which they are written. */
export const managerRows = [
  row('AGENTRUN_LANE', lane('version'), 'lane', text),
  row('DATABASE_URL', lane('database.secretRef'), 'databaseUrl', url('postgres:', 'postgresql:'), {
    encoding: 'secret',
  }),
  row('AGENTRUN_SOURCE_COMMIT', input('sourceCommit'), 'sourceCommit', commit),
  row('AGENTRUN_BOOT_COMMIT', input('sourceCommit'), 'bootCommit', commit),
  row('AGENTRUN_BOOT_MODE', { constant: 'mgr' }, 'bootMode', oneOf('mgr')),
  row('AGENTRUN_BOOT_REPO_URL', lane('deployment.manager.bootRepoUrl'), 'bootRepoUrl', text),
  row('AGENTRUN_ENV_IDENTITY', input('envIdentity'), 'envIdentity', text),
  row('AGENTRUN_RUNTIME_NAMESPACE', lane('runtime.namespace'), 'runtimeNamespace', text),
  row('AGENTRUN_INTERNAL_MGR_URL', lane('runtime.internalBaseUrl'), 'internalManagerUrl', url('http:', 'https:')),
  row('AGENTRUN_RUNNER_IMAGE', input('image'), 'runnerImage', text),
  row('AGENTRUN_RUNNER_SERVICE_ACCOUNT', runner('serviceAccount'), 'runnerServiceAccount', text),
  row('AGENTRUN_RUNNER_JOB_NAME_PREFIX', runner('jobNamePrefix'), 'runnerJobNamePrefix', text),
  row('AGENTRUN_RUNNER_IDLE_TIMEOUT_MS', runner('idleTimeoutMs'), 'runnerIdleTimeoutMs', positiveInteger, {
    encoding: 'number',
  }),
  row('AGENTRUN_BACKEND_RETRY_MAX_ATTEMPTS', runner('backendRetry.maxAttempts'), 'retryMaxAttempts', positiveInteger, {
    encoding: 'number',
  }),
  row(
    'AGENTRUN_BACKEND_RETRY_INITIAL_BACKOFF_MS',
    runner('backendRetry.initialBackoffMs'),
    'retryInitialBackoffMs',
    nonNegativeInteger,
    { encoding: 'number' },
  ),
  row(
    'AGENTRUN_BACKEND_RETRY_MAX_BACKOFF_MS',
    runner('backendRetry.maxBackoffMs'),
    'retryMaxBackoffMs',
    nonNegativeInteger,
    {
      encoding: 'number',
    },
  ),
  row('AGENTRUN_RUNNER_RETENTION_MAX_RUNNERS', runner('retention.maxRunners'), 'retentionMaxRunners', positiveInteger, {
    encoding: 'number',
  }),
  row(
    'AGENTRUN_RUNNER_RETENTION_CLEANUP_ORDER',
    runner('retention.cleanupOrder'),
    'retentionCleanupOrder',
    oneOf(CLEANUP_ORDER),
  ),
  row(
    'AGENTRUN_RUNNER_RETENTION_ACTIVE_HEARTBEAT_MAX_AGE_MS',
    runner('retention.activeHeartbeatMaxAgeMs'),
    'retentionActiveHeartbeatMaxAgeMs',
    positiveInteger,
    { encoding: 'number' },
  ),
  row(
    'AGENTRUN_RUNNER_RETENTION_MATCH_LABELS_JSON',
    runner('retention.selectors.matchLabels'),
    'retentionMatchLabels',
    stringMap,
    { encoding: 'json' },
  ),
  row(
    'AGENTRUN_RUNNER_RETENTION_JOB_NAME_PREFIXES',
    runner('retention.selectors.jobNamePrefixes'),
    'retentionJobNamePrefixes',
    list(1),
    { encoding: 'csv' },
  ),
  row(
    'AGENTRUN_RUNNER_RETENTION_AGE_BASED_CLEANUP_ENABLED',
    runner('retention.ageBasedCleanup.enabled'),
    'retentionAgeBasedCleanupEnabled',
    bool,
    { encoding: 'boolean' },
  ),
  optional(
    'AGENTRUN_RUNNER_RETENTION_AGE_BASED_MAX_AGE_HOURS',
    runner('retention.ageBasedCleanup.maxAgeHours'),
    'retentionMaxAgeHours',
    positiveInteger,
    { encoding: 'number', condition: 'not-null' },
  ),
  row(
    'AGENTRUN_CANCEL_DELIVERY_MODE',
    runner('cancelLifecycle.deliveryMode'),
    'cancelDeliveryMode',
    oneOf(...DELIVERY_MODES),
  ),
  row(
    'AGENTRUN_CANCEL_GRACEFUL_ABORT_MS',
    runner('cancelLifecycle.gracefulAbortMs'),
    'cancelGracefulAbortMs',
    nonNegativeInteger,
    {
      encoding: 'number',
    },
  ),
  row(
    'AGENTRUN_CANCEL_KILL_ESCALATION_MS',
    runner('cancelLifecycle.killEscalationMs'),
    'cancelKillEscalationMs',
    positiveInteger,
    {
      encoding: 'number',
    },
  ),
  row(
    'AGENTRUN_CANCEL_STALE_HEARTBEAT_FENCING_MS',
    runner('cancelLifecycle.staleHeartbeatFencingMs'),
    'staleHeartbeatFencingMs',
    positiveInteger,
    { encoding: 'number' },
  ),
  row(
    'AGENTRUN_CANCEL_LATE_WRITE_FENCING_ENABLED',
    runner('cancelLifecycle.lateWriteFencing.enabled'),
    'lateWriteFencingEnabled',
    bool,
    { encoding: 'boolean' },
  ),
  row(
    'AGENTRUN_CANCEL_EVENT_STAGES',
    runner('cancelLifecycle.eventStages'),
    'cancelEventStages',
    stagesOf(CANCEL_STAGES),
    {
      encoding: 'csv',
    },
  ),
  optional(
    'AGENTRUN_RUNNER_EGRESS_PROXY_URL',
    runner('egressProxyUrl'),
    'runnerEgressProxyUrl',
    url('http:', 'https:'),
    {
      condition: 'not-null',
    },
  ),
  optional('AGENTRUN_RUNNER_NO_PROXY_EXTRA', runner('noProxyExtra'), 'runnerNoProxyExtra', list(1), {
    encoding: 'csv',
    condition: 'not-empty',
  }),
  row('AGENTRUN_API_KEY', lane('deployment.manager.apiKeySecretRef'), 'apiKey', text, { encoding: 'secret' }),
] as const;

/** The variables that come after `deployment.manager.env` and before `secretEnv`, in order. */
export const managerTailRows = [
  row('AGENTRUN_LABEL_DOMAIN', lane('labelDomain'), 'labelDomain', text),
  row('AGENTRUN_NODE_ID', lane('nodeId'), 'nodeId', text),
  row('AGENTRUN_LISTEN_HOST', { constant: '0.0.0.0' }, 'listenHost', text),
  row('AGENTRUN_LISTEN_PORT', lane('runtime.managerPort'), 'listenPort', port, { encoding: 'number' }),
  row('AGENTRUN_RUNNER_PLACEMENT', runner('placement'), 'runnerPlacement', oneOf(...RUNNER_PLACEMENTS)),
  optional('AGENTRUN_RUNNER_RUNTIME_CLASS', runner('runtimeClassName'), 'runnerRuntimeClass', text, {
    condition: 'not-null',
  }),
  row('AGENTRUN_MANAGER_SERVICE_ACCOUNT', lane('deployment.manager.serviceAccount'), 'managerServiceAccount', text),
] as const;

/** What `deployment.manager.env` may say to the manager. */
export const managerSettings = [
  setting(
    'AGENTRUN_ARTIFACT_CATALOG_FILE',
    'artifactCatalogFile',
    text,
    null as string | null,
    'File of the artifact catalog that the manager shows; default none.',
  ),
  setting(
    'AGENTRUN_AIPOD_SPEC_DIR',
    'aipodSpecDir',
    text,
    null as string | null,
    'Folder of AIPod specs; default none.',
  ),
  setting(
    'AGENTRUN_SESSION_GC_INTERVAL_MS',
    'sessionGcIntervalMs',
    positiveInteger,
    300_000,
    'Time between two collections of expired sessions, in ms; default 300000.',
  ),
  setting(
    'AGENTRUN_QUEUE_MAX_ACTIVE',
    'queueMaxActive',
    nonNegativeInteger,
    0,
    'Number of queue tasks that the manager starts by itself at a time; default 0, which is off.',
  ),
] as const;

type Field<R> =
  R extends Row<infer Key, infer Value>
    ? { readonly [K in Key]: Value }
    : R extends Setting<infer Key, infer Value>
      ? { readonly [K in Key]: Value }
      : never;
type AllRows = (typeof managerRows)[number] | (typeof managerTailRows)[number] | (typeof managerSettings)[number];
type Merge<U> = (U extends unknown ? (value: U) => void : never) extends (value: infer I) => void ? I : never;

/** The manager's configuration: exactly what a rendered lane says, typed. Times in ms. */
export type ManagerConfig = { readonly [K in keyof Merge<Field<AllRows>>]: Merge<Field<AllRows>>[K] };

/** Names that the render writes itself, and that a lane's own maps may therefore not use. */
export const reservedNames: ReadonlySet<string> = new Set([...managerRows, ...managerTailRows].map(({ name }) => name));
