import { mkdir, readdir, rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Failure } from '../../../manager/src/failure.ts';
import type { Volumes } from '../../../manager/src/volumes/volumes.ts';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { RUN_INPUT } from '../../helpers/manager-client.ts';
import { newSessionId, ofSession, refusedPlace, underWay } from './scenes.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await testManager({ withoutDuties: true });
});
afterAll(() => manager.stop());

async function made(body: object = {}): Promise<string> {
  const sessionId = newSessionId();
  await manager.ask('POST', 'sessions', { sessionId, tenantId: 'tenant', projectId: 'project', ...body });
  return sessionId;
}
const storage = (id: string) => manager.ask('GET', `sessions/${id}/storage`);
const show = (id: string) => manager.ask('GET', `sessions/${id}`);
const gc = () => manager.request<{ evicted: string[]; skipped: number }>('POST', 'sessions/storage/gc');
const refresh = (id: string, body: object) =>
  manager.request('POST', `sessions/${id}/storage/refresh`, { pvcName: `${id}-g1`, namespace: 'ns', ...body });
const evictedFailure = { status: 409, failureKind: 'session-store-evicted' };

/** Volumes that fail for a while in one of their ways. */
async function withFault<T>(fault: Partial<Volumes>, work: () => Promise<T>): Promise<T> {
  const { volumes } = manager.running.serving;
  const former = { ...volumes };
  Object.assign(volumes, fault);
  try {
    return await work();
  } finally {
    Object.assign(volumes, former);
  }
}
const broken = async (): Promise<never> => {
  throw new Failure('unavailable', 'the disk is full');
};

