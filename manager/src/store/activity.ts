import type { Sql } from '../db/transaction.ts';
import type { EventRow } from './events.ts';

/** The newest event of a run, and the newest that its runner wrote; undefined where there is none. */
export async function lastEvents(
  sql: Sql,
  runId: string,
  commandId: string | null,
): Promise<{ readonly last: EventRow | undefined; readonly ofCommand: EventRow | undefined }> {
  const { rows: newest } = await sql.query<EventRow>({
    name: 'newest-event',
    text: 'SELECT * FROM agentrun_events WHERE run_id = $1 ORDER BY seq DESC LIMIT 1',
    values: [runId],
  });
  if (commandId === null) return { last: newest[0], ofCommand: undefined };
  // The newest few hundred hold one of the command, or it has been silent for long.
  const { rows: of } = await sql.query<EventRow>({
    name: 'newest-of-command',
    text: `SELECT * FROM (SELECT * FROM agentrun_events WHERE run_id = $1 ORDER BY seq DESC LIMIT 500) recent
      WHERE epoch IS NOT NULL AND payload ->> 'commandId' = $2 ORDER BY seq DESC LIMIT 1`,
    values: [runId, commandId],
  });
  return { last: newest[0], ofCommand: of[0] };
}

/** The newest retry and the newest timeout of a command, for its diagnosis. */
export async function lastRetry(sql: Sql, runId: string, commandId: string): Promise<EventRow | undefined> {
  const { rows } = await sql.query<EventRow>(
    `SELECT * FROM (SELECT * FROM agentrun_events WHERE run_id = $1 ORDER BY seq DESC LIMIT 1000) recent
     WHERE type = 'retry' AND payload ->> 'commandId' = $2 ORDER BY seq DESC LIMIT 1`,
    [runId, commandId],
  );
  return rows[0];
}
