import { requestCancel } from '../services/cancel.ts';
import { type CancelStage, cancelReceipt, turnCancelReceipt } from '../services/cancel-receipts.ts';
import { closeRun, failed } from '../services/ending.ts';
import { lockRunAndSession } from '../services/holder.ts';
import { change } from '../services/manager.ts';
import { cancelled } from '../services/report-run.ts';
import { findAttempt } from '../store/attempts.ts';
import { type Attention, listAttention } from '../store/attention.ts';
import { type CommandRow, findCommand, listCancelledTurns } from '../store/commands.ts';
import { findRun, type RunRow } from '../store/runs.ts';
import { fenceAttempt, takeOver, type WithPlacement } from './takeover.ts';

/**
 * Looks at every open run that needs it: leases that are over, runs that wait for too long, cancels and their stages,
 * runs that take too long. Each run is dealt with by itself; what fails is told and tried again at the next look.
 *
 * @param mayTakeOver false soon after a start: runners could not beat while no manager was there.
 */
export async function reconcile(
  manager: WithPlacement,
  mayTakeOver: boolean,
  onError: (error: unknown, runId: string) => void,
): Promise<number> {
  const open = await listAttention(manager.pool);
  for (const attention of open) {
    try {
      await attend(manager, attention, mayTakeOver);
    } catch (error) {
      onError(error, attention.id);
    }
  }
  return open.length;
}

async function attend(manager: WithPlacement, attention: Attention, mayTakeOver: boolean): Promise<void> {
  const { id } = attention;
  if (attention.overtime) await stopOvertime(manager, id);
  if (attention.cancelling) await escalateRun(manager, id);
  else if (attention.turn_cancelled) await escalateTurns(manager, id);
  if (attention.expired && mayTakeOver) await takeOver(manager, id, 'its lease ran out');
  if (attention.due) await lookAtWaiting(manager, id, mayTakeOver);
}

async function stopOvertime(manager: WithPlacement, runId: string): Promise<void> {
  await change(manager, runId, async (sql) => {
    const run = await lockRunAndSession(sql, runId);
    if (run.terminal_status !== null || run.cancel_requested_at !== null) return;
    const reason = `the run took longer than its runTimeoutMs, ${run.execution_policy.runTimeoutMs}`;
    await requestCancel(manager, sql, run, reason, { timeoutKind: 'run' });
  });
}

/** A run that nobody holds and whose time has come: its attempt did not claim it, or nobody ever served it. */
async function lookAtWaiting(manager: WithPlacement, runId: string, mayTakeOver: boolean): Promise<void> {
  const seen = await findRun(manager.pool, runId);
  if (seen === undefined || seen.claimed_by !== null || seen.terminal_status !== null) return;
  if (seen.attempt_id !== null) {
    if (mayTakeOver) await takeOver(manager, runId, 'its runner did not claim the run in time');
    return;
  }
  await change(manager, runId, async (sql) => {
    const run = await lockRunAndSession(sql, runId);
    if (run.terminal_status !== null || run.claimed_by !== null || run.attempt_id !== null) return;
    if (run.look_at === null || run.look_at > run.read_at) return;
    const message = `no runner claimed the run within ${run.execution_policy.pendingTimeoutMs} ms`;
    const outcome = run.cancel_requested_at === null ? failed('blocked', 'never-claimed', message) : cancelled(run);
    await closeRun(manager, sql, run, outcome, outcome, true);
  });
}

/** Which stages of a cancel have come by their time, in order. */
function stagesAfter(manager: WithPlacement, sinceMs: number): readonly CancelStage[] {
  const { cancelGracefulAbortMs, cancelKillEscalationMs, staleHeartbeatFencingMs } = manager.config;
  return [
    ...(sinceMs >= cancelGracefulAbortMs ? (['graceful-abort'] as const) : []),
    ...(sinceMs >= cancelKillEscalationMs ? (['kill-escalated'] as const) : []),
    ...(sinceMs >= staleHeartbeatFencingMs ? (['heartbeat-fenced'] as const) : []),
  ];
}

/** The runner kills at its time; when it has not by a little later, the manager does. */
function mayKill({ config, times }: WithPlacement, sinceMs: number): boolean {
  return sinceMs >= config.cancelKillEscalationMs + times.killSlackMs;
}

/** The stages of the cancel of a run: each is told, the attempt is killed, and at last the lease is taken away. */
async function escalateRun(manager: WithPlacement, runId: string): Promise<void> {
  const seen = await findRun(manager.pool, runId);
  if (seen?.cancel_requested_at == null || seen.terminal_status !== null) return;
  const since = seen.read_at.getTime() - seen.cancel_requested_at.getTime();
  const stages = stagesAfter(manager, since);
  const news = stages.filter((stage) => seen.cancel_receipts[`cancel-${stage}`] === undefined);
  if (news.length > 0) {
    await change(manager, runId, async (sql) => {
      const run = await lockRunAndSession(sql, runId);
      if (run.terminal_status !== null) return;
      for (const stage of news) if (stage !== 'heartbeat-fenced') await cancelReceipt(manager, sql, run, stage);
    });
  }
  if (stages.includes('heartbeat-fenced'))
    await takeOver(manager, runId, 'the cancel was not confirmed', { live: true });
  else if (mayKill(manager, since)) await killForCancel(manager, seen);
}

/** Kills the attempt of a run that is being cancelled; gone is as good as confirmed. */
async function killForCancel(manager: WithPlacement, seen: RunRow): Promise<void> {
  const attempt = seen.attempt_id === null ? undefined : await findAttempt(manager.pool, seen.attempt_id);
  if (attempt === undefined || attempt.placement === 'external') return;
  const { gone } = await fenceAttempt(manager, attempt);
  if (gone) await takeOver(manager, seen.id, 'it was killed for the cancel', { live: true });
}

/** The same stages for turns that are to end while their run stays open. */
async function escalateTurns(manager: WithPlacement, runId: string): Promise<void> {
  const turns = await listCancelledTurns(manager.pool, runId);
  const run = await findRun(manager.pool, runId);
  if (run === undefined || run.terminal_status !== null) return;
  for (const turn of turns) await escalateTurn(manager, run, turn);
}

async function escalateTurn(manager: WithPlacement, seen: RunRow, turn: CommandRow): Promise<void> {
  const since = seen.read_at.getTime() - (turn.cancel_requested_at?.getTime() ?? seen.read_at.getTime());
  const stages = stagesAfter(manager, since);
  const news = stages.filter((stage) => turn.cancel_receipts[`cancel-${stage}`] === undefined);
  if (news.length > 0) {
    await change(manager, seen.id, async (sql) => {
      const run = await lockRunAndSession(sql, seen.id);
      if (run.terminal_status !== null) return;
      for (const stage of news) await turnCancelReceipt(manager, sql, turn, stage);
    });
  }
  const attempt = seen.attempt_id === null ? undefined : await findAttempt(manager.pool, seen.attempt_id);
  const isOurs = attempt?.placement !== 'external';
  if ((isOurs && mayKill(manager, since)) || stages.includes('heartbeat-fenced')) {
    // It may have ended meanwhile, and its attempt be at work on the next one.
    if ((await findCommand(manager.pool, turn.id))?.terminal_status !== null) return;
    await takeOver(manager, seen.id, 'its turn did not end when it was cancelled', { live: true });
  }
}
