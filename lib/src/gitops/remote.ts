import { isAbsolute, resolve } from 'node:path';
import { findSecret, maskSecrets } from '../contract/secret-shapes.ts';
import { AgentRunError, type ErrorCode } from '../errors.ts';
import { laneSchema } from '../lane/schema/index.ts';
import { wordingOf } from './remote-wordings.ts';

const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;
const URL_FORM = /^(?:https?|ssh|git|file):\/\/(?!-)[^\s]+$/;

/**
 * The remote as git gets it: paths made absolute, since git runs elsewhere.
 *
 * @throws AgentRunError `remote-invalid` for an option, a transport helper, or a URL with a password
 */
export function resolveRemote(remote: string, cwd = process.cwd()): string {
  const hasPassword = /^[a-z][a-z0-9+.-]*:\/\/[^/\s]*:[^/\s]*@/i.test(remote);
  // The user of http is as good as a password: it is where tokens stand.
  if (findSecret(remote) !== undefined || hasPassword || /^https?:\/\/[^/\s]*@/i.test(remote)) {
    throw new AgentRunError('remote-invalid', `the remote ${shownRemote(remote)} holds a password`);
  }
  if (URL_FORM.test(remote) && !/@-/.test(remote)) return remote;
  // A host that begins with "-" would be an option of ssh; "helper::address" would run a program.
  const refused = /^$|^-|[\0\r\n]|^[a-z0-9+.-]+::/i.test(remote) || SCHEME.test(remote) || /^[^/:]*@-/.test(remote);
  if (refused) throw new AgentRunError('remote-invalid', `"${shownRemote(remote)}" is no remote`);
  // user@host:path, unless a "/" before the ":" makes it a path.
  if (/^[^/:\s]+:/.test(remote)) return remote;
  const path = isAbsolute(remote) ? remote : resolve(cwd, remote);
  if (/[\0\r\n]/.test(path)) throw new AgentRunError('remote-invalid', `"${shownRemote(path)}" is no remote`);
  return path;
}

const BRANCH = new RegExp(laneSchema.properties.gitops.properties.branch.pattern, 'u');

/** @throws AgentRunError `usage` for what git would not take as the name of one branch */
export function assertBranch(branch: string): void {
  if (BRANCH.test(branch)) return;
  throw new AgentRunError('usage', `"${branch}" is no name of a branch`, {
    hint: 'Give the name without "refs/heads/", as git check-ref-format allows it.',
  });
}

/** A failure of git towards a remote, in words for people, without a credential. */
export function remoteFailure(
  error: unknown,
  remote: string,
  { fallback = 'git-failed', hint }: { fallback?: ErrorCode; hint?: string } = {},
): AgentRunError {
  if (error instanceof AgentRunError) return error;
  const said = error instanceof Error ? error.message : String(error);
  const known = wordingOf(said);
  const what = known?.what ?? 'git failed';
  return new AgentRunError(known?.code ?? fallback, `${shownRemote(remote)}: ${what}: ${shownWords(said)}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** A remote without credentials. */
export const shownRemote = (remote: string): string =>
  maskSecrets(withoutCredentials(remote))
    // A user with a password in what is not written well enough to be told for a URL.
    .replaceAll(/[^\s/@]*:(?!\/\/)[^\s@]*@/g, '[secret]@')
    .replace(/^([a-z0-9+.-]+::).*$/is, '$1...');

/** What git said, without credentials, advice and progress, on one line. */
export function shownWords(said: string): string {
  const lines = maskSecrets(withoutCredentials(said))
    .split(/[\n\r]/)
    .map((line) => line.trim().replaceAll('\t', ' '))
    .filter((line) => line !== '' && !/^(?:hint:|To |Done$|remote: *$|POST git-)/.test(line));
  return lines.slice(0, 4).join(' | ').slice(0, 600);
}

/** A text in whose URLs stands no password, and in those of http no user either, which may be a token. */
export const withoutCredentials = (text: string): string =>
  text
    .replaceAll(/(https?:\/\/)[^/\s'"]*@/gi, '$1')
    .replaceAll(/([a-z][a-z0-9+.-]*:\/\/[^/\s'":@]*):[^/\s'"]*@/gi, '$1@');
