import type { EventInput, EventType, RunEvent } from '@agentrun/lib/contract';
import type { Sql } from '../db/transaction.ts';
import { iso } from './time.ts';

export interface EventRow {
  readonly run_id: string;
  readonly seq: number;
  readonly type: EventType;
  readonly payload: Record<string, unknown>;
  readonly created_at: Date;
  readonly epoch: number | null;
  readonly late: boolean;
}

/** Made of the run and the number of the event. */
export function eventId({ run_id, seq }: Pick<EventRow, 'run_id' | 'seq'>): string {
  return `evt_${run_id.replace(/^run_/, '')}_${seq}`;
}

/** The event as everybody may see it. */
export function eventRecord(row: EventRow): RunEvent {
  return {
    id: eventId(row),
    runId: row.run_id,
    seq: row.seq,
    type: row.type,
    payload: row.payload,
    createdAt: iso(row.created_at),
    ...(row.late ? { late: true as const, epoch: row.epoch ?? 0 } : {}),
  };
}

/** Adds events of the manager itself; the caller holds the lock of the run. Gives the number of the last. */
export async function addEvents(sql: Sql, runId: string, events: readonly EventInput[]): Promise<number> {
  const { rows } = await sql.query<{ last: number }>({
    name: 'add-events',
    text: `WITH run AS (
        UPDATE agentrun_runs SET last_event_seq = last_event_seq + $2, last_event_at = clock_timestamp()
        WHERE id = $1 RETURNING last_event_seq AS last)
      , added AS (
        INSERT INTO agentrun_events (run_id, seq, type, payload)
        SELECT $1, run.last - $2 + e.n, e.type, e.payload
        FROM run, unnest($3::text[], $4::jsonb[]) WITH ORDINALITY AS e (type, payload, n))
      SELECT last FROM run`,
    values: [
      runId,
      events.length,
      events.map(({ type }) => type),
      events.map(({ payload }) => JSON.stringify(payload ?? {})),
    ],
  });
  return rows[0]?.last ?? 0;
}

/** What an append of a runner carries. */
export interface RunnerAppend {
  readonly runId: string;
  readonly attemptId: string;
  readonly epoch: number;
  /** Number of the first event within the epoch, from 1; null appends whatever the number is. */
  readonly producerSeq: number | null;
  /** Types and payloads, as one JSON array of `[type, payload]`. */
  readonly events: string;
  readonly count: number;
  readonly bytes: number;
  /** Bytes that the run may hold in all. */
  readonly budget: number;
}

/**
 * One statement, and so one transaction: appends when the caller holds the live lease of its epoch, the number is the
 * next one, and the budget allows it. It reads nothing that another write could change before it is done.
 */
export const APPEND_STATEMENT = `WITH run AS (
    UPDATE agentrun_runs SET last_event_seq = last_event_seq + $5, producer_seq = producer_seq + $5,
      event_bytes = event_bytes + $7, last_event_at = clock_timestamp()
    WHERE id = $1 AND attempt_id = $2 AND lease_epoch = $3 AND lease_expires_at > clock_timestamp()
      AND ($4::int IS NULL OR producer_seq = $4 - 1) AND event_bytes + $7 <= $8
    RETURNING last_event_seq AS last)
  , added AS (
    INSERT INTO agentrun_events (run_id, seq, type, payload, epoch)
    SELECT $1, run.last - $5 + e.n, e.value ->> 0, e.value -> 1, $3
    FROM run, jsonb_array_elements($6::jsonb) WITH ORDINALITY AS e (value, n))
  SELECT last FROM run`;

/** The number of the last event, or undefined when the append was not made: the caller finds out why. */
export async function appendAsRunner(sql: Sql, append: RunnerAppend): Promise<number | undefined> {
  const { rows } = await sql.query<{ last: number }>({
    name: 'append-as-runner',
    text: APPEND_STATEMENT,
    values: [
      append.runId,
      append.attemptId,
      append.epoch,
      append.producerSeq,
      append.count,
      append.events,
      append.bytes,
      append.budget,
    ],
  });
  return rows[0]?.last;
}

/** Counts events that a full run did not take; the caller holds the lock. True for the first ones. */
export async function countDropped(sql: Sql, runId: string, count: number): Promise<boolean> {
  const { rows } = await sql.query<{ dropped_events: number }>(
    'UPDATE agentrun_runs SET dropped_events = dropped_events + $2 WHERE id = $1 RETURNING dropped_events',
    [runId, count],
  );
  return rows[0]?.dropped_events === count;
}

/** Advances the number of the producer past events that were not stored. */
export async function skipProduced(sql: Sql, runId: string, count: number): Promise<void> {
  await sql.query('UPDATE agentrun_runs SET producer_seq = producer_seq + $2 WHERE id = $1', [runId, count]);
}

