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
  if (typeof value !== 'string') return String(value);
  if (name !== undefined && isSecretPair(String(name), value)) return 'a text that is not shown';
  const quoted = JSON.stringify(maskSecrets(value));
  const points = Array.from(quoted.slice(0, 2 * LONGEST));
  return printable(
    points.length > LONGEST ? `${points.slice(0, LONGEST).join('')}…" (${value.length} characters)` : quoted,
  );
}

/** A message as it leaves this folder: on one line, without control characters, secrets masked. */
export function messageText(text: string): string {
  return maskSecrets(printable(text));
}
