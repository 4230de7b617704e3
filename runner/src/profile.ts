import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  API_KEY_FILE,
  ATTEMPT_FILES,
  BACKENDS,
  CREDENTIAL_KINDS,
  type CredentialKind,
  PROFILE_VARIABLE,
  type ProfileConfig,
} from '@agentrun/lib/contract';
import { BackendFailure } from './backends/backend-failure.ts';

/** A profile as a backend gets it, with the value of its credential. */
export interface Profile {
  readonly name: string;
  readonly config: ProfileConfig;
  readonly credential: { readonly kind: CredentialKind; readonly value?: string };
}

/** The agents that AgentRun ships, beside the compiled runner. A bundled runner is told where they are. */
export const SHIPPED_AGENTS = fileURLToPath(new URL('../../templates/agents', import.meta.url));

/**
 * Reads the profile and its credential from an attempt folder.
 *
 * @throws BackendFailure `profile-invalid`, naming the file or the field; never with the value of a secret
 */
export async function readProfile(attemptDir: string): Promise<Profile> {
  const text = await read(join(attemptDir, ATTEMPT_FILES.profile));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BackendFailure('profile-invalid', `${ATTEMPT_FILES.profile} of the attempt is not JSON`);
  }
  const kind = credentialKind(value);
  if (kind === 'none') return parseProfile(value);
  const key = await read(join(attemptDir, ATTEMPT_FILES.credential, API_KEY_FILE));
  return parseProfile(value, key.trim());
}

/**
 * A profile from the value of `profile.json`. The manager has checked it against its schema; here stands only what a
 * backend must not meet.
 *
 * @throws BackendFailure `profile-invalid`
 */
export function parseProfile(value: unknown, apiKey?: string): Profile {
  const { name, config } = record(value, 'the profile');
  if (typeof name !== 'string' || name === '') invalid('the profile has no name');
  const settings = record(config, `the config of profile ${name}`);
  const backend = BACKENDS.find((known) => known === settings['backend']);
  if (backend === undefined) {
    invalid(
      `profile ${name} names the backend ${JSON.stringify(settings['backend'])}; there are ${BACKENDS.join(', ')}`,
    );
  }
  if (settings['command'] !== undefined && !isArgv(settings['command'])) {
    invalid(`"command" of profile ${name} is not a list of a program and its arguments`);
  }
  for (const [variable, content] of Object.entries(record(settings['env'] ?? {}, `"env" of profile ${name}`))) {
    if (!PROFILE_VARIABLE.test(variable))
      invalid(`profile ${name} may not set the variable ${JSON.stringify(variable)}`);
    if (typeof content !== 'string') invalid(`the variable ${variable} of profile ${name} is not a text`);
  }
  record(settings['options'] ?? {}, `"options" of profile ${name}`);
  const kind = credentialKind(value);
  if (kind === 'api-key' && !apiKey) {
    throw new BackendFailure('provider-auth-failed', `profile ${name} has no API key yet; store one in the manager`);
  }
  return {
    name,
    config: { ...(settings as ProfileConfig), backend },
    credential: kind === 'api-key' && apiKey !== undefined ? { kind, value: apiKey } : { kind: 'none' },
  };
}

function credentialKind(value: unknown): CredentialKind {
  const { credential } = record(value, 'the profile');
  const given = credential === undefined ? 'none' : record(credential, 'the credential of the profile')['kind'];
  const kind = CREDENTIAL_KINDS.find((known) => known === given);
  if (kind === undefined) invalid(`the credential of the profile is none of ${CREDENTIAL_KINDS.join(', ')}`);
  return kind;
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new BackendFailure('profile-invalid', `the attempt has no readable ${path} (${code})`, { cause: error });
  }
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) invalid(`${what} is not an object`);
  return value as Record<string, unknown>;
}

function isArgv(value: unknown): value is [string, ...string[]] {
  return Array.isArray(value) && value.length > 0 && value.every((part) => typeof part === 'string') && value[0] !== '';
}

function invalid(message: string): never {
  throw new BackendFailure('profile-invalid', message);
}
