import { maskSecrets } from '../contract/secret-shapes.ts';
import { printable } from './characters.ts';
import { isSecretPair } from './secret-pair.ts';

const LONGEST = 80;

/**
 * A value as a message shows it, after the word "found": short, on one line, never a secret. `name` is the key that the
 * value stands behind; a value that its name makes a secret is not shown.
 */
export function foundText(value: unknown, name: string | number | undefined): string {
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object' && value !== null)
    return Object.keys(value).length === 0 ? 'an empty mapping' : 'a mapping';
  if (typeof value !== 'string') return isTelling(name) ? 'a value that is not shown' : String(value);
  if (isTelling(name) || (name !== undefined && isSecretPair(String(name), value))) return 'a text that is not shown';
  // What stands before an "@" may be a password, in a URL that is not written well enough to be told for one.
  const quoted = JSON.stringify(maskSecrets(value).replaceAll(/[^\s/@]*@(?!sha256:)/g, '[secret]@'));
  const points = Array.from(quoted.slice(0, 2 * LONGEST));
  return printable(
    points.length > LONGEST ? `${points.slice(0, LONGEST).join('')}…" (${value.length} characters)` : quoted,
  );
}

/** Whether what stands behind the name is a secret by the name alone, or refers to one and may be it by mistake. */
const isTelling = (name: string | number | undefined): boolean =>
  typeof name === 'string' && (/SecretRef$|^secretRef$/.test(name) || isSecretPair(name, 'some words'));

/** A message as it leaves this folder: on one line, without control characters, secrets masked. */
export function messageText(text: string): string {
  return maskSecrets(printable(text));
}
