import { join } from 'node:path';
import { type ManagerConfig, managerRows, managerTailRows, readManagerConfig } from '@agentrun/lib/environment';
import { AgentRunError, type Problem } from '@agentrun/lib/errors';
import { dataDirectory } from './config/data-directory.ts';
import { localAddress } from './config/local-address.ts';
import { type Replacement, replacedVariables, replaceForLocal, shownValue } from './config/local-replacements.ts';
import { type Options, parseOptions } from './config/options.ts';
import { type RenderedVariable, readRenderedEnvironment, type SecretReference } from './config/rendered-environment.ts';
import { fromProcess, fromStore, type ResolvedEnvironment, resolveEnvironment } from './config/resolve-environment.ts';
import { StartError } from './config/start-error.ts';
import { prepareDataFolder } from './local/data-folder.ts';
import { fileSecretStore, secretFile } from './local/file-secret-store.ts';

export { HELP } from './config/options.ts';

/** What the lane says, without what stands in {@link Config} once: where to listen, the database, the key. */
export type LaneConfig = Omit<ManagerConfig, 'databaseUrl' | 'apiKey' | 'listenHost' | 'listenPort'>;

/** Local mode: this machine takes the place of the cluster. */
interface LocalConfig {
  /** The data folder, absolute; made, not locked. */
  readonly dataDir: string;
  /** The file with the API key, for the clients of this machine. */
  readonly apiKeyFile: string;
}

