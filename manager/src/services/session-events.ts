import { type EventType, OUTPUT_EVENT_TYPES, type RunEvent } from '@agentrun/lib/contract';
import { Failure } from '../failure.ts';
import { invalidField } from '../invalid-field.ts';
import { eventRecord, listEvents } from '../store/events.ts';
import { findRun, nextRunOfSession } from '../store/runs.ts';
import type { Manager } from './manager.ts';
import { runRow } from './run-row.ts';
import { sessionRow } from './sessions.ts';

/** Which events of a session: all, or what a person reads. */
export type Selection = 'trace' | 'output';

const TYPES: Readonly<Record<Selection, readonly EventType[] | undefined>> = {
  trace: undefined,
  output: OUTPUT_EVENT_TYPES,
};

/** A place in the log of a session: a run of it, and an event of that run. Written `<runId>.<seq>`. */
export interface Place {
  readonly runId: string;
  readonly seq: number;
}

export function formatPlace({ runId, seq }: Place): string {
  return `${runId}.${seq}`;
}

/** @throws Failure `schema-invalid` for anything that no page and no stream has given. */
export function parsePlace(text: string, path: string): Place {
  const [, runId = '', seq = ''] = /^([A-Za-z0-9][A-Za-z0-9._-]{0,127})\.(\d{1,9})$/.exec(text) ?? [];
  if (runId === '') throw invalidField(path, 'is not a place in a session: <runId>.<number>', text);
  return { runId, seq: Number(seq) };
}

/** The events of one page, and the place after everything that was looked at. */
export interface EventPage {
  readonly items: readonly RunEvent[];
  readonly place: Place | null;
}

/**
 * The next events of a session after a place, runs in the order in which they were made. From no place on it begins
 * with the first run. The place that is answered has moved past a run only when that run has ended.
 */
export async function eventsAfter(
  manager: Manager,
  sessionId: string,
  after: Place | null,
  selection: Selection,
  limit: number,
): Promise<EventPage> {
  const items: RunEvent[] = [];
  let place = after;
  while (items.length < limit) {
    if (place === null) {
      const first = await nextRunOfSession(manager.pool, sessionId, null);
      if (first === undefined) break;
      place = { runId: first, seq: 0 };
    }
    const { runId, seq }: Place = place;
    // Read before the events: when it has ended by then, no event comes after those that are read.
    const run = await runRow(manager.pool, runId);
    const rows = await listEvents(manager.pool, runId, seq, limit - items.length, TYPES[selection]);
    items.push(...rows.map((row) => manager.redact.json(eventRecord(row))));
    const isFull = items.length >= limit;
    place = { runId, seq: scannedTo(rows, seq, run.last_event_seq, isFull) };
    if (isFull || run.terminal_status === null) break;
    const next = await nextRunOfSession(manager.pool, sessionId, runId);
    if (next === undefined) break;
    place = { runId: next, seq: 0 };
  }
  return { items, place };
}

/**
 * A page of one run of a session: the named one, else the active, else the last.
 *
 * @throws Failure `not-found` for a run that is not of the session
 */
export async function eventsOfRun(
  manager: Manager,
  sessionId: string,
  query: { readonly runId?: string | undefined; readonly afterSeq: number; readonly limit: number },
  selection: Selection,
) {
  const session = await sessionRow(manager.pool, sessionId);
  const runId = query.runId ?? session.active_run_id ?? session.last_run_id;
  const run = runId === null ? undefined : await findRun(manager.pool, runId);
  // Runs are deleted when they are old; the session remembers the id.
  if (runId === null || (run === undefined && query.runId === undefined)) {
    return { sessionId, runId: null, items: [], count: 0, cursor: null };
  }
  if (run === undefined || run.session_id !== sessionId)
    throw new Failure('not-found', `session ${sessionId} has no run ${runId}`);
  const rows = await listEvents(manager.pool, runId, query.afterSeq, query.limit, TYPES[selection]);
  const items = rows.map((row) => eventRecord(row));
  const scanned = scannedTo(rows, query.afterSeq, run.last_event_seq, rows.length === query.limit);
  return { sessionId, runId, items, count: items.length, cursor: formatPlace({ runId, seq: scanned }) };
}

/** A full page was looked at up to its last event, another one up to what the run had when it was read, or further. */
function scannedTo(rows: readonly { readonly seq: number }[], after: number, lastSeq: number, isFull: boolean): number {
  const last = rows.at(-1)?.seq ?? after;
  return isFull ? last : Math.max(last, lastSeq);
}
