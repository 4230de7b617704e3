import { rmSync } from 'node:fs';
import { expect } from 'vitest';
import { externalRunner } from '../helpers/manager-client.ts';
import type { PlacedManager } from '../helpers/placed-manager.ts';
import { externalAttempt, RunnerProcess } from '../helpers/runner-process.ts';
import { eventually } from '../helpers/runner-setup.ts';
import {
  CHAOS_AGENT,
  commandEnded,
  expectHealthy,
  expectOneEnd,
  figure,
  lastClaim,
  livingOf,
  marking,
  markingRun,
  marksIn,
  runEnded,
  runnerPid,
  toolCalled,
} from './chaos-world.ts';

/**
 * Stops the runner for longer than its lease, while its agent works on. The manager ends what it started before another
 * attempt takes over, so that nothing is done by the first one after that.
 */
export async function frozenRunner(manager: PlacedManager): Promise<void> {
  const { runId, turnId, next, workspace, marks } = await markingRun(manager);
  await toolCalled(manager, runId);
  const pid = await runnerPid(manager, runId);
  process.kill(pid, 'SIGSTOP');
  const stoppedAt = Date.now();
  expect(await commandEnded(manager, runId, next.id)).toMatchObject({ terminalStatus: 'completed' });
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    // It was ended although it stood still.
  }
  await runEnded(manager, runId);
  const events = await manager.events(runId);
  expect(await manager.command(runId, turnId)).toMatchObject({ failureKind: 'outcome-unknown' });
  expectOneEnd(events, [turnId, next.id]);
  const claimed = lastClaim(events);
  const late = marksIn(workspace).filter(({ at }) => at > claimed);
  expect(late).toEqual([]);
  expect(livingOf(marks[0]?.attemptId ?? '')).toEqual([]);
  await expectHealthy(manager);
  figure(
    'SIGSTOP of the runner',
    `another attempt ${claimed - stoppedAt} ms later (lease 3000 ms); 0 marks of the agent after the takeover`,
  );
}

/**
 * Stops a whole attempt, as a machine that stands still does: nobody can end it there. When it goes on, another has the
 * run, and the attempt ends itself; none of its writes is taken.
 */
export async function frozenAttempt(manager: PlacedManager): Promise<void> {
  const { id: runId } = await manager.createRun({ backendProfile: 'command' });
  const turn = await manager.turn(runId, '[[mark]]');
  await manager.turn(runId, 'for whoever comes next');
  const runner = new RunnerProcess({
    managerUrl: manager.url,
    ...(await externalAttempt(manager, runId)),
    profile: { backend: 'command', command: CHAOS_AGENT },
  });
  try {
    await marking(runner.workspace);
    await toolCalled(manager, runId);
    const pids = livingOf(runner.attemptId);
    expect(pids.length).toBeGreaterThanOrEqual(3);
    for (const pid of pids) tell(pid, 'SIGSTOP');
    const other = await externalRunner(manager, runId);
    await eventually(
      () => other.claim(),
      ({ ok }) => ok,
      'a claim by another',
    );
    const before = await manager.events(runId);
    const markedBefore = marksIn(runner.workspace).length;
    const wokenAt = Date.now();
    for (const pid of pids) tell(pid, 'SIGCONT');
    expect(await runner.ended, runner.log).toEqual({ code: 3, signal: null });
    const goneAfter = Date.now() - wokenAt;
    expect(livingOf(runner.attemptId)).toEqual([]);
    const late = (await manager.events(runId))
      .slice(before.length)
      .filter(({ payload }) => payload?.['itemId'] !== undefined);
    expect(late).toEqual([]);
    expect(await manager.command(runId, turn.id)).toMatchObject({ failureKind: 'outcome-unknown' });
    const marks = marksIn(runner.workspace).slice(markedBefore);
    const worked = Math.max(0, ...marks.map(({ at }) => at - wokenAt));
    expect((await other.beat()).ok).toBe(true);
    await other.finish('completed');
    figure(
      'SIGSTOP of a whole attempt',
      `0 late writes accepted; it was gone ${goneAfter} ms after SIGCONT, the agent had worked for ${worked} ms of it`,
    );
  } finally {
    await runner.remove();
    rmSync(runner.attemptDir, { recursive: true, force: true });
  }
}

function tell(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // A child of the agent that lives for a moment only.
  }
}
