import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { externalRunner, type ScriptedRunner } from '../../helpers/manager-client.ts';

const POOL = 4;
let manager: TestManager;
let other: TestManager;
beforeAll(async () => {
  // Leases of a length that needs no beats here.
  const config = { staleHeartbeatFencingMs: 120_000, cancelDeliveryMode: 'push' as const };
  manager = await testManager({ poolSize: POOL, config });
  other = await testManager({ database: manager.database, withoutDuties: true, config });
});
afterAll(async () => {
  await other.stop();
  await manager.stop();
});

async function waitingRunner(at: TestManager = manager): Promise<ScriptedRunner> {
  const { id } = await at.createRun();
  const runner = await externalRunner(at, id);
  await runner.claim();
  return runner;
}

const listening = (at: TestManager = manager) => at.running.serving.wakeups.listening;

/** Asks as a runner does that goes away without an answer. */
function leavingPoll({ runId, token, epoch }: ScriptedRunner) {
  const asked = request(`${manager.url}/api/v1/runs/${runId}/commands/next?waitMs=25000`, {
    agent: false,
    headers: { authorization: `Bearer ${token}`, 'runner-epoch': String(epoch) },
  });
  asked.on('error', () => undefined);
  asked.end();
  return asked;
}

describe('a runner that waits for commands', () => {
  it('is woken by a turn that another manager took', async () => {
    const runner = await waitingRunner();
    const before = listening();
    const next = runner.next(0, 25_000);
    await expect.poll(() => listening()).toBe(before + 1);
    const begun = performance.now();
    const turn = await other.turn(runner.runId, 'from there');
    const answer = await next;
    expect(answer.data.items).toMatchObject([{ id: turn.id, payload: { prompt: 'from there' } }]);
    // Before it looks by itself, after five seconds.
    expect(performance.now() - begun).toBeLessThan(4000);
  });

  it('is woken by a cancel that another manager took', async () => {
    const runner = await waitingRunner();
    const turn = await manager.turn(runner.runId);
    await runner.ack(turn.id);
    const before = listening();
    const next = runner.next(turn.seq, 25_000);
    await expect.poll(() => listening()).toBe(before + 1);
    await other.ask('POST', `commands/${turn.id}/cancel`, {});
    expect((await next).data.run.cancelCommandIds).toEqual([turn.id]);
  });

  it('holds no connection to the database: 100 wait with a pool of 4', async () => {
    const runners: ScriptedRunner[] = [];
    for (let made = 0; made < 100; made += 1) runners.push(await waitingRunner());
    const before = listening();
    const polls = runners.map((runner) => runner.next(0, 25_000));
    await expect.poll(() => listening()).toBe(before + 100);
    const { pool } = manager.running.serving;
    await expect.poll(() => [pool.totalCount - pool.idleCount, pool.waitingCount]).toEqual([0, 0]);
    expect(pool.totalCount).toBeLessThanOrEqual(POOL);
    // Nothing is held up by them.
    const turns = await Promise.all(runners.map((runner) => manager.turn(runner.runId)));
    const answers = await Promise.all(polls);
    expect(answers.map(({ data }) => data.items.map(({ id }) => id))).toEqual(turns.map(({ id }) => [id]));
    expect(listening()).toBe(before);
  });

  it('leaves nothing behind when it goes away', async () => {
    const runner = await waitingRunner();
    const { server } = manager.running.app;
    const connections = () => new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)));
    const before = listening();
    const connectionsBefore = await connections();
    for (let round = 0; round < 5; round += 1) {
      const polls = Array.from({ length: 20 }, () => leavingPoll(runner));
      await expect.poll(() => listening()).toBe(before + 20);
      for (const poll of polls) poll.destroy();
      await expect.poll(() => listening()).toBe(before);
    }
    // Also when it is gone before its poll has begun to wait.
    for (let round = 0; round < 50; round += 1) {
      const poll = leavingPoll(runner);
      await new Promise((resolve) => poll.once('socket', (socket) => socket.once('connect', resolve)));
      setTimeout(() => poll.destroy(), Math.random() * 8);
    }
    const answer = await manager.turn(runner.runId);
    expect(answer.state).toBe('pending');
    await expect.poll(() => listening()).toBe(before);
    await expect.poll(connections).toBeLessThanOrEqual(connectionsBefore + 1);
  });

  it('is answered empty when the manager stops, and by another one at once', async () => {
    const stopping = await testManager({
      database: manager.database,
      withoutDuties: true,
      config: { staleHeartbeatFencingMs: 120_000 },
    });
    const runners = await Promise.all(Array.from({ length: 20 }, () => waitingRunner(stopping)));
    const polls = runners.map((runner) => runner.next(0, 25_000));
    await expect.poll(() => listening(stopping)).toBeGreaterThanOrEqual(20);
    await stopping.stop();
    const answers = await Promise.all(polls);
    expect(answers.map(({ status, data }) => [status, data.items.length])).toEqual(answers.map(() => [200, 0]));
    expect(listening(stopping)).toBe(0);
  });
});
