import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { externalRunner } from '../../helpers/manager-client.ts';
import { newSessionId, ofSession, refusedPlace, underWay } from '../services/scenes.ts';

interface Page {
  readonly items: readonly { readonly id: string; readonly status?: string }[];
  readonly count: number;
  readonly cursor: string | null;
}

let manager: TestManager;
beforeAll(async () => {
  manager = await testManager();
});
afterAll(() => manager.stop());

const page = (path: string) => manager.ask<Page>('GET', path);

async function walk(path: string, limit: number): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = null;
  do {
    const next: Page = await page(`${path}&limit=${limit}${cursor === null ? '' : `&cursor=${cursor}`}`);
    expect(next.count).toBe(next.items.length);
    ids.push(...next.items.map(({ id }) => id));
    cursor = next.cursor;
  } while (cursor !== null);
  return ids;
}

const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

describe('the list of runs', () => {
  it('gives each run once, newest first, ties by id, also while more are made', async () => {
    const made: string[] = [];
    for (let index = 0; index < 17; index += 1) made.push((await manager.createRun({ tenantId: 'paged' })).id);
    await manager.running.serving.pool.query(
      `UPDATE agentrun_runs SET created_at = date_trunc('second', now()) WHERE tenant_id = 'paged'`,
    );
    const first = await page('runs?tenantId=paged&limit=5');
    await manager.createRun({ tenantId: 'paged' });
    const rest = await page(`runs?tenantId=paged&limit=200&cursor=${first.cursor}`);
    expect([...first.items, ...rest.items].map(({ id }) => id)).toEqual(made.toSorted().toReversed());
    expect(rest.cursor).toBeNull();
    expect((await walk('runs?tenantId=paged', 4)).toSorted()).toHaveLength(18);
  });

  it('finds by status, session, profile, tenant and project, and all that is open', async () => {
    const tenant = { tenantId: 'filtered' };
    const sessionId = newSessionId();
    const { runId } = await underWay(manager, { ...tenant, ...ofSession(sessionId), projectId: 'p1' });
    const { id: pending } = await manager.createRun({ ...tenant, projectId: 'p2', backendProfile: 'command' });
    const { id: over } = await manager.createRun(tenant);
    await manager.ask('POST', `runs/${over}/cancel`);
    const ids = async (query: string) => (await walk(`runs?tenantId=filtered&${query}`, 200)).toSorted();
    expect(await ids('status=open')).toEqual([runId, pending].toSorted());
    expect(await ids('status=running')).toEqual([runId]);
    expect(await ids('status=cancelled')).toEqual([over]);
    expect(await ids(`sessionId=${sessionId}`)).toEqual([runId]);
    expect(await ids('projectId=p2')).toEqual([pending]);
    expect(await ids('backendProfile=command')).toEqual([pending]);
    expect(await ids('status=open&projectId=p1')).toEqual([runId]);
    expect(await ids('projectId=none')).toEqual([]);
  });
});

describe('the list of runners', () => {
  it('gives each runner once, newest first, and those of one run', async () => {
    const { id: runId } = await manager.createRun();
    const made: string[] = [];
    for (let index = 0; index < 7; index += 1) made.push((await externalRunner(manager, runId)).runnerId);
    expect(await walk(`runners?runId=${runId}`, 3)).toEqual(made.toReversed());
    expect(await walk('runners?runId=run_none', 3)).toEqual([]);
    expect((await walk('runners?', 2)).slice(0, 7)).toEqual(made.toReversed());
  });
});

describe.each(['runs', 'runners', 'sessions'])('a cursor of %s', (list) => {
  it.each([
    ['text', 'none'],
    ['a number', '5'],
    ['no JSON', encode('{"a"')],
    ['no list', encode({ at: 1 })],
    ['one part', encode(['2026-01-01T00:00:00.000000Z'])],
    ['three parts', encode(['2026-01-01T00:00:00.000000Z', 'a', 'b'])],
    ['numbers', encode([1, 2])],
    ['no time', encode(['yesterday', 'a'])],
    ['a day that is none', encode(['2026-02-30T00:00:00.000000Z', 'a'])],
    ['an hour that is none', encode(['2026-02-03T24:00:00.000000Z', 'a'])],
    ['the year 0', encode(['0000-01-01T00:00:00.000000Z', 'a'])],
    ['NUL', encode(['2026-01-01T00:00:00.000000Z', 'a\0'])],
    ['SQL', encode([`2026-01-01T00:00:00.000000Z'; DROP TABLE agentrun_runs; --`, 'a'])],
    ['a million parts', encode('['.repeat(700))],
    ['too much', 'x'.repeat(2000)],
  ])('that is %s is refused by its name', async (_what, cursor) => {
    const { status, failureKind, error } = await manager.request('GET', `${list}?cursor=${cursor}`);
    expect({ status, failureKind }).toEqual({ status: 400, failureKind: 'schema-invalid' });
    expect(refusedPlace(error)).toBe('query.cursor');
  });

  it.each(['0001-01-01T00:00:00.000000Z', '9999-12-31T23:59:59.999999Z', '2024-02-29T00:00:00.000000Z'])(
    'of a time that exists is taken: %s',
    async (at) => {
      expect((await manager.request('GET', `${list}?cursor=${encode([at, 'a'])}`)).status).toBe(200);
    },
  );
});
