import { isAbsolute } from 'node:path';
import { invalidBundle } from './bundle-failure.ts';

/** How git reaches a repository; nothing else is let through to it. */
export type GitProtocol = 'https' | 'http' | 'ssh' | 'file';

export interface RepositoryAddress {
  /** As git gets it. */
  readonly url: string;
  readonly protocol: GitProtocol;
  /** Scheme, host and port of an http address, for settings that count for it alone. */
  readonly origin: string | null;
}

const SCP = /^(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9][A-Za-z0-9.-]*:(?!\/\/)[^\s-][^\s]*$/;

/**
 * Reads the address of a repository: an https, http, ssh or file URL, `user@host:path`, or an absolute path.
 *
 * @throws BackendFailure `resource-bundle-invalid`; the message never holds a password
 */
export function repositoryAddress(given: string): RepositoryAddress {
  if (/[\0-\x20\x7f]/.test(given)) throw invalidBundle('the URL of a repository has white space or control characters');
  if (isAbsolute(given)) return { url: given, protocol: 'file', origin: null };
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(given)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    // `ext::` and its like name a program to run.
    if (!given.includes('::') && SCP.test(given)) return { url: given, protocol: 'ssh', origin: null };
    throw invalidBundle(`${shown(given)} is no address of a repository: give an https, http, ssh or file URL`);
  }
  if (scheme !== 'https' && scheme !== 'http' && scheme !== 'ssh' && scheme !== 'file') {
    throw invalidBundle(`the URL ${shown(given)} has the scheme ${scheme}; https, http, ssh and file are allowed`);
  }
  let parsed: URL;
  try {
    parsed = new URL(given);
  } catch {
    throw invalidBundle(`the URL ${shown(given)} cannot be read`);
  }
  if (parsed.password !== '') {
    throw invalidBundle(
      `the URL ${shown(given)} holds a password: store a tool credential and name it in "credential"`,
    );
  }
  if (scheme === 'ssh' && parsed.hostname.startsWith('-')) throw invalidBundle(`the URL ${shown(given)} has no host`);
  const isHttp = scheme === 'https' || scheme === 'http';
  return { url: given, protocol: scheme, origin: isHttp ? `${parsed.protocol}//${parsed.host}` : null };
}

/** For messages: without user, password and query. */
export function shown(url: string): string {
  return JSON.stringify(url.replace(/\/\/[^/@]*@/, '//').replace(/[?#].*$/, ''));
}
