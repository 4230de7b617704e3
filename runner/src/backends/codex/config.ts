import type { Profile } from '../../profile.ts';
import { BackendFailure } from '../backend-failure.ts';
import { cleanText } from '../clean-payload.ts';
import { modelCatalog } from './model-catalog.ts';

/** The id of our provider in codex's configuration; the answer to thread/start must name it. */
export const PROVIDER = 'agentrun';
/** The variable that carries the key to codex; what codex starts does not get it. */
export const KEY_VARIABLE = 'AGENTRUN_MODEL_KEY';

/** The files that CODEX_HOME must hold. */
export interface CodexFiles {
  readonly 'config.toml': string;
  readonly 'models.json'?: string;
}

type TomlValue = string | number | boolean | readonly string[];

/**
 * The configuration of codex for a profile. It is written anew for each attempt, and read with `--strict-config`, so
 * that a mistake ends codex instead of sending it to another provider.
 *
 * @param home CODEX_HOME, absolute
 * @throws BackendFailure `profile-invalid` for what codex cannot do
 */
export function codexFiles(profile: Profile, home: string): CodexFiles {
  const { config, credential, name } = profile;
  const { options = {} } = config;
  if (config.wireApi !== undefined && config.wireApi !== 'responses') {
    const what = `profile ${name} asks for wireApi "${config.wireApi}", but codex speaks "responses" only`;
    throw new BackendFailure('profile-invalid', `${what}. Name the provider's base URL of the Responses API`);
  }
  const catalog = modelCatalog(config);
  const root = {
    model: config.model,
    model_provider: PROVIDER,
    model_reasoning_effort: config.reasoning,
    model_context_window: catalog === null ? options.contextWindow : undefined,
    model_catalog_json: catalog === null ? undefined : `${home}/models.json`,
    approval_policy: 'never',
    sandbox_mode: 'read-only',
    check_for_update_on_startup: false,
    cli_auth_credentials_store: 'file',
  };
  const provider = {
    name,
    base_url: config.baseUrl?.replace(/\/+$/, '') ?? 'https://api.openai.com/v1',
    wire_api: 'responses',
    env_key: credential.kind === 'api-key' ? KEY_VARIABLE : undefined,
    request_max_retries: options.requestMaxRetries ?? 4,
    stream_max_retries: options.streamMaxRetries ?? 5,
    stream_idle_timeout_ms: options.streamIdleTimeoutMs ?? 300_000,
  };
  const toml = [
    table(null, root),
    table(`model_providers.${PROVIDER}`, provider),
    // Without it, commands of the agent would get the key.
    table('shell_environment_policy', { inherit: 'all', ignore_default_excludes: true, exclude: [KEY_VARIABLE] }),
    // Plugins ask the network at the start; a refused connection would be tried for ever.
    table('features', { plugins: false, unbounded_connection_retries: false }),
    table('analytics', { enabled: false }),
  ].join('\n');
  return catalog === null ? { 'config.toml': toml } : { 'config.toml': toml, 'models.json': JSON.stringify(catalog) };
}

function table(name: string | null, members: Readonly<Record<string, TomlValue | undefined>>): string {
  const lines = Object.entries(members).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key} = ${tomlValue(value)}\n`],
  );
  return `${name === null ? '' : `[${name}]\n`}${lines.join('')}`;
}

function tomlValue(value: TomlValue): string {
  if (typeof value === 'string') return tomlText(value);
  return typeof value === 'object' ? `[${value.map(tomlText).join(', ')}]` : String(value);
}

/** A basic string of TOML: as in JSON, but DEL must be escaped too. */
function tomlText(value: string): string {
  return JSON.stringify(cleanText(value)).replaceAll('\u007f', '\\u007F');
}
