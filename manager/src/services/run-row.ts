import type { Sql } from '../db/transaction.ts';
import { Failure } from '../failure.ts';
import { findRun, lockRun, type RunRow } from '../store/runs.ts';

/** @throws Failure `not-found` */
export async function runRow(sql: Sql, id: string): Promise<RunRow> {
  return (await findRun(sql, id)) ?? noRun(id);
}

/** The same with the lock of the run. */
export async function lockedRunRow(sql: Sql, id: string): Promise<RunRow> {
  return (await lockRun(sql, id)) ?? noRun(id);
}

export function noRun(id: string): never {
  throw new Failure('not-found', `there is no run ${id}`);
}
