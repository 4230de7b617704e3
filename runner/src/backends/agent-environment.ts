import { ATTEMPT_ENVIRONMENT } from '@agentrun/lib/contract';
import type { BackendContext } from './backend.ts';

/** What an agent may take over from the variables around the runner. Everything else stays with the runner. */
const KEPT = [
  'PATH',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'TERM',
  'TZ',
  'TMPDIR',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NODE_EXTRA_CA_CERTS',
];
const PROXIES = { http: 'HTTP_PROXY', https: 'HTTPS_PROXY', no: 'NO_PROXY' } as const;

/**
 * The whole environment of an agent: an allow-list, its HOME, the proxies, the variables of the profile, and the mark
 * by which everything that it starts is found. A credential is added by the backend that needs it.
 */
export function agentEnvironment(context: BackendContext): Record<string, string> {
  const { environment: around, profile, home, attemptId } = context;
  const variables: Record<string, string> = { LANG: 'C.UTF-8', TERM: 'dumb' };
  for (const name of KEPT) {
    const value = around[name];
    if (value !== undefined && value !== '') variables[name] = value;
  }
  for (const [kind, name] of Object.entries(PROXIES)) {
    const given = profile.config.options?.proxy?.[kind as keyof typeof PROXIES];
    const value = given ?? around[name] ?? around[name.toLowerCase()];
    // Programs disagree about the case of these names.
    if (value) Object.assign(variables, { [name]: value, [name.toLowerCase()]: value });
  }
  return { ...variables, ...profile.config.env, HOME: home, [ATTEMPT_ENVIRONMENT.id]: attemptId };
}
