import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { placedRunner, scriptedRunner } from '../../helpers/manager-client.ts';
import { placedScene, type Registered, refusedPlace, underWay } from './scenes.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await testManager();
});
afterAll(() => manager.stop());

const register = (body: object) => manager.request<Registered>('POST', 'runners/register', body);

const placed = () => placedScene(manager);

describe('with the API key a runner', () => {
  it('gets an attempt of its own, whose token it is told once', async () => {
    const { id: runId } = await manager.createRun();
    const { data } = await register({ runId, sourceCommit: 'abc', metadata: { host: 'h' } });
    expect(data).toMatchObject({
      runId,
      backendProfile: 'codex',
      placement: 'external',
      sourceCommit: 'abc',
      metadata: { host: 'h' },
    });
    expect(data.token).toMatch(new RegExp(`^art_${data.attemptId}_[A-Za-z0-9_-]{43}$`));
    const { items } = await manager.ask<{ items: Registered[] }>('GET', `runners?runId=${runId}`);
    expect(items).toEqual([Object.fromEntries(Object.entries(data).filter(([name]) => name !== 'token'))]);
  });

  it('may come again under its id: another attempt, the same runner', async () => {
    const { id: runId } = await manager.createRun();
    const first = await register({ runId, id: 'runner-again', metadata: { first: true } });
    const second = await register({ runId, id: 'runner-again' });
    expect(second.data).toMatchObject({ id: 'runner-again', metadata: {}, registeredAt: first.data.registeredAt });
    expect(second.data.attemptId).not.toBe(first.data.attemptId);
  });

  it('cannot be an attempt that has a token of its own', async () => {
    const { runId, runner } = await placed();
    expect(await register({ runId, attemptId: runner.attemptId })).toMatchObject({
      status: 403,
      failureKind: 'forbidden',
    });
  });

  it('is refused for a run that has ended, is not there, or has another profile', async () => {
    const { runId, runner } = await underWay(manager);
    expect(await register({ runId, backendProfile: 'command' })).toMatchObject({
      status: 400,
      error: { details: { errors: [{ path: 'body.backendProfile' }] } },
    });
    await runner.finish('failed');
    expect(await register({ runId })).toMatchObject({
      status: 409,
      failureKind: 'already-terminal',
      error: { details: { status: 'failed' } },
    });
    expect(await register({ runId: 'run_none' })).toMatchObject({ status: 404, failureKind: 'not-found' });
  });

  it.each([
    [{}, 'body.runId'],
    [{ runId: 'r', id: null }, 'body.id'],
    [{ runId: 'r', runnerId: 'x' }, 'body.runnerId'],
    [{ runId: 'r', placement: 'pod' }, 'body.placement'],
    [{ runId: 'r', heartbeatAt: '2026-01-01T00:00:00Z' }, 'body.heartbeatAt'],
  ])('is refused with %j', async (body, path) => {
    const { status, error } = await register(body);
    expect(status).toBe(400);
    expect(refusedPlace(error)).toBe(path);
  });

  it('can use no other route of runners', async () => {
    const { runId, turn } = await underWay(manager);
    const routes = [
      ['POST', `runs/${runId}/claim`, { runnerId: 'r' }],
      ['PATCH', `runs/${runId}/lease`, { runnerId: 'r' }],
      ['GET', `runs/${runId}/commands/next`, undefined],
      ['POST', `runs/${runId}/events`, { type: 'usage' }],
      ['PATCH', `runs/${runId}/status`, { terminalStatus: 'completed' }],
      ['POST', `runs/${runId}/release`, { reason: 'idle' }],
      ['POST', `commands/${turn.id}/ack`, undefined],
      ['PATCH', `commands/${turn.id}/status`, { terminalStatus: 'completed' }],
    ] as const;
    for (const [method, path, body] of routes) {
      expect(await manager.request(method, path, body, { 'runner-epoch': '1' })).toMatchObject({
        status: 401,
        failureKind: 'unauthenticated',
      });
    }
  });
});

