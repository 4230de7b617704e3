/**
 * Secrets that can be told by their form alone: keys and tokens with a fixed beginning, private keys, URLs, headers.
 *
 * Every expression takes time linear in the text: either nothing can fail after its unbounded part,
 * or the part is bounded. The group `secret` is what has to be taken out; without one it is the whole match.
 */
import { isReference } from './benign-value.ts';

export interface SecretToken {
  readonly shape: string;
  /** Every match holds one of these texts, in the case of the pattern, so that most texts need no further look. */
  readonly hints: readonly string[];
  readonly pattern: RegExp;
  /** Looks again at a match; returns the end of the secret, or undefined if it is none. */
  readonly confirm?: Confirm;
}

type Confirm = (secret: string, text: string, end: number) => number | undefined;

/** Not within a word; an escape such as `\n`, `%3D` or `\u003d` before it does not make it one. */
const START = '(?:(?<![A-Za-z0-9])|(?<=\\\\[nrtbf])|(?<=%[0-9A-Fa-f]{2})|(?<=\\\\u[0-9A-Fa-f]{4}))';

/** `hints` are separated by spaces. */
function shaped(shape: string, hints: string, pattern: RegExp, confirm?: Confirm): SecretToken {
  return { shape, hints: hints.split(' '), pattern, ...(confirm === undefined ? {} : { confirm }) };
}

/** A token that begins with one of some prefixes, separated by spaces. */
function token(shape: string, prefixes: string, body: string, confirm?: Confirm): SecretToken {
  const prefix = `(?:${prefixes.replaceAll('.', '\\.').replaceAll(' ', '|')})`;
  return shaped(shape, prefixes, new RegExp(START + prefix + body, 'dg'), confirm);
}

const mixed: Confirm = (secret, _text, end) =>
  /[A-Z]/.test(secret) && /[a-z]/.test(secret) && /[0-9]/.test(secret) ? end : undefined;
const withDigit: Confirm = (secret, _text, end) => (/[0-9]/.test(secret) ? end : undefined);
const literal: Confirm = (secret, _text, end) => (isReference(secret) ? undefined : end);

/** The block up to its END line, or up to the end of the text; a header alone is no key. */
function pemBlock(_header: string, text: string, end: number): number | undefined {
  const next = text.indexOf('-----', end);
  const stop = next === -1 ? text.length : next;
  if (!/[A-Za-z0-9+/]{16}/.test(text.slice(end, stop))) return undefined;
  const footer = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/y;
  footer.lastIndex = stop;
  return footer.test(text) ? footer.lastIndex : stop;
}

/** The parts of a JSON Web Token (or encrypted token) after its header. */
function jwtParts(_header: string, text: string, end: number): number | undefined {
  const parts = /\.[A-Za-z0-9_-]{0,65536}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+){0,2}/y;
  parts.lastIndex = end;
  return parts.test(text) ? parts.lastIndex : undefined;
}

const WORD = '[A-Za-z0-9_-]';

