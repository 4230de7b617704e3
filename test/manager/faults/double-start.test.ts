import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { doPromises } from '../../../manager/src/maintenance/start-attempts.ts';
import type { AttemptStart } from '../../../manager/src/placement/placement.ts';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { placedRunner } from '../../helpers/manager-client.ts';
import { type TestDatabase, testDatabase } from '../../helpers/postgres.ts';

let database: TestDatabase;
let managers: TestManager[];
beforeAll(async () => {
  database = await testDatabase();
  const options = { database, withoutDuties: true, config: { staleHeartbeatFencingMs: 3_600_000 } };
  managers = [await testManager(options), await testManager(options)];
});
afterAll(async () => {
  for (const manager of managers) await manager.stop();
  await database.drop();
});

/** A run whose runner two managers start at the same time, each sure that it has the duties. */
async function startedTwice(onStart: (attempt: AttemptStart, by: number) => Promise<void>) {
  const [one, two] = managers as [TestManager, TestManager];
  const { id: runId } = await one.createRun();
  const turn = await one.turn(runId);
  await one.ask('POST', `runs/${runId}/runner-jobs`, { commandId: turn.id });
  const starts: AttemptStart[] = [];
  for (const [by, { placement }] of managers.entries()) {
    placement.onStart = async (start) => {
      starts.push(start);
      await onStart(start, by);
    };
  }
  const failed = (error: unknown) => {
    throw error;
  };
  await Promise.all([one, two].map(({ running }) => doPromises(running.serving, failed)));
  return { runId, turn, starts };
}

describe('a runner that two managers start, both sure that they have the duties', () => {
  it('runs once: only the start whose token is the last can claim, at either manager', async () => {
    const [one, two] = managers as [TestManager, TestManager];
    const { runId, turn, starts } = await startedTwice(async (start, by) => {
      // Each manager has seen the token of its own start before the other one renews it.
      await placedRunner(managers[by] ?? one, start).send('POST', 'runners/register', { runId: start.attempt.runId });
      await sleep(50);
    });
    expect(starts).toHaveLength(2);
    const runners = starts.map((start, index) => placedRunner(index === 0 ? one : two, start));
    const claims = await Promise.all(runners.map((runner) => runner.claim()));
    expect(new Set(claims.map(({ status }) => status))).toEqual(new Set([200, 401]));
    const loser = runners[claims.findIndex(({ status }) => status === 401)];
    // Nor at the manager that knew it before, nor later.
    for (const manager of managers) {
      const request = { authorization: `Bearer ${loser?.token}` };
      const again = await manager.request('POST', `runs/${runId}/claim`, { runnerId: loser?.runnerId }, request);
      expect(again.status).toBe(401);
    }
    const winner = runners[claims.findIndex(({ status }) => status === 200)];
    expect((await winner?.ack(turn.id))?.status).toBe(200);
    expect((await winner?.report(turn.id))?.status).toBe(200);
    expect((await winner?.release())?.data.status).toBe('completed');
  });

  it('is not started again once it has claimed, whatever a manager had read before', async () => {
    const [one] = managers as [TestManager, TestManager];
    let claimed = 0;
    const { runId, starts } = await startedTwice(async (start) => {
      const { ok } = await placedRunner(one, start).claim();
      if (ok) claimed += 1;
    });
    expect(claimed).toBe(1);
    await doPromises(one.running.serving, () => undefined);
    expect(starts.length).toBeLessThanOrEqual(2);
    expect(await one.run(runId)).toMatchObject({ status: 'claimed', leaseEpoch: 1, attemptCount: 1 });
  });
});