describe('with the token of an attempt a runner', () => {
  it('tells who serves it, and is told no token', async () => {
    const { runId, runner } = await placed();
    const { status, data } = await runner.send<Registered>('POST', 'runners/register', {
      runId,
      attemptId: runner.attemptId,
    });
    expect({ status, data }).toMatchObject({
      status: 200,
      data: { id: runner.runnerId, attemptId: runner.attemptId, placement: 'host-process' },
    });
    expect(data).not.toHaveProperty('token');
  });

  it('is refused for another run, another attempt, and the runner of another attempt', async () => {
    const [{ runId, runner }, other] = [await placed(), await placed()];
    await other.runner.send('POST', 'runners/register', { runId: other.runId });
    const refused = { status: 403, failureKind: 'forbidden' };
    expect(await runner.send('POST', 'runners/register', { runId: other.runId })).toMatchObject(refused);
    expect(await runner.send('POST', 'runners/register', { runId, attemptId: other.runner.attemptId })).toMatchObject(
      refused,
    );
    expect(await runner.send('POST', 'runners/register', { runId, id: other.runner.runnerId })).toMatchObject(refused);
    const { items } = await manager.ask<{ items: { id: string }[] }>('GET', `runners?runId=${other.runId}`);
    expect(items).toMatchObject([{ id: other.runner.runnerId }]);
  });

  it('is fenced when the attempt is over', async () => {
    const { runId, runner } = await placed();
    await runner.claim();
    manager.placement.exit(runner.attemptId);
    const second = placedRunner(manager, await manager.placement.nextStart());
    expect(second.runId).toBe(runId);
    expect(await runner.send('POST', 'runners/register', { runId })).toMatchObject({
      status: 403,
      failureKind: 'lease-fenced',
    });
    expect(await runner.claim()).toMatchObject({ status: 403, failureKind: 'lease-fenced' });
  });

  it('is nobody with a token that the manager has not made', async () => {
    const { runId, runner } = await placed();
    for (const token of [`art_${runner.attemptId}_${'x'.repeat(43)}`, `${runner.token}x`, 'art_x', 'nonsense']) {
      const stranger = scriptedRunner(manager, { ...runner, token });
      expect(await stranger.claim()).toMatchObject({ status: 401, failureKind: 'unauthenticated' });
    }
    expect((await manager.run(runId)).status).toBe('pending');
  });

  it('touches no run and no command but its own', async () => {
    const [mine, other] = [await underWay(manager), await underWay(manager)];
    const refused = { status: 403, failureKind: 'forbidden' };
    expect(await mine.runner.send('POST', `runs/${other.runId}/claim`, { runnerId: 'r' })).toMatchObject(refused);
    expect(await mine.runner.send('POST', `runs/${other.runId}/events`, { type: 'usage' })).toMatchObject(refused);
    expect(await mine.runner.ack(other.turn.id)).toMatchObject(refused);
    expect(await mine.runner.report(other.turn.id)).toMatchObject(refused);
    expect(await manager.command(other.runId, other.turn.id)).toMatchObject({ state: 'acknowledged' });
  });

  it('writes under an epoch, which it must say', async () => {
    const { turn, runner } = await underWay(manager);
    for (const epoch of ['', 'x', '-1', '1.5', '99999999999999999']) {
      expect(await runner.send('POST', `commands/${turn.id}/ack`, undefined, { 'runner-epoch': epoch })).toMatchObject({
        status: 400,
        error: { details: { errors: [{ path: 'headers.runner-epoch' }] } },
      });
    }
    expect(
      await runner.send('POST', `commands/${turn.id}/ack`, undefined, { 'runner-epoch': '9007199254740991' }),
    ).toMatchObject({
      status: 403,
      failureKind: 'lease-fenced',
    });
  });
});
