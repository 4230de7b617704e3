import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import type { PlacedManager } from '../helpers/placed-manager.ts';
import { eventually } from '../helpers/runner-setup.ts';
import {
  attemptOf,
  expectHealthy,
  expectOneEnd,
  figure,
  isRunner,
  livingOf,
  percentile,
  processFile,
  runEnded,
} from './chaos-world.ts';

/** How long after the times of a cancel something may live, in milliseconds. */
const LATE_MS = 5000;
const TURNS = 5;
/** After its turn was asked for, a cancel comes within so many milliseconds. */
const LATEST_MS = 500;
const MARK = { type: 'turn', payload: { prompt: '[[mark]]' } };

interface Cancels {
  /** From the cancel to the end of its turn or run, in milliseconds. */
  readonly taken: number[];
  done: number;
}

/**
 * Cancels turns, and in the end runs, of agents that hear no signal and have grandchildren in sessions of their own, at
 * random moments: before they are taken up, while the agent comes up, and while it works.
 */
export async function cancelAtRandom(manager: PlacedManager, count: number, lanes: number): Promise<void> {
  const cancels: Cancels = { taken: [], done: 0 };
  let begun = 0;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (begun < count) {
        begun += TURNS;
        // A run that ended early has had fewer.
        const done = await cancelRun(manager, cancels);
        begun -= TURNS - done;
      }
    }),
  );
  expect(cancels.done).toBeGreaterThanOrEqual(count);
  await expectHealthy(manager);
  const { taken } = cancels;
  figure(
    'cancels',
    `${cancels.done} at random moments; one end each, nothing alive ${LATE_MS} ms after the time to kill; ended after ${percentile(taken, 0.5).toFixed(0)} ms (p50), ${percentile(taken, 0.99).toFixed(0)} ms (p99)`,
  );
}

/** @returns how many cancels there were */
async function cancelRun(manager: PlacedManager, cancels: Cancels): Promise<number> {
  const { runId, turnId } = await manager.placedTurn('[[mark]]', { backendProfile: 'chaos' });
  const turns = [turnId];
  const attempt = await attemptOf(manager, runId);
  for (let index = 1; index < TURNS; index += 1) {
    await delay(Math.random() * LATEST_MS);
    await cancelled(manager, cancels, `commands/${turns.at(-1)}/cancel`, async () => {
      const ended = await manager.command(runId, turns.at(-1) ?? '');
      return ended.terminalStatus;
    });
    await nothingOf(attempt, (pid) => !isRunner(pid));
    const next = await manager.request<{ id: string }>('POST', `runs/${runId}/commands`, MARK);
    if (!next.ok) {
      // The cancel came before the run was claimed, and it had no other turn.
      expect(next).toMatchObject({ status: 409, failureKind: 'already-terminal' });
      break;
    }
    turns.push(next.data.id);
  }
  if ((await manager.run(runId)).terminalStatus === null) {
    await delay(Math.random() * LATEST_MS);
    await cancelled(manager, cancels, `runs/${runId}/cancel`, async () => (await manager.run(runId)).terminalStatus);
  }
  await nothingOf(attempt, () => true);
  const run = await runEnded(manager, runId);
  expect(run).toMatchObject({ status: 'cancelled', failureKind: 'cancelled' });
  for (const id of turns) expect(await manager.command(runId, id)).toMatchObject({ state: 'cancelled' });
  expectOneEnd(await manager.events(runId), turns);
  return turns.length;
}

/** A turn that ended leaves nothing that its agent started; a run that ended leaves no runner either. */
async function nothingOf(attemptId: string, counts: (pid: number) => boolean): Promise<void> {
  const living = (): number[] => livingOf(attemptId).filter(counts);
  let alive = living();
  for (const until = performance.now() + LATE_MS; alive.length > 0 && performance.now() < until; alive = living()) {
    await delay(20);
  }
  expect(alive.map((pid) => `${pid} ${processFile(pid, 'cmdline')}`)).toEqual([]);
}

async function cancelled(
  manager: PlacedManager,
  cancels: Cancels,
  path: string,
  end: () => Promise<string | null>,
): Promise<void> {
  const begun = performance.now();
  await manager.ask('POST', path, { reason: 'at random' });
  expect(await eventually(end, (status) => status !== null, path)).toBe('cancelled');
  cancels.taken.push(performance.now() - begun);
  cancels.done += 1;
}
