import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { externalRunner, scriptedRunner } from '../../helpers/manager-client.ts';
import { type BundledManagers, bundleManagers } from '../../helpers/manager-process-bundle.ts';
import { type ScriptedProcess, startScripted } from '../../helpers/manager-process-scripted.ts';
import { type TestDatabase, testDatabase } from '../../helpers/postgres.ts';
import { REPOSITORY } from '../../helpers/repository-root.ts';

const MINUTES = 60_000;
const LEASE_MS = 2400;
const PRELOAD = join(REPOSITORY, 'test/fixtures/manager/shift-clock.mjs');

let bundled: BundledManagers;
let database: TestDatabase;
beforeAll(async () => {
  [bundled, database] = await Promise.all([bundleManagers(), testDatabase()]);
});
afterAll(async () => {
  await bundled.remove();
  await database.drop();
});

async function withClock<T>(shiftMs: number, work: (manager: ScriptedProcess) => Promise<T>): Promise<T> {
  const manager = await startScripted({
    program: bundled.scripted,
    databaseUrl: database.url,
    preload: [PRELOAD],
    env: { AGENTRUN_TEST_CLOCK_MS: String(shiftMs) },
    config: { staleHeartbeatFencingMs: LEASE_MS, cancelGracefulAbortMs: 300, cancelKillEscalationMs: 600 },
  });
  try {
    return await work(manager);
  } finally {
    await manager.kill();
  }
}

describe.concurrent.each([
  ['10 minutes fast', 10 * MINUTES],
  ['10 minutes slow', -10 * MINUTES],
])('a manager whose clock is %s', (_what, shiftMs) => {
  it('grants leases that live as long as they should, keeps them while the runner beats, and ends them after', async ({
    expect,
  }) => {
    await withClock(shiftMs, async (manager) => {
      const { id: runId } = await manager.createRun();
      const turn = await manager.turn(runId);
      const runner = await externalRunner(manager, runId);
      const claimed = await runner.claim();
      // By the clock of the test, which is the one of the database.
      const left = Date.parse(claimed.data.leaseExpiresAt ?? '') - Date.now();
      expect(left).toBeGreaterThan(0);
      expect(left).toBeLessThan(LEASE_MS + 1000);
      expect(Math.abs(Date.parse(claimed.data.serverTime) - Date.now())).toBeLessThan(1 * MINUTES);
      await runner.ack(turn.id);
      for (let beats = 0; beats < 4; beats += 1) {
        expect((await runner.beat()).status).toBe(200);
        await sleep(LEASE_MS / 3);
      }
      expect(await manager.run(runId)).toMatchObject({ status: 'running', leaseEpoch: 1 });
      // Without beats the lease runs out, and nobody revives it.
      await expect.poll(async () => (await manager.run(runId)).leaseEpoch, { timeout: 15_000 }).toBeGreaterThan(1);
      expect((await runner.beat()).failureKind).toBe('lease-fenced');
    });
  });

  it('counts waits and cancels by the clock of the database', async ({ expect }) => {
    await withClock(shiftMs, async (manager) => {
      const waiting = await manager.createRun({ executionPolicy: { pendingTimeoutMs: 60_000 } });
      const over = await manager.createRun({ executionPolicy: { pendingTimeoutMs: 200 } });
      const { id: runId } = await manager.createRun();
      await manager.turn(runId);
      const runner = await externalRunner(manager, runId);
      await runner.claim();
      await manager.ask('POST', `runs/${runId}/cancel`, {});
      await expect.poll(async () => (await manager.run(over.id)).status, { timeout: 15_000 }).toBe('blocked');
      await expect.poll(async () => (await manager.run(runId)).status, { timeout: 15_000 }).toBe('cancelled');
      const { cancelReceipts } = await manager.run(runId);
      const since = Object.values(cancelReceipts).map((receipt) => receipt?.sinceRequestMs ?? 0);
      expect(Math.min(...since)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...since)).toBeLessThan(1 * MINUTES);
      expect((await manager.run(waiting.id)).status).toBe('pending');
      expect(await manager.ask('GET', 'doctor')).toMatchObject({ violations: [] });
    });
  });
});

describe('two managers whose clocks are 20 minutes apart', () => {
  it('serve one run in turns, and neither takes it from its runner', async ({ expect }) => {
    await withClock(10 * MINUTES, async (fast) => {
      await withClock(-10 * MINUTES, async (slow) => {
        const { id: runId } = await fast.createRun();
        const turn = await slow.turn(runId);
        const runner = await externalRunner(fast, runId);
        const same = scriptedRunner(slow, runner);
        expect((await runner.claim()).status).toBe(200);
        same.epoch = runner.epoch;
        expect((await same.ack(turn.id)).status).toBe(200);
        for (let beats = 0; beats < 4; beats += 1) {
          expect((await (beats % 2 === 0 ? same : runner).beat()).status).toBe(200);
          await sleep(LEASE_MS / 3);
        }
        expect((await same.report(turn.id)).status).toBe(200);
        expect((await runner.release()).data).toMatchObject({ status: 'completed', leaseEpoch: 1 });
      });
    });
  });
});
