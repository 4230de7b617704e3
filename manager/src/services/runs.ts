import type { CreateRun, RunStatus } from '@agentrun/lib/contract';
import { inTransaction } from '../db/transaction.ts';
import { decodeTimeCursor, pageOf } from '../page-cursor.ts';
import { listRuns, type RunRecord, runRecord } from '../store/runs.ts';
import { createRunIn, runInput } from './create-run.ts';
import { idempotent, type Key } from './idempotent.ts';
import type { Manager } from './manager.ts';

/** Makes a pending run. Everything is checked before anything is written. */
export async function createRun(manager: Manager, body: CreateRun, key: Key | undefined): Promise<RunRecord> {
  const input = await runInput(manager, body);
  const run = await inTransaction(manager.pool, (sql) =>
    idempotent(sql, key, async () => manager.redact.json(runRecord(await createRunIn(manager, sql, input)))),
  );
  if (run.sessionRef) manager.wakeups.wake(run.sessionRef.sessionId);
  return run;
}

export interface RunQuery {
  readonly status?: RunStatus | 'open' | undefined;
  readonly sessionId?: string | undefined;
  readonly backendProfile?: string | undefined;
  readonly tenantId?: string | undefined;
  readonly projectId?: string | undefined;
  readonly cursor?: string | undefined;
  readonly limit: number;
}

/** A page of runs, newest first; the cursor is null on the last one. */
export async function pageOfRuns(manager: Manager, { cursor, ...query }: RunQuery) {
  const before = cursor === undefined ? undefined : decodeTimeCursor(cursor);
  const rows = await listRuns(manager.pool, { ...query, before, limit: query.limit + 1 });
  const { page, cursor: next } = pageOf(rows, query.limit, (row) => row.id);
  return {
    items: page.map((row) => manager.redact.json(runRecord(row))),
    count: page.length,
    cursor: next,
  };
}
