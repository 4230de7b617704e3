import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { externalRunner } from '../../helpers/manager-client.ts';
import { placedScene, type Registered, underWay } from './scenes.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await testManager();
});
afterAll(() => manager.stop());

const placed = () => placedScene(manager);

describe('a claim', () => {
  it('grants the lease of the lane, whatever is wished for', async () => {
    const { id: runId } = await manager.createRun();
    const runner = await externalRunner(manager, runId);
    for (const leaseMs of [1, 86_400_000]) {
      const { data } = await runner.send('POST', `runs/${runId}/claim`, { runnerId: runner.runnerId, leaseMs });
      expect(data).toMatchObject({ leaseMs: 3000, claimedBy: runner.runnerId });
      expect(Date.parse(String(data['leaseExpiresAt'])) - Date.parse(String(data['serverTime']))).toBeLessThanOrEqual(
        3000,
      );
    }
    for (const leaseMs of [0, -1, 1.5, 86_400_001, 1e300]) {
      expect((await runner.send('POST', `runs/${runId}/claim`, { runnerId: 'r', leaseMs })).status).toBe(400);
    }
  });

  it('of a live lease of another is refused, and names the holder', async () => {
    const { runId, runner } = await underWay(manager);
    const other = await externalRunner(manager, runId);
    expect(await other.claim()).toMatchObject({
      status: 409,
      failureKind: 'runner-lease-conflict',
      error: { details: { claimedBy: runner.runnerId, attemptId: runner.attemptId, leaseEpoch: 1 } },
    });
  });

  it('by the holder again is another epoch, and what came under the former one is refused', async () => {
    const { runner, turn, runId } = await underWay(manager);
    expect((await runner.claim()).data).toMatchObject({ leaseEpoch: 2, status: 'running' });
    expect(
      await runner.send(
        'PATCH',
        `commands/${turn.id}/status`,
        { terminalStatus: 'completed' },
        { 'runner-epoch': '1' },
      ),
    ).toMatchObject({
      status: 403,
      error: { details: { yourEpoch: 1, currentEpoch: 2 } },
    });
    expect((await manager.phases(runId)).filter((phase) => phase === 'run-claimed')).toHaveLength(2);
  });

  it('of a run that has ended is refused', async () => {
    const { runId, runner } = await underWay(manager);
    const other = await externalRunner(manager, runId);
    await runner.finish('failed');
    expect(await other.claim()).toMatchObject({
      status: 409,
      failureKind: 'already-terminal',
      error: { details: { status: 'failed' } },
    });
  });
});

describe('a heartbeat', () => {
  it('renews a live lease and is seen on the runner', async () => {
    const { runId, runner } = await underWay(manager);
    const of = async () => (await manager.ask<{ items: Registered[] }>('GET', `runners?runId=${runId}`)).items[0];
    const [before, seen] = [await manager.run(runId), await of()];
    const { data } = await runner.beat();
    expect(Date.parse(data.leaseExpiresAt ?? '')).toBeGreaterThan(Date.parse(before.leaseExpiresAt ?? ''));
    expect(Date.parse((await of())?.heartbeatAt ?? '')).toBeGreaterThanOrEqual(Date.parse(seen?.heartbeatAt ?? ''));
    expect(data).toMatchObject({ leaseEpoch: 1, status: 'running', cancelCommandIds: [] });
  });

  it('of another runner than the one that claimed is refused, and renews nothing', async () => {
    const { runId, runner } = await underWay(manager);
    const before = await manager.run(runId);
    expect(await runner.send('PATCH', `runs/${runId}/lease`, { runnerId: 'runner-other' })).toMatchObject({
      status: 403,
      failureKind: 'forbidden',
      error: { details: { claimedBy: runner.runnerId } },
    });
    expect((await manager.run(runId)).leaseExpiresAt).toBe(before.leaseExpiresAt);
    expect((await runner.beat()).status).toBe(200);
  });

  it('never revives a lease that ran out: the run is claimed again', async () => {
    const alone = await testManager({ withoutDuties: true, config: { staleHeartbeatFencingMs: 100 } });
    try {
      const { runId, turn, runner } = await underWay(alone);
      await expect.poll(async () => (await runner.beat()).status, { interval: 150 }).toBe(403);
      expect(await runner.beat()).toMatchObject({ failureKind: 'lease-fenced', error: { details: { expired: true } } });
      const { data } = await runner.claim();
      expect(data).toMatchObject({ leaseEpoch: 2, status: 'running' });
      expect((await runner.report(turn.id)).status).toBe(200);
      expect((await alone.events(runId)).some(({ payload }) => payload?.['reclaimed'] === true)).toBe(true);
    } finally {
      await alone.stop();
    }
  });

  it('of a run that the runner itself has ended is answered', async () => {
    const { runner } = await underWay(manager);
    await runner.finish('failed');
    expect(await runner.beat()).toMatchObject({ status: 200, data: { status: 'failed', claimedBy: null } });
  });
});

describe('a runner job', () => {
  it('is one at a time: a run with an attempt needs no other', async () => {
    const { runId, turn } = await placed();
    expect(await manager.request('POST', `runs/${runId}/runner-jobs`, { commandId: turn.id })).toMatchObject({
      status: 409,
      failureKind: 'runner-lease-conflict',
    });
    const ten = await manager.createRun();
    const first = await manager.turn(ten.id);
    const asked = await Promise.all(
      Array.from({ length: 10 }, () => manager.request('POST', `runs/${ten.id}/runner-jobs`, { commandId: first.id })),
    );
    expect(asked.filter(({ status }) => status === 200)).toHaveLength(1);
    await manager.placement.nextStart();
    expect(manager.placement.started.filter(({ attempt }) => attempt.runId === ten.id)).toHaveLength(1);
  });

  it('is for a command of its run, and found under its run alone', async () => {
    const [one, two] = [await placed(), await placed()];
    expect(await manager.request('POST', `runs/${one.runId}/runner-jobs`, { commandId: two.turn.id })).toMatchObject({
      status: 404,
    });
    const { items } = await manager.ask<{ items: { id: string }[] }>('GET', `runs/${one.runId}/runner-jobs`);
    expect(await manager.request('GET', `runs/${two.runId}/runner-jobs/${items[0]?.id}`)).toMatchObject({
      status: 404,
      failureKind: 'not-found',
    });
    expect(await manager.ask('GET', `runs/${one.runId}/runner-jobs?commandId=${two.turn.id}`)).toMatchObject({
      items: [],
      count: 0,
    });
  });

  it('tells how its attempt stands, and the number of the newest event of the run', async () => {
    const { runId, runner } = await placed();
    const jobs = () =>
      manager.ask<{ items: object[]; count: number; lastSeq: number }>('GET', `runs/${runId}/runner-jobs`);
    expect(await jobs()).toMatchObject({
      items: [{ status: 'created', attemptNumber: 1, attemptId: runner.attemptId }],
      count: 1,
    });
    await runner.claim();
    await runner.append(Array.from({ length: 500 }, () => ({ type: 'usage' }) as const));
    await runner.append(Array.from({ length: 100 }, () => ({ type: 'usage' }) as const));
    expect(await jobs()).toMatchObject({ items: [{ status: 'claimed' }], lastSeq: (await manager.run(runId)).lastSeq });
  });
});
