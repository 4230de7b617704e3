import { readFile } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import type { Terminal } from '../terminal.ts';
import { clientError } from './client-error.ts';

/** What the command line says of the manager. */
export interface ManagerOptions {
  readonly url?: string;
  readonly apiKeyFile?: string;
  readonly dataDir?: string;
}

/** Where a manager is, and with which key it is spoken to. Holds a secret. */
export interface ManagerAddress {
  /** Without a slash at the end. */
  readonly url: string;
  readonly key: string;
}

/** `client.json` of a data folder: a manager in local mode writes it when it listens. */
interface ClientFile {
  readonly url: string;
  readonly apiKeyFile: string;
}

/**
 * Finds the manager: `--url`, else AGENTRUN_URL, else `client.json` of the data folder; the key by `--api-key-file`,
 * AGENTRUN_API_KEY, AGENTRUN_API_KEY_FILE, `client.json`. The key of the folder is sent to no other address.
 *
 * @throws ClientError `manager-unknown`, `api-key-missing`, `file-unreadable` or `usage`
 */
export async function managerAddress(options: ManagerOptions, terminal: Terminal): Promise<ManagerAddress> {
  const { env } = terminal;
  const folder = findDataFolder(options.dataDir, terminal);
  const file = folder === null ? undefined : await readClientFile(folder);
  const given = options.url ?? (env['AGENTRUN_URL'] || undefined);
  const url = given ?? file?.url;
  if (url === undefined) {
    const none = folder === null ? 'HOME is not set' : `none runs in ${folder}`;
    throw clientError('manager-unknown', `nothing says where the manager is, and ${none}`);
  }
  const address = baseUrl(url, options.url === undefined ? 'AGENTRUN_URL' : '--url');
  return { url: address, key: await keyFor(address, options, file, terminal) };
}

/** The data folder, absolute: what is given, else as the manager finds it. @throws ClientError `usage` for none */
export function dataFolder(given: string | undefined, terminal: Terminal): string {
  const found = findDataFolder(given, terminal);
  if (found !== null) return found;
  throw clientError('usage', 'HOME is not set, so there is no data folder', 'Give --data-dir.');
}

function findDataFolder(given: string | undefined, terminal: Terminal): string | null {
  const { env } = terminal;
  const named = given ?? env['AGENTRUN_DATA_DIR'] ?? '';
  if (named !== '') return resolve(terminal.cwd(), named);
  const state = env['XDG_STATE_HOME'] ?? '';
  if (isAbsolute(state)) return join(state, 'agentrun');
  const home = env['HOME'] ?? '';
  return home === '' ? null : join(home, '.local', 'state', 'agentrun');
}

/** What a manager that listens says of itself; undefined when there is none, or the file is not one. */
export async function readClientFile(folder: string): Promise<ClientFile | undefined> {
  try {
    const value = JSON.parse(await readFile(join(folder, 'client.json'), 'utf8')) as Partial<ClientFile> | null;
    if (typeof value?.url !== 'string' || typeof value.apiKeyFile !== 'string') return undefined;
    return { url: value.url, apiKeyFile: value.apiKeyFile };
  } catch {
    return undefined;
  }
}

function baseUrl(text: string, origin: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw clientError('usage', `${origin} is no http or https address without a password`, 'Give one.');
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

async function keyFor(
  url: string,
  { apiKeyFile }: ManagerOptions,
  file: ClientFile | undefined,
  terminal: Terminal,
): Promise<string> {
  const { env } = terminal;
  if (apiKeyFile !== undefined) return await readKey(resolve(terminal.cwd(), apiKeyFile), '--api-key-file');
  const inEnvironment = env['AGENTRUN_API_KEY']?.trim() ?? '';
  if (inEnvironment !== '') return inEnvironment;
  const named = env['AGENTRUN_API_KEY_FILE'] ?? '';
  if (named !== '') return await readKey(resolve(terminal.cwd(), named), 'AGENTRUN_API_KEY_FILE');
  if (file !== undefined && baseUrl(file.url, 'client.json') === url)
    return await readKey(file.apiKeyFile, 'client.json');
  throw clientError('api-key-missing', `there is no API key for ${url}`);
}

async function readKey(path: string, origin: string): Promise<string> {
  let key: string;
  try {
    key = (await readFile(path, 'utf8')).trim();
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown reason';
    throw clientError('file-unreadable', `the key file ${path} (${origin}) cannot be read: ${reason}`);
  }
  if (!/^[!-~]+$/.test(key)) throw clientError('api-key-missing', `the file ${path} (${origin}) holds no API key`);
  return key;
}
