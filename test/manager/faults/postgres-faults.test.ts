import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { type FaultyPostgres, faultyPostgres } from '../../helpers/pg-faults.ts';
import { LONG, random, seed } from '../concurrency/long.ts';
import { steadyClients, type Work } from './steady-clients.ts';

const CLIENTS = 6;
/** Recovery is told; only what would be a hang fails. */
const RECOVERY_MS = 15_000;

let postgres: FaultyPostgres;
let manager: TestManager;
const crashes: unknown[] = [];
const onCrash = (error: unknown) => crashes.push(error);
beforeAll(async () => {
  process.on('uncaughtException', onCrash).on('unhandledRejection', onCrash);
  postgres = await faultyPostgres();
  manager = await testManager({ database: postgres, config: { staleHeartbeatFencingMs: 120_000 } });
});
afterAll(async () => {
  process.off('uncaughtException', onCrash).off('unhandledRejection', onCrash);
  await manager.stop();
  await postgres.drop();
});
beforeEach(() => {
  crashes.splice(0);
});

/** Waits until something works again, and tells how long that took from now. */
async function recovered(what: string, works: () => Promise<boolean>): Promise<void> {
  const begun = performance.now();
  await expect.poll(works, { timeout: RECOVERY_MS, interval: 20 }).toBe(true);
  console.log(`${what} after ${Math.round(performance.now() - begun)} ms`);
}

const answers = async () => (await manager.request('POST', 'runs', RUN)).ok;
const RUN = {
  tenantId: 'tenant',
  projectId: 'project',
  providerId: 'test',
  backendProfile: 'codex',
  workspaceRef: { kind: 'ephemeral' },
};

/** A notification of somebody else reaches those who wait here. */
async function hears(): Promise<boolean> {
  const { wakeups } = manager.running.serving;
  const subscription = wakeups.listen('run_faults');
  const other = new Client({ connectionString: postgres.url });
  try {
    const begun = performance.now();
    const heard = subscription.next(1000);
    await other.connect();
    await other.query(`SELECT pg_notify('agentrun_run', 'run_faults')`);
    await heard;
    return performance.now() - begun < 900;
  } finally {
    subscription.close();
    await other.end();
  }
}

/** A run gets its runner: the duties go on. */
async function serves(): Promise<void> {
  const { id: runId } = await manager.createRun();
  const { id: commandId } = await manager.turn(runId);
  await manager.ask('POST', `runs/${runId}/runner-jobs`, { commandId });
  const isStarted = async () => manager.placement.started.some(({ attempt }) => attempt.runId === runId);
  await recovered('  the duties go on', isStarted);
}

/** Everything that was answered is there, once; nothing is half done; nothing threw where nobody caught it. */
async function isWhole(work: Work): Promise<void> {
  work.stop();
  await work.ended;
  expect(work.done.length).toBeGreaterThan(0);
  expect(work.rude).toEqual([]);
  for (const { runId, turnId, texts } of work.done) {
    expect(await manager.run(runId)).toMatchObject({ status: 'completed', leaseEpoch: expect.any(Number) });
    expect(await manager.command(runId, turnId)).toMatchObject({ state: 'completed' });
    const said = (await manager.events(runId)).filter(({ type }) => type === 'assistant_message');
    expect(said.map(({ payload }) => payload?.['text'])).toEqual(texts);
  }
  const { violations } = await manager.ask<{ violations: unknown[] }>('GET', 'doctor');
  expect(violations).toEqual([]);
  expect(crashes).toEqual([]);
  console.log(`  ${work.done.length} runs, refused meanwhile: ${JSON.stringify(Object.fromEntries(work.refused))}`);
}

describe('a manager whose PostgreSQL', () => {
  it.each(['immediate', 'fast'] as const)(
    'is stopped for 3 seconds (%s) answers 503 meanwhile, loses nothing, and goes on',
    async (mode) => {
      const work = steadyClients(manager, CLIENTS);
      await sleep(600);
      await postgres.stop(mode);
      await sleep(300);
      const meanwhile = await manager.request('POST', 'runs', RUN);
      expect(meanwhile).toMatchObject({ status: 503, failureKind: 'unavailable' });
      expect(meanwhile.headers.get('retry-after')).toMatch(/^\d+$/);
      expect((await manager.request('GET', '/health/live')).status).toBe(200);
      expect((await manager.request('GET', '/health/readiness')).status).toBe(503);
      await sleep(LONG ? 60_000 : 2500);
      await postgres.start();
      console.log(`stopped (${mode})`);
      await recovered('  requests are answered', answers);
      await recovered('  the others are heard', hears);
      await serves();
      await isWhole(work);
    },
    180_000,
  );

  it('has its connections ended, ten in a second, answers 200 or 503, and loses nothing', async () => {
    const work = steadyClients(manager, CLIENTS);
    const ended = await postgres.terminateSome({ forMs: LONG ? 60_000 : 4000, everyMs: 90, pick: random() });
    expect(ended).toBeGreaterThan(10);
    console.log(`${ended} connections ended, seed ${seed}`);
    await recovered('  requests are answered', answers);
    await recovered('  the others are heard', hears);
    await serves();
    await isWhole(work);
  }, 180_000);

  it('hangs answers 503 to everybody before it goes on, and loses nothing', async () => {
    const work = steadyClients(manager, CLIENTS);
    await sleep(600);
    postgres.hang();
    const asked = Array.from({ length: 20 }, async () => {
      const { status, headers } = await manager.request('POST', 'runs', RUN);
      return { status, retryAfter: headers.get('retry-after') };
    });
    // Each is answered while the server hangs, those too that had a connection when it began: nobody waits for its end.
    const all = await Promise.all(asked);
    const refused = () => [...work.refused.values()].reduce((sum, count) => sum + count, 0);
    await expect.poll(refused, { timeout: 30_000 }).toBeGreaterThanOrEqual(CLIENTS);
    expect(all.map(({ status }) => status)).toEqual(all.map(() => 503));
    expect(all.filter(({ retryAfter }) => retryAfter === null)).toEqual([]);
    expect((await manager.request('GET', '/health/live')).status).toBe(200);
    postgres.resume();
    console.log('hanging');
    await recovered('  requests are answered', answers);
    await recovered('  the others are heard', hears);
    await serves();
    await isWhole(work);
  }, 180_000);
});
