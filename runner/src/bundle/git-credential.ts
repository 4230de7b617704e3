import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ATTEMPT_FILES } from '@agentrun/lib/contract';
import { invalidBundle } from './bundle-failure.ts';
import type { RepositoryAddress } from './repository-url.ts';

/**
 * The files of a tool credential in the credential folder of an attempt, by what follows its name: for ssh a private key
 * and the known hosts, for https a token and, where the server wants one, a user name.
 */
export const TOOL_CREDENTIAL_FILES = {
  privateKey: '.private-key',
  knownHosts: '.known-hosts',
  token: '.token',
  username: '.username',
} as const;

/** What git must be told so that a server lets it in. */
export interface GitAccess {
  readonly environment: Readonly<Record<string, string>>;
  readonly settings: readonly (readonly [string, string])[];
}

const NO_ACCESS: GitAccess = { environment: {}, settings: [] };
/** Servers that take tokens take any user name with one. */
const ANY_USER = 'x-access-token';
const SSH =
  'ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=yes -o GlobalKnownHostsFile=/dev/null -o ConnectTimeout=30';

/**
 * How git gets in by a tool credential, or by none.
 *
 * @param scratch a folder of our own, for copies with the mode that ssh wants
 * @throws BackendFailure `resource-bundle-invalid` for a credential that the attempt does not have, or that does not fit
 */
export async function gitAccess(
  attemptDir: string,
  name: string | undefined,
  address: RepositoryAddress,
  scratch: string,
): Promise<GitAccess> {
  if (name === undefined) {
    return address.protocol === 'ssh'
      ? { ...NO_ACCESS, environment: { GIT_SSH_COMMAND: `${SSH} -o IdentitiesOnly=yes` } }
      : NO_ACCESS;
  }
  const part = async (file: string): Promise<string | null> => {
    try {
      return await readFile(join(attemptDir, ATTEMPT_FILES.credential, `${name}${file}`), 'utf8');
    } catch {
      return null;
    }
  };
  const { privateKey, knownHosts, token, username } = TOOL_CREDENTIAL_FILES;
  if (address.protocol === 'ssh') return await sshAccess(name, await part(privateKey), await part(knownHosts), scratch);
  if (address.origin === null)
    throw invalidBundle(`a repository at a file path takes no credential, but "${name}" is named`);
  const secret = (await part(token))?.trim();
  if (!secret)
    throw invalidBundle(`the attempt has no token of the tool credential "${name}", which ${address.protocol} needs`);
  const user = (await part(username))?.trim() || ANY_USER;
  const header = `Authorization: Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`;
  return {
    environment: {},
    settings: [
      // For this server alone, and never for one that it sends us to.
      [`http.${address.origin}/.extraHeader`, header],
      ['http.followRedirects', 'false'],
    ],
  };
}

async function sshAccess(name: string, key: string | null, hosts: string | null, scratch: string): Promise<GitAccess> {
  if (key === null)
    throw invalidBundle(`the attempt has no private key of the tool credential "${name}", which ssh needs`);
  if (hosts === null)
    throw invalidBundle(`the tool credential "${name}" has no known hosts, without which no server is trusted`);
  const [keyFile, hostsFile] = [join(scratch, 'key'), join(scratch, 'known-hosts')];
  await writeFile(keyFile, `${key.trimEnd()}\n`, { mode: 0o600 });
  await writeFile(hostsFile, hosts, { mode: 0o600 });
  await chmod(keyFile, 0o600);
  const command = `${SSH} -o IdentitiesOnly=yes -i ${quoted(keyFile)} -o UserKnownHostsFile=${quoted(hostsFile)}`;
  return { environment: { GIT_SSH_COMMAND: command }, settings: [] };
}

/** For the shell that git starts ssh by. */
function quoted(path: string): string {
  return `'${path.replaceAll("'", `'\\''`)}'`;
}
