import {
  type Appended,
  DROPPABLE_EVENT_TYPES,
  EVENT_LIMITS,
  type EventInput,
  MANAGER_EVENT_TYPES,
  MANAGER_PHASES,
} from '@agentrun/lib/contract';
import { inTransaction, type Sql } from '../db/transaction.ts';
import { Failure } from '../failure.ts';
import { invalidField } from '../invalid-field.ts';
import { addEvents, addLateEvents, appendAsRunner, countDropped, skipProduced } from '../store/events.ts';
import { findRun, type RunRow } from '../store/runs.ts';
import { noteActivity } from '../store/session-notes.ts';
import { cutText } from './cut-text.ts';
import { type Caller, fenced, holds, recordRefusal } from './holder.ts';
import { keepResults, resultsIn } from './keep-results.ts';
import { change, type Manager } from './manager.ts';
import { lockedRunRow } from './run-row.ts';

/** Tells readers that there are new events; the append itself tells nobody. */
export interface AppendNews {
  tell(runId: string): void;
}

/**
 * Appends events of a runner: all of them or none.
 *
 * With the number of the first one, counted from 1 within the epoch, a request can be sent again: what is known already
 * is not stored twice. Without it the events are always appended.
 *
 * @param isSingle the event came in the single form, which messages name otherwise.
 * @throws Failure `lease-fenced`; `event-gap` when the number is too high; `schema-invalid` for what only the manager
 *   writes; `too-large` for an event above its limit.
 */
export async function appendEvents(
  manager: Manager & { readonly news: AppendNews },
  caller: Caller,
  given: readonly EventInput[],
  producerSeq: number | null,
  isSingle = false,
): Promise<Appended> {
  const { texts, events } = prepare(manager, given, isSingle);
  const bytes = bytesOf(texts);
  const append = async (sql: Sql) =>
    await appendAsRunner(sql, {
      ...caller,
      producerSeq,
      events: `[${texts.join(',')}]`,
      count: texts.length,
      bytes,
      budget: EVENT_LIMITS.runBytes,
    });
  const results = resultsIn(events);
  // One statement is a transaction by itself; with results for the commands there are more.
  const last =
    results.size === 0
      ? await append(manager.pool)
      : await inTransaction(manager.pool, async (sql) => {
          const appended = await append(sql);
          if (appended !== undefined) await keepResults(sql, caller.runId, results);
          return appended;
        });
  const appended =
    last === undefined
      ? await appendSlowly(manager, caller, events, texts, producerSeq)
      : { firstSeq: last - texts.length + 1, lastSeq: last, count: texts.length };
  if (appended.count > 0) {
    manager.news.tell(caller.runId);
    touchSession(manager, caller.runId);
  }
  return appended;
}

/** Redacted and within their limits, as values and as the JSON of `[type, payload]`. */
function prepare(
  manager: Manager,
  given: readonly EventInput[],
  isSingle: boolean,
): { texts: string[]; events: EventInput[] } {
  const texts: string[] = [];
  const events = given.map((event, index) => {
    const { type, payload = {} } = event;
    if (MANAGER_ONLY.has(type) || MANAGER_PHASE.has(payload['phase'])) {
      throw invalidField(
        `body${isSingle ? '' : `.events[${index}]`}.type`,
        'is written by the manager alone',
        payload['phase'] ?? type,
      );
    }
    let kept = payload;
    let text = JSON.stringify([type, kept]);
    if (text.length > EVENT_LIMITS.textBytes) {
      // A secret that is cut in two is not known as one any more.
      kept = cutTexts(manager.redact.json(kept));
      text = JSON.stringify([type, kept]);
    }
    if (manager.redact.finds(text)) {
      kept = manager.redact.json(kept);
      text = JSON.stringify([type, kept]);
    }
    if (text.length > EVENT_LIMITS.eventBytes || Buffer.byteLength(text) > EVENT_LIMITS.eventBytes) {
      throw new Failure('too-large', `events[${index}] is longer than ${EVENT_LIMITS.eventBytes} bytes`, {
        details: { index, limitBytes: EVENT_LIMITS.eventBytes },
      });
    }
    texts.push(text);
    return { type, payload: kept };
  });
  return { texts, events };
}

/** Of UTF-8. */
function bytesOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}

const MANAGER_ONLY: ReadonlySet<string> = new Set(MANAGER_EVENT_TYPES);
const MANAGER_PHASE: ReadonlySet<unknown> = new Set(MANAGER_PHASES);

