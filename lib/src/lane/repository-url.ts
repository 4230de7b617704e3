const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: '80', https: '443', ssh: '22', git: '9418' };
const WITH_SCHEME = /^([a-z][a-z0-9+.-]*):\/\/(?:[^@/]*@)?([^/]*)(\/.*)?$/i;
const SCP_FORM = /^(?:[^@/:]+@)?(\[[^\]]+\]|[^@/:[\]]+):(.*)$/;

/**
 * What a git URL says about the repository itself: `host[:port]/path`. The scheme, the user, the scheme's usual port,
 * and a trailing ".git" or "/" are dropped; the host is in lower case. `user@host:path` is understood, and
 * `file:///path` and a plain path are the path.
 */
export function normalizeRepositoryUrl(url: string): string {
  const trimmed = url.trim();
  const withScheme = WITH_SCHEME.exec(trimmed);
  if (withScheme !== null) {
    const [, scheme = '', authority = '', path = ''] = withScheme;
    return hostOf(authority, scheme.toLowerCase()) + pathOf(path);
  }
  // "C:\repository" and "C:/repository" are paths, though they look like the scp form.
  const scp = /^[A-Za-z]:[\\/]/.test(trimmed) ? null : SCP_FORM.exec(trimmed);
  if (scp === null) return pathOf(trimmed);
  const [, host = '', path = ''] = scp;
  return host.toLowerCase() + pathOf(path.startsWith('/') ? path : `/${path}`);
}

/** Whether two git URLs name one repository, as far as the URLs tell. */
export function sameRepository(a: string, b: string): boolean {
  return normalizeRepositoryUrl(a) === normalizeRepositoryUrl(b);
}

function hostOf(authority: string, scheme: string): string {
  const [, host = '', port] = /^(.*?)(?::([0-9]*))?$/.exec(authority) ?? [];
  const usual = port === undefined || port === '' || port === DEFAULT_PORTS[scheme];
  const name = scheme === 'file' && host.toLowerCase() === 'localhost' ? '' : host.toLowerCase();
  return usual ? name : `${name}:${port}`;
}

function pathOf(path: string): string {
  return path
    .replace(/\/{2,}/g, '/')
    .replace(/\/+$/, '')
    .replace(/\.git$/, '')
    .replace(/\/+$/, '');
}
