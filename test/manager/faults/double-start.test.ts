import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { doPromises } from '../../../manager/src/maintenance/start-attempts.ts';
import type { AttemptStart } from '../../../manager/src/placement/placement.ts';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { placedRunner } from '../../helpers/manager-client.ts';
import { type BundledManagers, bundleManagers } from '../../helpers/manager-process-bundle.ts';
import { type ScriptedProcess, startScripted } from '../../helpers/manager-process-scripted.ts';
import { type TestDatabase, testDatabase } from '../../helpers/postgres.ts';

const CONFIG = { staleHeartbeatFencingMs: 3_600_000 };

let bundled: BundledManagers;
let database: TestDatabase;
/** The first starts, the second starts too, and the third is another process, which remembers what it has seen. */
let one: TestManager;
let two: TestManager;
let other: ScriptedProcess;
beforeAll(async () => {
  [bundled, database] = await Promise.all([bundleManagers(), testDatabase()]);
  const options = { database, withoutDuties: true, config: CONFIG };
  [one, two] = [await testManager(options), await testManager(options)];
  other = await startScripted({
    program: bundled.scripted,
    databaseUrl: database.url,
    withoutDuties: true,
    config: CONFIG,
  });
});
afterAll(async () => {
  await other.kill();
  await one.stop();
  await two.stop();
  await database.drop();
  await bundled.remove();
});

const keepPromises = ({ running }: TestManager) =>
  doPromises(running.serving, (error) => {
    throw error;
  });

/** A run whose runner the second manager starts too, sure that it has the duties, while the first one starts it. */
async function startedTwice(meanwhile: (start: AttemptStart) => Promise<void>) {
  const { id: runId } = await one.createRun();
  const turn = await one.turn(runId);
  await one.ask('POST', `runs/${runId}/runner-jobs`, { commandId: turn.id });
  const starts: AttemptStart[] = [];
  one.placement.onStart = async (start) => {
    starts.push(start);
    await meanwhile(start);
    await keepPromises(two);
  };
  two.placement.onStart = async (start) => {
    starts.push(start);
  };
  await keepPromises(one);
  return { runId, turn, starts };
}

describe('a runner that two managers start, both sure that they have the duties', () => {
  it('runs once: only the token of the last start can claim, also where the former one is remembered', async () => {
    const { runId, turn, starts } = await startedTwice(async (start) => {
      const registered = await placedRunner(other, start).send('POST', 'runners/register', {
        runId: start.attempt.runId,
      });
      expect(registered.status).toBe(200);
    });
    expect(starts).toHaveLength(2);
    const [first, second] = starts as [AttemptStart, AttemptStart];
    expect(second.attempt.runnerId).toBe(first.attempt.runnerId);
    for (const manager of [one, two, other]) expect((await placedRunner(manager, first).claim()).status).toBe(401);
    const winner = placedRunner(other, second);
    expect((await winner.claim()).data).toMatchObject({ leaseEpoch: 1 });
    for (const manager of [one, two, other]) expect((await placedRunner(manager, first).claim()).status).toBe(401);
    expect((await winner.ack(turn.id)).status).toBe(200);
    expect((await winner.report(turn.id)).status).toBe(200);
    expect((await winner.release()).data.status).toBe('completed');
    expect((await one.run(runId)).attemptCount).toBe(1);
  });

  it('is not started again once it has claimed, though its start is not noted yet', async () => {
    const { runId, starts } = await startedTwice(async (start) => {
      expect((await placedRunner(other, start).claim()).status).toBe(200);
    });
    expect(starts).toHaveLength(1);
    expect(await one.run(runId)).toMatchObject({ status: 'claimed', leaseEpoch: 1, attemptCount: 1 });
    // Its token is still the one.
    const runner = placedRunner(one, starts[0] as AttemptStart);
    runner.epoch = 1;
    expect((await runner.beat()).status).toBe(200);
  });
});
