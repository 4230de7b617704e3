import type { Redactor } from '@agentrun/lib/contract';
import type { Pool } from 'pg';
import type { LaneConfig } from '../config.ts';
import { inTransaction, type Sql } from '../db/transaction.ts';
import type { Wakeups } from '../live/wakeups.ts';
import type { Profiles } from '../profiles/profiles.ts';
import { notifyRun } from '../store/notify.ts';

/** What every service works with. */
export interface Manager {
  readonly pool: Pool;
  readonly config: LaneConfig;
  readonly times: Times;
  readonly wakeups: Wakeups;
  readonly redact: Redactor;
  /** The provider profiles that a run may name. */
  readonly profiles: Profiles;
}

/** Times that no lane sets, in milliseconds. */
export interface Times {
  /** How long an attempt may take from its start to its claim. */
  readonly claimMs: number;
  /** How long after a start, or a gap in the database, nothing is taken over. */
  readonly graceMs: number;
  /** Between two looks at all open runs. */
  readonly tickMs: number;
  /** How long after its time a runner may take to kill for a cancel, before the manager does: then its report counts. */
  readonly killSlackMs: number;
  /** How long an attempt that ended may take to leave by itself. */
  readonly leaveMs: number;
}

export const TIMES: Times = { claimMs: 120_000, graceMs: 20_000, tickMs: 1000, killSlackMs: 3000, leaveMs: 10_000 };

/**
 * Changes a run in one transaction, and tells after it everybody who waits for news of that run: here, and in the other
 * managers by a notification that is part of the transaction.
 */
export async function change<T>(manager: Manager, runId: string, work: (sql: Sql) => Promise<T>): Promise<T> {
  const result = await inTransaction(manager.pool, async (sql) => {
    const done = await work(sql);
    await notifyRun(sql, runId);
    return done;
  });
  manager.wakeups.wake(runId);
  return result;
}
