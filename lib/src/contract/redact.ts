/**
 * Takes secrets out of what is stored, shown or logged: those that are known, and those that can be told by their form.
 */
import { findSecret, maskSecrets, SECRET_MARK } from './secret-shapes.ts';

/** Shorter values are too common to be looked for in every text. */
const SHORTEST = 8;

/** Gives texts and JSON values without secrets. Pure; a value without one is given back as it is, not as a copy. */
export interface Redactor {
  text(text: string): string;
  json<T>(value: T): T;
  /** Whether a text holds a secret. For JSON, this is the cheap first question. */
  finds(text: string): boolean;
}

/**
 * Makes a redactor for texts and JSON values.
 *
 * @param known values that must not be shown wherever they stand; their base64, URL and JSON forms are meant too.
 */
export function redactor(known: readonly string[] = []): Redactor {
  const values = [...new Set(known.filter((value) => value.length >= SHORTEST).flatMap(forms))].sort(
    (a, b) => b.length - a.length,
  );
  const holdsKnown = (text: string) => values.some((value) => text.includes(value));
  const text = (given: string) => {
    let shown = given;
    if (holdsKnown(shown)) for (const value of values) shown = shown.replaceAll(value, SECRET_MARK);
    return maskSecrets(shown);
  };
  const json = <T>(value: T): T => redacted(value, text) as T;
  return { text, json, finds: (given) => holdsKnown(given) || findSecret(given) !== undefined };
}

function forms(value: string): string[] {
  const base64 = btoa(String.fromCharCode(...new TextEncoder().encode(value)));
  return [value, base64, base64.replace(/=+$/, ''), encodeURIComponent(value), JSON.stringify(value).slice(1, -1)];
}

function redacted(value: unknown, text: (given: string) => string): unknown {
  if (typeof value === 'string') return text(value);
  if (Array.isArray(value)) {
    const items = value.map((item) => redacted(item, text));
    return items.every((item, index) => item === value[index]) ? value : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  let changed = false;
  const entries = Object.entries(value).map(([name, item]): [string, unknown] => {
    const shownName = text(name);
    // A value behind a telling name is a secret whatever its form; the pair shows both to the same rules.
    const shown = typeof item === 'string' ? redactedMember(name, item, text) : redacted(item, text);
    changed ||= shown !== item || shownName !== name;
    return [shownName, shown];
  });
  return changed ? Object.fromEntries(entries) : value;
}

/** Names whose value is a secret in any JSON that people send around. */
const SECRET_MEMBER =
  /^(?:authorization|cookie|set-cookie|x-api-key)$|(?:password|passphrase|secret|api[-_]?key|private[-_]?key|access[-_]?token|refresh[-_]?token)$/i;

function redactedMember(name: string, value: string, text: (given: string) => string): string {
  return value !== '' && SECRET_MEMBER.test(name) ? SECRET_MARK : text(value);
}