/** Stores events of an attempt that was fenced, marked as such; the caller holds the lock of an open run. */
export async function addLateEvents(
  sql: Sql,
  runId: string,
  epoch: number,
  events: readonly EventInput[],
): Promise<number> {
  const last = await addEvents(sql, runId, events);
  await sql.query('UPDATE agentrun_events SET late = true, epoch = $3 WHERE run_id = $1 AND seq > $2', [
    runId,
    last - events.length,
    epoch,
  ]);
  return last;
}

export async function listEvents(
  sql: Sql,
  runId: string,
  afterSeq: number,
  limit: number,
  types?: readonly EventType[],
): Promise<EventRow[]> {
  const { rows } = await sql.query<EventRow>(
    types === undefined
      ? {
          name: 'list-events',
          text: 'SELECT * FROM agentrun_events WHERE run_id = $1 AND seq > $2 ORDER BY seq LIMIT $3',
          values: [runId, afterSeq, limit],
        }
      : {
          name: 'list-events-of',
          text: `SELECT * FROM agentrun_events WHERE run_id = $1 AND seq > $2 AND type = ANY ($4) ORDER BY seq LIMIT $3`,
          values: [runId, afterSeq, limit, types],
        },
  );
  return rows;
}

/** An event whose payload is the text of its JSON, for those who only hand it on. */
export type EventTextRow = Omit<EventRow, 'payload'> & { readonly payload: string };

/** The JSON of the event as everybody may see it, in one line. */
export function eventText({ payload, ...row }: EventTextRow): string {
  const { payload: _none, ...record } = eventRecord({ ...row, payload: {} });
  return `${JSON.stringify(record).slice(0, -1)},"payload":${payload}}`;
}

/** The log of a run after a number, with how far the run is at the same moment; undefined when there is no run. */
export async function readLog(
  sql: Sql,
  runId: string,
  afterSeq: number,
  limit: number,
): Promise<{ readonly events: EventTextRow[]; readonly isOver: boolean; readonly lastSeq: number } | undefined> {
  const { rows } = await sql.query<EventTextRow & { is_over: boolean; last: number; seq: number | null }>({
    name: 'read-log',
    text: `SELECT r.terminal_status IS NOT NULL AS is_over, r.last_event_seq AS last, e.*
      FROM agentrun_runs r LEFT JOIN LATERAL (
        SELECT run_id, seq, type, payload::text AS payload, created_at, epoch, late
        FROM agentrun_events WHERE run_id = r.id AND seq > $2 ORDER BY seq LIMIT $3) e ON true
      WHERE r.id = $1 ORDER BY e.seq`,
    values: [runId, afterSeq, limit],
  });
  const [first] = rows;
  if (first === undefined) return undefined;
  return { events: first.seq === null ? [] : rows, isOver: first.is_over, lastSeq: first.last };
}

/**
 * Whether an attempt told anything of a command after it had acknowledged it. What it put into the workspace before the
 * agent began does not count: that may be done again.
 */
export async function hasReported(sql: Sql, runId: string, commandId: string, afterSeq: number): Promise<boolean> {
  const { rowCount } = await sql.query(
    `SELECT 1 FROM agentrun_events
     WHERE run_id = $1 AND seq > $3 AND epoch IS NOT NULL AND payload ->> 'commandId' = $2
       AND coalesce(payload ->> 'phase', '') NOT LIKE 'resource-bundle-%' LIMIT 1`,
    [runId, commandId, afterSeq],
  );
  return rowCount !== 0;
}

/** Whether the log shows already what the person said with a command. */
export async function hasSaid(sql: Sql, runId: string, commandId: string): Promise<boolean> {
  const { rowCount } = await sql.query(
    `SELECT 1 FROM agentrun_events
     WHERE run_id = $1 AND type = 'user_message' AND payload ->> 'commandId' = $2 LIMIT 1`,
    [runId, commandId],
  );
  return rowCount !== 0;
}

/** Tools that a command began and that nobody ended, at most 20. */
export async function openToolCalls(sql: Sql, runId: string, commandId: string, afterSeq: number): Promise<object[]> {
  const { rows } = await sql.query<{ seq: number; itemId: string | null; toolName: string | null }>(
    `SELECT b.seq, b.payload ->> 'itemId' AS "itemId", b.payload ->> 'toolName' AS "toolName"
     FROM agentrun_events b
     WHERE b.run_id = $1 AND b.seq > $3 AND b.type = 'tool_begin' AND b.payload ->> 'commandId' = $2
       AND NOT EXISTS (
         SELECT 1 FROM agentrun_events e
         WHERE e.run_id = $1 AND e.seq > b.seq AND e.type = 'tool_end'
           AND e.payload ->> 'itemId' = b.payload ->> 'itemId')
     ORDER BY b.seq LIMIT 20`,
    [runId, commandId, afterSeq],
  );
  return rows;
}