describe('the volume of a session', () => {
  it('is measured when it is asked for', async () => {
    const sessionId = await made();
    expect(await storage(sessionId)).toMatchObject({
      pvcName: `${sessionId}-g1`,
      pvcPhase: 'Bound',
      storageFilesCount: 0,
    });
    await writeFile(join(manager.dataDir, 'sessions', sessionId, 'g1', 'workspace', 'a.txt'), 'hello');
    expect(await storage(sessionId)).toMatchObject({ storageSizeBytes: 5, storageFilesCount: 1, valuesPrinted: false });
  });

  it('is told as lost when it is not there, and as nothing before it is made', async () => {
    const sessionId = await made();
    await rename(join(manager.dataDir, 'sessions', sessionId), join(manager.dataDir, `away-${sessionId}`));
    expect(await storage(sessionId)).toMatchObject({ pvcPhase: 'Lost' });
    const other = newSessionId();
    await manager.createRun(ofSession(other));
    expect(await storage(other)).toMatchObject({
      pvcName: null,
      namespace: null,
      pvcPhase: null,
      storageSizeBytes: null,
    });
  });

  it('is made by the next call when the first could not, as another generation', async () => {
    const sessionId = newSessionId();
    const body = { sessionId, tenantId: 'tenant', projectId: 'project' };
    await withFault({ create: broken }, async () => {
      expect(await manager.request('POST', 'sessions', body)).toMatchObject({
        status: 503,
        failureKind: 'unavailable',
      });
    });
    expect(await show(sessionId)).toMatchObject({ executionState: 'idle', storageKind: 'none', storagePvcName: null });
    expect(await manager.ask('POST', 'sessions', body)).toMatchObject({
      action: 'session-storage-recovered',
      pvc: { pvcName: `${sessionId}-g2` },
    });
    expect(await manager.ask('POST', 'sessions', body)).toMatchObject({ action: 'session-exists' });
  });

  it('is one, although two requests were about to make it at the same time', async () => {
    const { volumes: real } = manager.running.serving;
    // The one of before: the fault takes its place.
    const create = real.create.bind(real);
    const sessionId = newSessionId();
    const body = { sessionId, tenantId: 'tenant', projectId: 'project' };
    let begun = 0;
    let goOn = () => {};
    const both = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const slowly: Volumes['create'] = async (...which) => {
      begun += 1;
      if (begun === 2) goOn();
      await both;
      return await create(...which);
    };
    const answers = await withFault({ create: slowly }, () =>
      Promise.all([manager.request('POST', 'sessions', body), manager.request('POST', 'sessions', body)]),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(answers.map(({ data }) => data['action']).toSorted((a, b) => String(a).localeCompare(String(b)))).toEqual([
      'session-created',
      'session-storage-recovered',
    ]);
    const { storagePvcName } = await show(sessionId);
    const volumes = await manager.running.serving.volumes.list();
    expect(volumes.filter((name) => name.startsWith(`${sessionId}-`))).toEqual([storagePvcName]);
  });

  it('is made by a repeated request with the same key too', async () => {
    const key = { 'idempotency-key': 'after a failure' };
    const body = { tenantId: 'tenant', projectId: 'project' };
    await withFault({ create: broken }, async () => {
      expect((await manager.request('POST', 'sessions', body, key)).status).toBe(503);
    });
    const first = await manager.ask('POST', 'sessions', body, key);
    expect(first).toMatchObject({ action: 'session-storage-recovered', session: { storageKind: 'pvc' } });
    expect(await manager.ask('POST', 'sessions', body, key)).toEqual(first);
  });
});

describe('what a runner tells of the volume', () => {
  it('is kept, and what it leaves out stays', async () => {
    const sessionId = await made();
    const first = await refresh(sessionId, {
      storageSizeBytes: 10,
      storageFilesCount: 2,
      storageSha256: 'f'.repeat(64),
      storageUpdatedAt: '2026-01-02T03:04:05.000Z',
      codexRolloutSubdir: 'rollouts',
    });
    expect(first.data).toMatchObject({
      action: 'session-storage-refreshed',
      sessionId,
      summary: { storageSizeBytes: 10, storageUpdatedAt: '2026-01-02T03:04:05.000Z', codexRolloutSubdir: 'rollouts' },
      valuesPrinted: false,
    });
    const second = await refresh(sessionId, { storageSizeBytes: null });
    expect(second.data).toMatchObject({
      summary: {
        storageSizeBytes: null,
        storageFilesCount: 2,
        storageSha256: 'f'.repeat(64),
        pvcPhase: 'Bound',
        codexRolloutSubdir: 'rollouts',
      },
    });
    expect(await show(sessionId)).toMatchObject({ storageFilesCount: 2, storageSizeBytes: null });
  });

  it('raises the version: readers should look again', async () => {
    const sessionId = await made();
    const { version } = await show(sessionId);
    await refresh(sessionId, {});
    expect((await show(sessionId))['version']).toBeGreaterThan(Number(version));
  });

  it('is taken from the runner that holds a run of the session, and from no other', async () => {
    const sessionId = await made();
    const other = await made();
    const { runner, turn } = await underWay(manager, ofSession(sessionId));
    const path = (id: string) => `sessions/${id}/storage/refresh`;
    const body = { pvcName: `${sessionId}-g1`, namespace: 'ns', storageFilesCount: 3 };
    expect((await runner.send('POST', path(sessionId), body)).status).toBe(200);
    expect(await runner.send('POST', path(other), { ...body, pvcName: `${other}-g1` })).toMatchObject({
      status: 403,
      failureKind: 'forbidden',
    });
    expect(await runner.send('POST', path(sessionId), body, { 'runner-epoch': '9' })).toMatchObject({
      status: 403,
      failureKind: 'lease-fenced',
    });
    await runner.report(turn.id);
    await runner.release();
    expect(await runner.send('POST', path(sessionId), body)).toMatchObject({
      status: 403,
      failureKind: 'lease-fenced',
    });
  });

  it('is refused for another volume than the one that the session has', async () => {
    const sessionId = await made();
    expect(await refresh(sessionId, { pvcName: 'other' })).toMatchObject({ status: 409, failureKind: 'conflict' });
    expect(await show(sessionId)).toMatchObject({ storagePvcName: `${sessionId}-g1` });
  });

  it.each([
    [{ pvcName: undefined }, 'body.pvcName'],
    [{ namespace: ' ' }, 'body.namespace'],
    [{ storageSizeBytes: -1 }, 'body.storageSizeBytes'],
    [{ storageFilesCount: 2_147_483_648 }, 'body.storageFilesCount'],
    [{ storageUpdatedAt: 'now' }, 'body.storageUpdatedAt'],
    [{ storageKind: 'none' }, 'body.storageKind'],
  ])('is refused with %j', async (body, path) => {
    const { status, error } = await refresh(await made(), body);
    expect(status).toBe(400);
    expect(refusedPlace(error)).toBe(path);
  });

  it('needs a session that is there', async () => {
    expect(await refresh('none-such', {})).toMatchObject({ status: 404, failureKind: 'not-found' });
  });
});

describe('a session whose volume is given up', () => {
  it('is terminal for ever: nothing brings the volume back and no run begins', async () => {
    const sessionId = await made();
    const first = await manager.ask('DELETE', `sessions/${sessionId}/storage`);
    expect(first).toMatchObject({
      action: 'session-storage-deleted',
      session: { sessionId, storageKind: 'evicted', executionState: 'terminal', storagePvcName: `${sessionId}-g1` },
      valuesPrinted: false,
    });
    expect(await readdir(join(manager.dataDir, 'evicted'))).toContain(`${sessionId}-g1`);
    expect(await manager.ask('DELETE', `sessions/${sessionId}/storage`)).toEqual(first);

    expect(await refresh(sessionId, {})).toMatchObject(evictedFailure);
    const body = { sessionId, tenantId: 'tenant', projectId: 'project' };
    expect(await manager.request('POST', 'sessions', body)).toMatchObject(evictedFailure);
    expect(await manager.request('POST', 'runs', { ...RUN_INPUT, ...ofSession(sessionId) })).toMatchObject(
      evictedFailure,
    );
    expect(await manager.request('POST', `sessions/${sessionId}/send`, { prompt: 'p' })).toMatchObject(evictedFailure);
    expect(await show(sessionId)).toMatchObject({ storageKind: 'evicted', executionState: 'terminal', active: false });
    expect((await manager.request('POST', `sessions/${sessionId}/read`)).status).toBe(200);
  });

  it('is not one with an open run, which is named', async () => {
    const sessionId = await made();
    const { runId } = await underWay(manager, ofSession(sessionId));
    expect(await manager.request('DELETE', `sessions/${sessionId}/storage`)).toMatchObject({
      status: 409,
      failureKind: 'session-busy',
      error: { details: { sessionId, runId } },
    });
    expect(await show(sessionId)).toMatchObject({ storageKind: 'pvc' });
  });
});

describe('the sweep', () => {
  const past = { expiresAt: '2020-01-01T00:00:00.000Z' };

  it('gives up what has expired, but nothing with an open run, and says so', async () => {
    const [old, busy, fresh] = [await made(past), await made(past), await made()];
    await underWay(manager, ofSession(busy));
    const { data } = await gc();
    expect(data).toMatchObject({ failed: [], couldNotLook: null, skipped: 1 });
    expect(data.evicted).toContain(old);
    expect(data.evicted).not.toContain(busy);
    expect(await show(old)).toMatchObject({ storageKind: 'evicted' });
    expect(await show(busy)).toMatchObject({ storageKind: 'pvc' });
    expect(await show(fresh)).toMatchObject({ storageKind: 'pvc' });
    expect((await gc()).data.evicted).toEqual([]);
  });

  it('tells which volumes it could not take out of use, and does that the next time', async () => {
    const sessionId = await made(past);
    await withFault({ evict: broken, list: async () => [] }, async () => {
      expect((await gc()).data).toMatchObject({ failed: [{ sessionId, message: 'the disk is full' }] });
    });
    expect(await show(sessionId)).toMatchObject({ storageKind: 'evicted' });
    await gc();
    expect(await readdir(join(manager.dataDir, 'evicted'))).toContain(`${sessionId}-g1`);
  });

  it('answers 503 when it could not look, never that there is nothing', async () => {
    await withFault({ list: broken }, async () => {
      const answer = await gc();
      expect(answer).toMatchObject({
        status: 503,
        failureKind: 'unavailable',
        error: { details: { couldNotLook: 'the disk is full' } },
      });
      expect(answer.headers.get('retry-after')).toBe('5');
    });
  });

  it('deletes for good what was given up a day ago, and not before', async () => {
    const [old, young] = [await made(), await made()];
    for (const id of [old, young]) await manager.ask('DELETE', `sessions/${id}/storage`);
    const yesterday = new Date(Date.now() - 25 * 3_600_000);
    await utimes(join(manager.dataDir, 'evicted', `${old}-g1`), yesterday, yesterday);
    await mkdir(join(manager.dataDir, 'evicted', `${young}-g1`), { recursive: true });
    expect((await gc()).data).toMatchObject({ purged: [`${old}-g1`] });
    const left = await readdir(join(manager.dataDir, 'evicted'));
    expect(left).toContain(`${young}-g1`);
    expect(left).not.toContain(`${old}-g1`);
  });
});
