import type { Redactor } from '@agentrun/lib/contract';
import type { SchemaPart } from './expected-text.ts';

const LONGEST = 60;
/** How much of a text is looked at; no more of it is shown. */
const READ = 2_000;
const HIDDEN = 'a value that is not shown';

/**
 * A received value for a message: short, on one line, never a secret. `name` is the key that it stands behind: one that
 * tells of a secret hides it, and so does `writeOnly` in the schema.
 */
export function receivedText(
  value: unknown,
  name: string | number | undefined,
  { writeOnly }: SchemaPart,
  redactor: Redactor,
): string {
  if (writeOnly === true) return HIDDEN;
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = typeof value === 'string' ? value.slice(0, READ) : String(value as number | boolean | null);
  const pair = { [name ?? '']: text };
  if (redactor.json(pair) !== pair || redactor.finds(JSON.stringify(pair))) return HIDDEN;
  if (typeof value !== 'string') return text;
  const quoted = JSON.stringify(text);
  return quoted.length > LONGEST ? `${quoted.slice(0, LONGEST)}…" (${value.length} characters)` : quoted;
}