/** All that the manager is told from outside; nothing is read from the environment after it. Holds secrets. */
export interface Config {
  /** What the lane says; in local mode with the values of {@link Config.replaced}. */
  readonly manager: LaneConfig;
  /** Null in a cluster. */
  readonly local: LocalConfig | null;
  /** `port` is never 0; in local mode it was free a moment ago, and `manager.internalManagerUrl` names it. */
  readonly listen: { readonly host: string; readonly port: number };
  /** A PostgreSQL that runs, or the data folder of the one to be started. */
  readonly database: { readonly url: string } | { readonly embedded: { readonly dataDir: string } };
  /** The operator's key. */
  readonly apiKey: string;
  /** The argv of the runner, from AGENTRUN_RUNNER_COMMAND; null for the runner that is installed beside. */
  readonly runnerCommand: readonly string[] | null;
  /** Where spans go, from OTEL_EXPORTER_OTLP_ENDPOINT; null for nowhere. */
  readonly telemetryEndpoint: string | null;
  /** What a child process on this machine may see of this one's environment; empty where it is not set. */
  readonly host: { readonly path: string; readonly home: string };
  /** What local mode put in the place of what the lane says, in the order in which it is printed. No secrets. */
  readonly replaced: readonly Replacement[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the command line and the environment.
 *
 * The lane's values come from the file of `--environment`, else from this process. In local mode the data folder and
 * the secrets that are missing in it are made.
 *
 * @param argv the arguments after the program's name.
 * @param env the environment of this process.
 * @returns `help` when that is what was asked for.
 * @throws AgentRunError `usage`, or `environment-invalid` with a problem for each fault of the environment.
 * @throws StartError when local mode is refused, or its folder or port cannot be used.
 */
export async function readConfig({
  argv,
  env = process.env,
}: {
  readonly argv: readonly string[];
  readonly env?: Environment;
}): Promise<Config | 'help'> {
  const options = parseOptions(argv);
  if (options.help) return 'help';
  if (options.local && (env['KUBERNETES_SERVICE_HOST'] ?? '') !== '') {
    throw new StartError('local-in-cluster', 'Local mode is not for a cluster, and KUBERNETES_SERVICE_HOST is set.');
  }
  const rendered =
    options.environment === null ? fromEnvironment(env) : await readRenderedEnvironment(options.environment);
  return options.local ? readLocal(options, rendered, env) : readInCluster(options, rendered, env);
}

const laneVariables: ReadonlySet<string> = new Set([...managerRows, ...managerTailRows].map(({ name }) => name));

async function readInCluster(
  options: Options,
  rendered: readonly RenderedVariable[],
  env: Environment,
): Promise<Config> {
  const { variables, problems } = await resolveEnvironment(rendered, fromProcess(env), laneVariables);
  const given = {
    ...(options.databaseUrl === null ? {} : { DATABASE_URL: options.databaseUrl }),
    ...(options.host === null ? {} : { AGENTRUN_LISTEN_HOST: options.host }),
    ...(options.port === null ? {} : { AGENTRUN_LISTEN_PORT: String(options.port) }),
  };
  const { databaseUrl, ...rest } = parse({ variables: { ...variables, ...given }, problems }, env);
  return { ...rest, local: null, database: { url: databaseUrl }, replaced: [] };
}

async function readLocal(options: Options, rendered: readonly RenderedVariable[], env: Environment): Promise<Config> {
  const dataDir = dataDirectory(options.dataDir, env);
  await prepareDataFolder(dataDir);
  const store = fileSecretStore(dataDir);
  const resolve = fromStore(store);
  const needed = rendered.filter(({ name }) => !replacedVariables.has(name));
  const resolved = await resolveEnvironment(needed, resolve, new Set());
  const keyPlace = apiKeyPlace(rendered);
  const database = databaseOf(options, env);
  const apiKeyFile = secretFile(dataDir, keyPlace.namespace, keyPlace.name, keyPlace.key);
  const { variables, replaced } = replaceForLocal(
    resolved.variables,
    {
      ...(await localAddress(options.host, options.port)),
      dataDir,
      database,
      apiKey: (await resolve('AGENTRUN_API_KEY', keyPlace, false)) ?? '',
      apiKeyFile,
      aipodDirectory: join(dataDir, 'aipods'),
    },
    (name) => describe(rendered.find((variable) => variable.name === name)),
  );
  const { databaseUrl, ...rest } = parse({ variables, problems: resolved.problems }, env);
  return {
    ...rest,
    local: { dataDir, apiKeyFile },
    database: database === null ? { embedded: { dataDir } } : { url: databaseUrl },
    replaced,
  };
}

/** The lane's own place for the key, so that the file is where the Secret would be. */
function apiKeyPlace(rendered: readonly RenderedVariable[]): SecretReference {
  const found = rendered.find(({ name }) => name === 'AGENTRUN_API_KEY');
  return found !== undefined && 'secret' in found
    ? found.secret
    : { namespace: 'local', name: 'agentrun-api-key', key: 'API_KEY' };
}

function databaseOf(options: Options, env: Environment): { url: string; by: string } | null {
  if (options.databaseUrl !== null) return { url: options.databaseUrl, by: '--database-url' };
  const url = env['DATABASE_URL'] ?? '';
  return url === '' ? null : { url, by: 'DATABASE_URL' };
}

function describe(variable: RenderedVariable | undefined): string | null {
  if (variable === undefined) return null;
  if ('value' in variable) return shownValue(variable.name, variable.value);
  return `(Secret ${variable.secret.name}, key ${variable.secret.key})`;
}

function fromEnvironment(env: Environment): readonly RenderedVariable[] {
  return Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
}

type Parsed = Omit<Config, 'local' | 'database' | 'replaced'> & { readonly databaseUrl: string };

/** All faults at once: those that are known already, those of the lane's variables, and those of ours. */
function parse({ variables, problems }: ResolvedEnvironment, env: Environment): Parsed {
  const found: Problem[] = [...problems];
  const command = variables['AGENTRUN_RUNNER_COMMAND'] ?? env['AGENTRUN_RUNNER_COMMAND'] ?? '';
  const runnerCommand = command === '' ? null : argvOf(command);
  if (runnerCommand === 'invalid') {
    const message = 'AGENTRUN_RUNNER_COMMAND must be a JSON array of texts, the first not empty';
    found.push({ code: 'environment-invalid', severity: 'error', message });
  }
  const telemetryEndpoint = variables['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? '';
  if (telemetryEndpoint !== '' && !isHttpUrl(telemetryEndpoint)) {
    // Not quoted: it may hold a credential.
    const message = 'OTEL_EXPORTER_OTLP_ENDPOINT must be the http or https URL of a collector';
    found.push({ code: 'environment-invalid', severity: 'error', message });
  }
  const config = managerConfig(variables, found);
  if (config === null || runnerCommand === 'invalid' || found.length > 0) {
    const count = found.length === 1 ? 'a fault' : `${found.length} faults`;
    throw new AgentRunError('environment-invalid', `the environment of the manager has ${count}`, { problems: found });
  }
  const { databaseUrl, apiKey, listenHost, listenPort, ...manager } = config;
  return {
    manager,
    databaseUrl,
    apiKey,
    listen: { host: listenHost, port: listenPort },
    runnerCommand,
    telemetryEndpoint: telemetryEndpoint === '' ? null : telemetryEndpoint,
    host: { path: env['PATH'] ?? '', home: env['HOME'] ?? '' },
  };
}

function managerConfig(variables: Environment, problems: Problem[]): ManagerConfig | null {
  try {
    return readManagerConfig(variables);
  } catch (error) {
    if (!(error instanceof AgentRunError)) throw error;
    problems.push(...error.problems);
    return null;
  }
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

function argvOf(text: string): readonly string[] | 'invalid' {
  try {
    const value: unknown = JSON.parse(text);
    const right = Array.isArray(value) && value.every((item) => typeof item === 'string') && value[0] !== '';
    return right && value.length > 0 ? (value as string[]) : 'invalid';
  } catch {
    return 'invalid';
  }
}
