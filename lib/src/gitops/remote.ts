import { isAbsolute, resolve } from 'node:path';
import { findSecret, maskSecrets } from '../contract/secret-shapes.ts';
import { AgentRunError, type ErrorCode } from '../errors.ts';
import { GitFailure } from './git.ts';

/**
 * The remote as git gets it: paths made absolute, since git runs elsewhere.
 *
 * @throws AgentRunError `remote-invalid` for an option, a transport helper, or a URL with a password
 */
export function resolveRemote(remote: string, cwd = process.cwd()): string {
  if (findSecret(remote) !== undefined) {
    throw new AgentRunError('remote-invalid', `the remote ${maskSecrets(remote)} holds a password`);
  }
  if (/^(?:https?|ssh|git|file):\/\/[^\s]+$/.test(remote)) return remote;
  if (remote === '' || remote.startsWith('-') || /::|\s|^[a-z][a-z0-9+.-]*:\/\//i.test(remote)) {
    throw new AgentRunError('remote-invalid', `"${remote}" is no remote`);
  }
  // user@host:path, unless a "/" before the ":" makes it a path.
  if (/^[^/:]+:(?!\/\/)/.test(remote)) return remote;
  return isAbsolute(remote) ? remote : resolve(cwd, remote);
}

/**
 * Wordings of git and of servers for "somebody was faster", each seen from a real server: git itself over files, http
 * and ssh, and the hosting systems that put their own words around it.
 */
const RACE =
  /fetch first|non-fast-forward|stale info|cannot lock ref|unable to lock|failed to update ref|failed to lock|incorrect old value|reference already exists|but expected|is at [0-9a-f]{7,64} but|remote ref is at|Unable to create '[^']*\.lock'|shallow file has changed|shallow\.lock|atomic push failed|reference update failed|try again later|conflicting ref update/i;

const KNOWN: readonly { readonly pattern: RegExp; readonly code: ErrorCode; readonly what: string }[] = [
  {
    pattern: /protected branch|protected ref|GH006|GH013|pre-receive hook declined|update hook declined|not allowed to push|branch is locked|hook declined|deny updating|refusing to update checked out branch|prohibited by/i,
    code: 'branch-protected',
    what: 'the server protects the branch',
  },
  {
    pattern: /Authentication failed|could not read Username|could not read Password|terminal prompts disabled|Permission denied \((?:publickey|password)|HTTP Basic: Access denied|error: 40[13]\b|The requested URL returned error: 40[13]|access denied|insufficient permission|not authorized|Write access to repository not granted|remote: Permission to .* denied|Invalid username or/i,
    code: 'remote-auth',
    what: 'the server does not accept the credentials',
  },
  {
    pattern: /repository .*not found|does not appear to be a git repository|does not exist|not a git repository|The requested URL returned error: 404|Repository not found/i,
    code: 'remote-not-found',
    what: 'there is no such repository',
  },
  {
    pattern: /Could not resolve host|Could not connect|Couldn't connect|Connection (?:refused|timed out|reset|closed)|Failed to connect|Network is unreachable|No route to host|Host key verification failed|Operation timed out|unable to access|early EOF|hung up unexpectedly|unexpected disconnect|Empty reply from server|SSL|certificate|The requested URL returned error: 5\d\d|Broken pipe/i,
    code: 'remote-unreachable',
    what: 'the server cannot be reached, or went away',
  },
];

/** Whether the words of a refused push say that another publisher was faster. */
export const isRace = (error: unknown): boolean => error instanceof GitFailure && RACE.test(error.message);

/** A failure of git towards a remote, in words for people, without a credential. */
export function remoteFailure(error: unknown, remote: string, fallback: ErrorCode = 'git-failed'): AgentRunError {
  if (error instanceof AgentRunError) return error;
  const said = error instanceof Error ? error.message : String(error);
  const known = KNOWN.find(({ pattern }) => pattern.test(said));
  const what = known?.what ?? 'git failed';
  const words = maskSecrets(said).replaceAll(/\/\/[^/@\s]+@/g, '//').trim();
  return new AgentRunError(known?.code ?? fallback, `${shownRemote(remote)}: ${what}: ${lastLines(words)}`, { cause: error });
}

/** A remote without user and password. */
export const shownRemote = (remote: string): string => maskSecrets(remote).replace(/\/\/[^/@\s]+@/, '//');

/** The lines that tell something; git repeats advice around them. */
function lastLines(words: string): string {
  const lines = words.split('\n').map((line) => line.trim()).filter((line) => line !== '' && !/^(?:hint:|To |Done$)/.test(line));
  return lines.slice(0, 4).join(' | ').slice(0, 600);
}