/** Cuts the long texts of a payload, at its first level, to their head and tail. */
function cutTexts(payload: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept: Record<string, unknown> = { ...payload };
  let truncated = 0;
  for (const [name, value] of Object.entries(payload)) {
    if (typeof value !== 'string') continue;
    const { text, truncatedBytes = 0 } = cutText(value, EVENT_LIMITS.textBytes);
    kept[name] = text;
    truncated += truncatedBytes;
  }
  return truncated === 0 ? payload : { ...kept, truncatedBytes: truncated };
}

/** The append was not made as it is: finds out why under the lock of the run, and does what is left to do. */
async function appendSlowly(
  manager: Manager,
  caller: Caller,
  events: readonly EventInput[],
  texts: readonly string[],
  producerSeq: number | null,
): Promise<Appended> {
  const result = await change(manager, caller.runId, async (sql) => {
    const run = await lockedRunRow(sql, caller.runId);
    if (!holds(run, caller)) return await appendLate(manager, sql, run, caller, events);
    const known = producerSeq === null ? 0 : run.producer_seq - (producerSeq - 1);
    if (known < 0) {
      throw new Failure('event-gap', `run ${run.id} expects event ${run.producer_seq + 1}, received ${producerSeq}`, {
        details: { expected: run.producer_seq + 1, received: producerSeq },
      });
    }
    if (known >= events.length) {
      return { firstSeq: null, lastSeq: run.last_event_seq, count: 0, duplicate: true as const };
    }
    return await appendRest(sql, run, caller, events.slice(known), texts.slice(known));
  });
  if (!('refused' in result)) return result;
  await recordRefusal(manager, caller, result.refused);
  throw result.refused;
}

async function appendLate(
  manager: Manager,
  sql: Sql,
  run: RunRow,
  caller: Caller,
  events: readonly EventInput[],
): Promise<Appended | { refused: Failure }> {
  if (manager.config.lateWriteFencingEnabled || run.terminal_status !== null) return { refused: fenced(run, caller) };
  const lastSeq = await addLateEvents(sql, run.id, caller.epoch, events);
  return { firstSeq: lastSeq - events.length + 1, lastSeq, count: events.length };
}

/** Appends what is not known yet; a run that has used up its budget keeps only what cannot be missed. */
async function appendRest(
  sql: Sql,
  run: RunRow,
  caller: Caller,
  events: readonly EventInput[],
  texts: readonly string[],
): Promise<Appended> {
  const bytes = bytesOf(texts);
  const isFull = run.event_bytes + bytes > EVENT_LIMITS.runBytes;
  const kept = texts.filter((_text, index) => !isFull || !DROPPABLE.has(events[index]?.type ?? ''));
  const dropped = texts.length - kept.length;
  if (dropped > 0) {
    await skipProduced(sql, run.id, dropped);
    if (await countDropped(sql, run.id, dropped)) await addEvents(sql, run.id, [budgetWarning()]);
  }
  if (kept.length === 0) {
    const now = await findRun(sql, run.id);
    return { firstSeq: null, lastSeq: now?.last_event_seq ?? run.last_event_seq, count: 0, dropped };
  }
  const last = await appendAsRunner(sql, {
    ...caller,
    producerSeq: null,
    events: `[${kept.join(',')}]`,
    count: kept.length,
    bytes: bytesOf(kept),
    budget: Number.MAX_SAFE_INTEGER,
  });
  if (last === undefined) throw new Failure('unavailable', `the lease of run ${run.id} ran out during the append`);
  await keepResults(sql, run.id, resultsIn(events));
  return { firstSeq: last - kept.length + 1, lastSeq: last, count: kept.length, ...(dropped > 0 ? { dropped } : {}) };
}

const DROPPABLE: ReadonlySet<string> = new Set(DROPPABLE_EVENT_TYPES);

function budgetWarning(): EventInput {
  return {
    type: 'warning',
    payload: {
      phase: 'event-budget-used-up',
      limitBytes: EVENT_LIMITS.runBytes,
      message: `the events of this run passed ${EVENT_LIMITS.runBytes} bytes: ${DROPPABLE_EVENT_TYPES.join(', ')} are dropped from here on`,
    },
  };
}

/** When each session was last marked as active from here, by its run. */
const touched = new Map<string, number>();
const TOUCH_MS = 5000;
const MOST = 10_000;

function touchSession(manager: Manager, runId: string): void {
  const now = performance.now();
  if (now - (touched.get(runId) ?? Number.NEGATIVE_INFINITY) < TOUCH_MS) return;
  if (touched.size >= MOST) touched.clear();
  touched.set(runId, now);
  noteActivity(manager.pool, runId).catch(() => touched.delete(runId));
}
