import { inTransaction, type Sql } from '../db/transaction.ts';
import { Failure } from '../failure.ts';
import { addEvents } from '../store/events.ts';
import { recordFencedWrite } from '../store/fenced-writes.ts';
import { lockRun, type RunRow } from '../store/runs.ts';
import { lockSession } from '../store/sessions.ts';
import type { RunLook } from '../store/work.ts';
import { cancelReceipt } from './cancel-receipts.ts';
import { change, type Manager } from './manager.ts';
import { markRepeated } from './repeated.ts';
import { lockedRunRow, runRow } from './run-row.ts';

/** Who writes: an attempt, known by its token, with the epoch that it believes to hold. */
export interface Caller {
  readonly attemptId: string;
  /** The run that the token is for. */
  readonly runId: string;
  readonly epoch: number;
  /** Method and template of the route, for the record of refused writes. */
  readonly route: string;
}

/** The lock of a session comes before the one of its run; which session a run has never changes. */
export async function lockRunAndSession(sql: Sql, runId: string): Promise<RunRow> {
  const { session_id } = await runRow(sql, runId);
  if (session_id !== null) await lockSession(sql, session_id);
  return await lockedRunRow(sql, runId);
}

/** Whether the caller holds the run by a lease that has not run out. */
export function holds(run: RunLook, caller: Caller): boolean {
  return run.lease_live && run.attempt_id === caller.attemptId && run.lease_epoch === caller.epoch;
}

/** Whether the run has ended by the caller's own report, so that the report may be repeated. */
export function endedByCaller(run: RunLook, caller: Caller): boolean {
  return run.terminal_status !== null && run.attempt_id === caller.attemptId && run.lease_epoch === caller.epoch;
}

export function fenced(run: RunLook, caller: Caller): Failure {
  const isOwn = run.attempt_id === caller.attemptId && run.lease_epoch === caller.epoch;
  const why =
    run.terminal_status !== null
      ? `the run has ended (${run.status})`
      : isOwn
        ? 'the lease has run out; claim the run again'
        : `epoch ${caller.epoch} is over`;
  return new Failure('lease-fenced', `attempt ${caller.attemptId} does not hold run ${run.id}: ${why}`, {
    details: { currentEpoch: run.lease_epoch, yourEpoch: caller.epoch, expired: isOwn && !run.lease_live },
  });
}

/**
 * Does work under the locks of the session and the run, if the caller holds the run; otherwise nothing changes, the
 * refused write is recorded, and `lease-fenced` is thrown.
 *
 * @param repeated answers a report that the caller has made before, when the run has ended by it.
 * @param wasDone tells whether the report has been made before in another way than by the end of the run.
 */
export async function asHolder<T>(
  manager: Manager,
  caller: Caller,
  work: (sql: Sql, run: RunRow) => Promise<T>,
  repeated?: (sql: Sql, run: RunRow) => Promise<T>,
  wasDone: (sql: Sql) => Promise<boolean> = async () => false,
): Promise<T> {
  const result = await change(manager, caller.runId, async (sql) => {
    const run = await lockRunAndSession(sql, caller.runId);
    if (holds(run, caller)) return { value: await work(sql, run) };
    if (repeated !== undefined && (endedByCaller(run, caller) || (await wasDone(sql)))) {
      return { value: markRepeated(await repeated(sql, run)) };
    }
    return { refused: fenced(run, caller) };
  });
  if (!('refused' in result)) return result.value;
  await recordRefusal(manager, caller, result.refused);
  throw result.refused;
}

/** Counts a refused write. The first of its epoch and route is told in the log of a run that is still open. */
export async function recordRefusal(manager: Manager, caller: Caller, refusal: Failure): Promise<void> {
  const first = await recordFencedWrite(manager.pool, {
    runId: caller.runId,
    attemptId: caller.attemptId,
    epoch: caller.epoch,
    route: caller.route,
    sample: refusal.details,
  });
  if (!first) return;
  await inTransaction(manager.pool, async (sql) => {
    const run = await lockRun(sql, caller.runId);
    if (run === undefined) return;
    await cancelReceipt(manager, sql, run, 'late-write-fenced');
    if (run.terminal_status !== null) return;
    await addEvents(sql, run.id, [
      {
        type: 'backend_status',
        payload: { phase: 'late-write-fenced', attemptId: caller.attemptId, epoch: caller.epoch, route: caller.route },
      },
    ]);
  });
  manager.wakeups.wake(caller.runId);
}
