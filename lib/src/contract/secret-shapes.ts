/**
 * What looks like a secret in a text: known shapes, values behind telling names, and long random strings.
 *
 * Pure; takes time linear in the text. No finding carries the secret itself, only its place.
 */
import { isAddress, isNoValue, isNumber, isReference } from './benign-value.ts';
import { findOpaqueSecret, type SecretFinding } from './opaque-secret.ts';
import { findSecretPairs } from './secret-pairs.ts';
import { hintedTokens } from './secret-tokens.ts';

export { findOpaqueSecret, type SecretFinding } from './opaque-secret.ts';

/** What `maskSecrets` writes in the place of a secret. */
export const SECRET_MARK = '[secret]';

const SECRET_NAME =
  /(?:^|_)(?:KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS)$|(?:PASSWORD|PASSWD|PASSPHRASE|APIKEY|PRIVATEKEY|SECRETKEY|ACCESSKEY)$/;

/** The fields of references to Secrets, such as the `key` of a `secretKeyRef`. */
const REFERENCE_FIELD = /^(?:key|secret)$/;

function tokensIn(text: string): SecretFinding[] {
  const found: SecretFinding[] = [];
  for (const { shape, pattern, confirm } of hintedTokens(text)) {
    for (const match of text.matchAll(pattern)) {
      const [start, matchEnd] = match.indices?.groups?.['secret'] ?? [match.index, match.index + match[0].length];
      const end = confirm === undefined ? matchEnd : confirm(text.slice(start, matchEnd), text, matchEnd);
      if (end !== undefined) found.push({ shape, start, end });
    }
  }
  return found;
}

const AWS_KEY_ID = /(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])/g;
const AWS_SECRET_KEY = /(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=])/g;
/** How far from its id, in characters, a secret key of AWS is looked for. */
const AWS_REACH = 200;

function awsKeysIn(text: string): SecretFinding[] {
  const found: SecretFinding[] = [];
  if (!text.includes('AKIA') && !text.includes('ASIA')) return found;
  for (const id of text.matchAll(AWS_KEY_ID)) {
    const end = id.index + id[0].length;
    found.push({ shape: 'aws-access-key-id', start: id.index, end });
    const from = Math.max(0, id.index - AWS_REACH);
    for (const key of text.slice(from, end + AWS_REACH).matchAll(AWS_SECRET_KEY)) {
      if (!/^[0-9a-f]+$/.test(key[0])) {
        found.push({ shape: 'aws-secret-access-key', start: from + key.index, end: from + key.index + 40 });
      }
    }
  }
  return found;
}

/** Short texts without a secret: the same names stand in every object of every lane. */
const harmless = new Set<string>();
const SHORT = 64;
const MOST_HARMLESS = 10_000;
const isKnownHarmless = (text: string): boolean => text.length <= SHORT && harmless.has(text);

/** All secrets of known shape and all values behind telling names, in order, without overlap. */
export function findSecrets(text: string): SecretFinding[] {
  if (isKnownHarmless(text)) return [];
  const found = [...tokensIn(text), ...awsKeysIn(text), ...findSecretPairs(text)];
  if (found.length === 0 && text.length <= SHORT) {
    if (harmless.size >= MOST_HARMLESS) harmless.clear();
    harmless.add(text);
  }
  if (found.length < 2) return found;
  found.sort((a, b) => a.start - b.start || b.end - a.end);
  const merged: SecretFinding[] = [];
  for (const next of found) {
    const last = merged.at(-1);
    if (last === undefined || next.start >= last.end) merged.push(next);
    else if (next.end > last.end) merged[merged.length - 1] = { ...last, end: next.end };
  }
  return merged;
}

/** The first secret of known shape, or value behind a telling name; undefined if there is none. */
export function findSecret(text: string): SecretFinding | undefined {
  return isKnownHarmless(text) ? undefined : findSecrets(text)[0];
}

/** The text with `[secret]` in the place of each secret of known shape; of a URL only the password goes. */
export function maskSecrets(text: string): string {
  let masked = '';
  let at = 0;
  for (const { start, end } of findSecrets(text)) {
    masked += text.slice(at, start) + SECRET_MARK;
    at = end;
  }
  return masked + text.slice(at);
}

/**
 * The secret in the value of an environment variable or of a similar pair, if there is one.
 *
 * A name whose last word is KEY, TOKEN, SECRET, PASSWORD or CREDENTIALS asks for a number, a boolean, a path, a URL,
 * a reference such as `$(NAME)`, or nothing. Under any name, a known shape or a long random string is a secret.
 */
export function secretAssignment(name: string, value: string): SecretFinding | undefined {
  const known = findSecret(value);
  if (known !== undefined) return known;
  const text = value.trim();
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[-. ]/g, '_')
    .toUpperCase();
  const benign = isNoValue(text) || isNumber(text) || isAddress(text) || isReference(text);
  if (!benign && !REFERENCE_FIELD.test(name) && SECRET_NAME.test(words))
    return { shape: 'secret-assignment', start: 0, end: value.length };
  return findOpaqueSecret(value);
}
