import { Failure } from '../failure.ts';
import { listCancelledTurns } from '../store/commands.ts';
import { beat } from '../store/run-state.ts';
import { noteHeartbeat } from '../store/runners.ts';
import { type Caller, endedByCaller, fenced, holds, recordRefusal } from './holder.ts';
import { deliverCancels, hasCancelNews, type LeasedRun, leasedRun } from './leased-run.ts';
import type { Manager } from './manager.ts';
import { runRow } from './run-row.ts';

/**
 * Renews a live lease, and tells of cancels. A lease that ran out is not revived: the run must be claimed again.
 *
 * @throws Failure `lease-fenced`, `not-found`, `forbidden` for another runner than the one that claimed. A run that ended by the caller's own report is answered as it is.
 */
export async function heartbeat(manager: Manager, caller: Caller, runnerId: string): Promise<LeasedRun> {
  const { pool, config } = manager;
  const isLive = await beat(pool, caller.runId, { ...caller, runnerId, leaseMs: config.staleHeartbeatFencingMs });
  const run = await runRow(pool, caller.runId);
  if (!isLive && holds(run, caller) && run.claimed_by !== runnerId) {
    throw new Failure('forbidden', `run ${run.id} is held by runner ${run.claimed_by}, not by ${runnerId}`, {
      details: { claimedBy: run.claimed_by },
    });
  }
  if (!isLive && !endedByCaller(run, caller)) {
    const refusal = fenced(run, caller);
    await recordRefusal(manager, caller, refusal);
    throw refusal;
  }
  await noteHeartbeat(pool, runnerId);
  const cancelled = await listCancelledTurns(pool, run.id);
  if (hasCancelNews(run, cancelled)) await deliverCancels(manager, run);
  const answer = await leasedRun(manager, pool, run);
  return isLive ? answer : manager.redact.json(answer);
}
