import { expect } from 'vitest';
import type { PlacedManager } from '../helpers/placed-manager.ts';
import { eventually } from '../helpers/runner-setup.ts';
import {
  commandEnded,
  expectHealthy,
  expectOneEnd,
  figure,
  lastClaim,
  livingOf,
  markingRun,
  marksIn,
  percentile,
  runEnded,
  runnerPid,
  toolCalled,
} from './chaos-world.ts';

/** Kills the runner of a turn whose agent does not end: the next turn is another attempt's, and nothing of the first lives. */
export async function killRunners(manager: PlacedManager, times: number): Promise<void> {
  const taken: number[] = [];
  let late = 0;
  for (let count = 0; count < times; count += 1) {
    const { runId, turnId, next, workspace, marks } = await markingRun(manager);
    await toolCalled(manager, runId);
    const killedAt = Date.now();
    process.kill(await runnerPid(manager, runId), 'SIGKILL');
    expect(await commandEnded(manager, runId, turnId)).toMatchObject({
      terminalStatus: 'blocked',
      failureKind: 'outcome-unknown',
    });
    expect(await commandEnded(manager, runId, next.id)).toMatchObject({ terminalStatus: 'completed' });
    await runEnded(manager, runId);
    const events = await manager.events(runId);
    expectOneEnd(events, [turnId, next.id]);
    expect(livingOf(marks[0]?.attemptId ?? '')).toEqual([]);
    const claimed = lastClaim(events);
    late += marksIn(workspace).filter(({ at }) => at > claimed).length;
    taken.push(claimed - killedAt);
  }
  expect(late).toBe(0);
  await expectHealthy(manager);
  figure(
    'kill -9 of the runner',
    `${times} times; next attempt after ${percentile(taken, 0.5).toFixed(0)} ms (p50), ${Math.max(...taken)} ms (longest); ${late} marks after the takeover`,
  );
}

/** Kills the agent of a turn: the turn fails, its grandchildren go, and the run goes on in the same attempt. */
export async function killAgents(manager: PlacedManager, times: number): Promise<void> {
  const taken: number[] = [];
  for (let count = 0; count < times; count += 1) {
    const { runId, turnId, next, marks } = await markingRun(manager);
    const killedAt = Date.now();
    process.kill(marks[0]?.pid ?? 0, 'SIGKILL');
    expect(await commandEnded(manager, runId, turnId)).toMatchObject({
      terminalStatus: 'failed',
      failureKind: 'backend-crashed',
    });
    taken.push(Date.now() - killedAt);
    expect(await commandEnded(manager, runId, next.id)).toMatchObject({ terminalStatus: 'completed' });
    expect(await runEnded(manager, runId)).toMatchObject({ status: 'completed', leaseEpoch: 1 });
    expectOneEnd(await manager.events(runId), [turnId, next.id]);
    const { attemptId = '' } = marks[0] ?? {};
    await eventually(
      () => livingOf(attemptId),
      (pids) => pids.length === 0,
      `the end of ${attemptId}`,
    );
  }
  await expectHealthy(manager);
  figure(
    'kill -9 of the agent',
    `${times} times; outcome after ${percentile(taken, 0.5).toFixed(0)} ms (p50), ${Math.max(...taken)} ms (longest); nothing left`,
  );
}
