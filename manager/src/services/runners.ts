import { decodeTimeCursor, pageOf } from '../page-cursor.ts';
import { listRunners, runnerRecord } from '../store/runners.ts';
import type { Manager } from './manager.ts';

/** A page of runners, newest first; the cursor is null on the last one. */
export async function pageOfRunners(
  manager: Manager,
  query: { readonly runId?: string | undefined; readonly cursor?: string | undefined; readonly limit: number },
) {
  const before = query.cursor === undefined ? undefined : decodeTimeCursor(query.cursor);
  const rows = await listRunners(manager.pool, { runId: query.runId, before, limit: query.limit + 1 });
  const { page, cursor: next } = pageOf(rows, query.limit, (row) => row.id);
  return {
    items: page.map((row) => manager.redact.json(runnerRecord(row))),
    count: page.length,
    cursor: next,
  };
}
