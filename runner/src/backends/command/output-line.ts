import { EVENT_LIMITS, EVENT_TYPES, type EventType } from '@agentrun/lib/contract';
import { isObject, type JsonObject } from '../json-rpc.ts';
import type { StreamLine } from '../line-splitter.ts';

/** What is kept of one line of a program. */
export const LINE_BYTES = EVENT_LIMITS.eventBytes;

/** Events that a program may not write: they are ours, or need an answer that a program with a closed stdin cannot get. */
const NOT_THEIRS: readonly EventType[] = ['terminal_status', 'user_message', 'backend_status', 'approval'];

/** A line as an event of the program; null for one that is text. */
export function eventOf({ text, cutBytes }: StreamLine): { type: EventType; payload: JsonObject } | null {
  if (cutBytes > 0 || !text.startsWith('{')) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(value)) return null;
  const { type: given, ...members } = value;
  const type = EVENT_TYPES.find((known) => known === given);
  return type === undefined || NOT_THEIRS.includes(type) ? null : { type, payload: members };
}
