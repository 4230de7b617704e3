import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type CredentialKind, PROFILE_DATA, type ProfileConfig } from '@agentrun/lib/contract';
import { clientError } from '../client/client-error.ts';
import type { ManagerApi } from '../client/manager-api.ts';
import type { Terminal } from '../terminal.ts';

/** What the command line says of the profile. */
export interface ProfileOptions {
  readonly profile: string;
  readonly baseUrl?: string;
  readonly model?: string;
  readonly keyFile?: string;
}

/** Variables in which people have the key of a provider. */
const KEY_VARIABLES: Readonly<Record<string, string>> = {
  codex: 'OPENAI_API_KEY',
  deepseek: 'DEEPSEEK_API_KEY',
  'minimax-m3': 'MINIMAX_API_KEY',
};

/** The key that was given, from a file or a variable; null for none. Holds a secret. */
export async function givenKey({ profile, keyFile }: ProfileOptions, terminal: Terminal): Promise<string | null> {
  if (keyFile === undefined) return terminal.env[KEY_VARIABLES[profile] ?? '']?.trim() || null;
  try {
    const key = (await readFile(resolve(terminal.cwd(), keyFile), 'utf8')).trim();
    if (key !== '') return key;
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown reason';
    throw clientError('file-unreadable', `the key file ${keyFile} cannot be read: ${reason}`);
  }
  throw clientError('profile-key-missing', `the file ${keyFile} is empty`);
}

/**
 * Gives the profile its address, model and key, as far as they are said; what an earlier start gave stays.
 *
 * @returns what was set, in words; empty for nothing
 * @throws ClientError `profile-key-missing` when the profile needs a key that nobody gave, unless another provider is named
 */
export async function setProfile(api: ManagerApi, options: ProfileOptions, key: string | null): Promise<string[]> {
  const { profile, baseUrl, model } = options;
  const path = `provider-profiles/${encodeURIComponent(profile)}`;
  const said: string[] = [];
  if (baseUrl !== undefined || model !== undefined) {
    const { config } = await api.ask<{ config: ProfileConfig }>('GET', `${path}/config`);
    const body = {
      ...config,
      ...(baseUrl === undefined ? {} : { baseUrl }),
      ...(model === undefined ? {} : { model }),
    };
    await api.ask('PUT', `${path}/config`, { body });
    if (baseUrl !== undefined) said.push(`at ${baseUrl}`);
    if (model !== undefined) said.push(`with ${model}`);
  }
  if (key !== null) {
    await api.ask('PUT', `${path}/credential`, { body: { kind: 'api-key', value: key } });
    said.push('with your key');
    return said;
  }
  if (profile === 'demo' || baseUrl !== undefined) return said;
  const { credential } = await api.ask<{ credential: { kind: CredentialKind; configured: boolean } }>('GET', path);
  if (credential.kind === 'none' || credential.configured) return said;
  throw keyMissing(profile);
}

/**
 * Says before anything starts that a key is missing, where no earlier start can have given one.
 *
 * @throws ClientError `profile-key-missing`
 */
export function assertKey({ profile, baseUrl }: ProfileOptions, key: string | null): void {
  const shipped = Object.entries(PROFILE_DATA).find(([name]) => name === profile)?.[1];
  if (shipped?.credential === 'api-key' && key === null && baseUrl === undefined) throw keyMissing(profile);
}

function keyMissing(profile: string) {
  const variable = KEY_VARIABLES[profile];
  const hint = `Give --key-file FILE${variable === undefined ? '' : `, set ${variable}`}, or --base-url of a provider without a key.`;
  return clientError('profile-key-missing', `the profile ${profile} needs a key, and none was given`, hint);
}
