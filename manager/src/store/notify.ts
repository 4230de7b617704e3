import type { Sql } from '../db/transaction.ts';

/** The channel whose payload is the id of a run that has news. */
export const RUN_CHANNEL = 'agentrun_run';

/** The same for runs of which nothing is new but events: whoever waits for commands is not woken. */
export const EVENT_CHANNEL = 'agentrun_run_events';

/** In the place of a run: there is something for whoever has the duties. */
export const DUTY_NEWS = '#duties';

/** Told to every manager when the transaction commits. */
export async function notifyRun(sql: Sql, runId: string): Promise<void> {
  await sql.query({ name: 'notify-run', text: `SELECT pg_notify('${RUN_CHANNEL}', $1)`, values: [runId] });
}

/** Told to every manager at once. */
export async function notifyEvents(sql: Sql, runId: string): Promise<void> {
  await sql.query({ name: 'notify-events', text: `SELECT pg_notify('${EVENT_CHANNEL}', $1)`, values: [runId] });
}