export const SECRET_TOKENS: readonly SecretToken[] = [
  shaped('pem-private-key', '-----BEGIN', /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/dg, pemBlock),
  shaped('putty-private-key', 'PuTTY-User-Key', /PuTTY-User-Key-File-[0-9]:[\s\S]{0,4096}/dg),
  shaped('jwt', 'eyJ', /eyJ[A-Za-z0-9_-]{8,}/dg, jwtParts),
  token('age-secret-key', 'AGE-SECRET-KEY-', '(?:PQ-)?1[0-9A-Za-z]{20,}'),
  token('agentrun-attempt-token', 'art_', `[A-Za-z0-9-]{1,64}_${WORD}{32,}`),
  token('github-token', 'ghp_ gho_ ghu_ ghs_ ghr_ github_pat_', '[A-Za-z0-9_]{20,}'),
  token(
    'gitlab-token',
    'glpat- gldt- glrt- glrtr- glcbt- glptt- glft- glsoat- glagent- gloas- glimt- glffct-',
    '[A-Za-z0-9_.-]{18,}',
  ),
  token('bitbucket-token', 'ATBB', '[A-Za-z0-9]{24,}'),
  token('atlassian-token', 'ATATT3', '[A-Za-z0-9_=-]{40,}'),
  token('google-api-key', 'AIza', `${WORD}{35}`),
  token('google-oauth-token', 'ya29.', `${WORD}{20,}`),
  token('google-oauth-client-secret', 'GOCSPX-', `${WORD}{20,}`),
  token('anthropic-key', 'sk-ant-', `${WORD}{16,}`),
  token('openai-key', 'sk-', `(?:proj|svcacct|admin|None|or-v1|lf)-${WORD}{16,}`, withDigit),
  token('openai-key', 'sk-', '[A-Za-z0-9]{20,}', withDigit),
  token('groq-key', 'gsk_', '[A-Za-z0-9]{32,}'),
  token('xai-key', 'xai-', '[A-Za-z0-9]{40,}'),
  token('perplexity-key', 'pplx-', '[A-Za-z0-9]{32,}'),
  token('replicate-key', 'r8_', '[A-Za-z0-9]{30,}'),
  token('hugging-face-token', 'hf_ api_org_', '[A-Za-z0-9]{30,}'),
  token('slack-token', 'xox', '[a-z](?:\\.xox[a-z])?-[A-Za-z0-9-]{10,}', withDigit),
  token('slack-token', 'xapp-', '[A-Za-z0-9-]{20,}', withDigit),
  shaped(
    'slack-webhook',
    'hooks.slack.com',
    /hooks\.slack\.com\/(?:services|workflows|triggers)\/(?<secret>[A-Za-z0-9_/-]{20,})/dg,
  ),
  shaped('discord-webhook', '/api/webhooks/', /\.com\/api\/webhooks\/[0-9]{15,22}\/(?<secret>[A-Za-z0-9_-]{40,})/dg),
  shaped('telegram-bot-token', ':AA', /(?<![0-9])[0-9]{8,10}:AA[A-Za-z0-9_-]{32,}/dg),
  token('stripe-key', 'sk_live_ sk_test_ rk_live_ rk_test_', '[A-Za-z0-9]{16,}'),
  token('webhook-secret', 'whsec_', '[A-Za-z0-9+/]{24,}={0,2}'),
  token('shopify-token', 'shpat_ shpca_ shppa_ shpss_', '[A-Fa-f0-9]{32}'),
  token('npm-token', 'npm_', '[A-Za-z0-9]{36,}'),
  token('pypi-token', 'pypi-', `${WORD}{32,}`, mixed),
  token('rubygems-key', 'rubygems_', '[a-f0-9]{40,}'),
  token('docker-token', 'dckr_pat_ dckr_oat_', `${WORD}{20,}`),
  token('digitalocean-token', 'doo_v1_ dop_v1_ dor_v1_', '[a-f0-9]{40,}'),
  token('sendgrid-key', 'SG.', `${WORD}{16,32}\\.${WORD}{32,64}`),
  token('mailgun-key', 'key-', '[0-9a-f]{32}(?![0-9a-f])'),
  token('twilio-key', 'SK', '[0-9a-f]{32}(?![0-9A-Za-z])'),
  token('vault-token', 'hvs. hvb. hvr.', `${WORD}{24,}`),
  shaped('terraform-token', '.atlasv1.', /(?<![A-Za-z0-9])[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{40,}/dg),
  token('databricks-token', 'dapi', '[a-f0-9]{32}'),
  token('grafana-token', 'glsa_', '[A-Za-z0-9_]{32,}'),
  token('linear-key', 'lin_api_ lin_oauth_', '[A-Za-z0-9]{32,}'),
  token('supabase-token', 'sbp_ sb_secret_', '[A-Za-z0-9_]{24,}'),
  token('tailscale-key', 'tskey-', '(?:auth|api|client|scim|webhook)-[A-Za-z0-9-]{16,}'),
  token('sentry-token', 'sntrys_ sntryu_', '[A-Za-z0-9+/=_]{32,}'),
  token('new-relic-key', 'NRAK-', '[A-Z0-9]{24,}'),
  token('postman-key', 'PMAK-', '[a-f0-9-]{40,}'),
  token('doppler-token', 'dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit.', '[A-Za-z0-9_.-]{32,}'),
  shaped(
    'azure-storage-key',
    'AccountKey= SharedAccessKey= SharedSecretKey=',
    /(?:AccountKey|SharedAccessKey|SharedSecretKey)=(?<secret>[A-Za-z0-9+/%]{24,}={0,2})/dgi,
  ),
  shaped('azure-sas-signature', 'sig=', /[?&]sig=(?<secret>[A-Za-z0-9+/%_-]{24,}={0,2})/dg),
  shaped('azure-client-secret', 'Q~', /[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,}/dg),
  shaped(
    'docker-registry-auth',
    'auth" auth\\ identitytoken',
    /\\{0,3}"(?:auth|identitytoken)\\{0,3}"[ \t]{0,8}:[ \t]{0,8}\\{0,3}"(?<secret>[A-Za-z0-9+/._-]{8,}={0,2})/dg,
  ),
  // Up to the last "@" of the authority; or, if that holds none, a password with "/" in it, which a port has not.
  shaped(
    'url-password',
    '://',
    /:\/\/[^\s/:@?#"'<>`[\]]{0,256}:(?<secret>(?:[^\s/?#"'<>`\\]{1,512}(?=@))|(?:(?![0-9]{0,5}(?:[/?#\s"'<>`\\,;)]|$))[^\s@"'<>`\\]{1,512}(?=@)))/dg,
    literal,
  ),
  shaped('url-password', '@tcp( @unix(', /:(?<secret>[^\s@:/"'<>`\\]{1,256})@(?:tcp|unix)\(/dg, literal),
  shaped(
    'authorization-header',
    'authorization',
    /authorization\\{0,3}["']?[ \t]{0,8}[:=][ \t]{0,8}\\{0,3}["']?(?:bearer|basic|token|digest|apikey|negotiate)(?:[ \t]{1,8}|%20|\+)(?<secret>[^\s"'`,;<>\\]{4,})/dgi,
    literal,
  ),
  shaped(
    'bearer-token',
    'bearer',
    /(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))bearer[ \t]{1,8}(?<secret>[A-Za-z0-9._~+/=-]{16,})/dgi,
    withDigit,
  ),
  shaped(
    'basic-auth',
    'curl',
    /(?:(?<![A-Za-z0-9_-])|(?<=\\[nrt]))curl\b[^\n]{0,300}?[ \t](?:-u[ \t]{0,4}|--user[ \t=]{1,4})["']?[^\s:"']{0,128}:(?<secret>[^\s"']{1,256})/dg,
    literal,
  ),
];

const ANY_HINT = new RegExp(
  SECRET_TOKENS.flatMap(({ hints }) => hints.map((hint) => hint.replace(/[.()\\/]/g, '\\$&'))).join('|'),
  'gi',
);
const LONGEST_HINT = Math.max(...SECRET_TOKENS.flatMap(({ hints }) => hints.map((hint) => hint.length)));

/** The tokens by the first two characters of a hint: places of hints are many in a large text, hints at a place few. */
const BY_BEGINNING = new Map<string, { hint: string; token: SecretToken }[]>();
for (const secret of SECRET_TOKENS) {
  for (const written of secret.hints) {
    const hint = secret.pattern.ignoreCase ? written.toLowerCase() : written;
    const beginning = hint.slice(0, 2).toLowerCase();
    BY_BEGINNING.set(beginning, [...(BY_BEGINNING.get(beginning) ?? []), { hint, token: secret }]);
  }
}

/** The tokens of which a hint is in the text, in the order of the table; for most texts none, found out in one look. */
export function hintedTokens(text: string): readonly SecretToken[] {
  ANY_HINT.lastIndex = 0;
  let match = ANY_HINT.exec(text);
  if (match === null) return [];
  const hinted = new Set<SecretToken>();
  for (; match !== null; match = ANY_HINT.exec(text)) {
    const place = text.slice(match.index, match.index + LONGEST_HINT);
    const lowerCase = place.toLowerCase();
    for (const { hint, token: secret } of BY_BEGINNING.get(lowerCase.slice(0, 2)) ?? []) {
      if ((secret.pattern.ignoreCase ? lowerCase : place).startsWith(hint)) hinted.add(secret);
    }
    // Another hint may begin within this one.
    ANY_HINT.lastIndex = match.index + 1;
  }
  return SECRET_TOKENS.filter((secret) => hinted.has(secret));
}
