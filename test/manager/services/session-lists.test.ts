import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { newSessionId, ofSession, refusedPlace, underWay } from './scenes.ts';
import { type Session, sessionScenes } from './session-scenes.ts';

interface Page {
  readonly items: readonly Session[];
  readonly count: number;
  readonly cursor: string | null;
  readonly filters: object;
}

let manager: TestManager;
beforeAll(async () => {
  manager = await testManager();
});
afterAll(() => manager.stop());

const { create, sql } = sessionScenes(() => manager);

const list = (query: string) => manager.ask<Page>('GET', `sessions?${query}`);

describe('the list of sessions', () => {
  it('knows the states, and says which filters it used', async () => {
    const [idle, running, ended, gone] = [newSessionId(), newSessionId(), newSessionId(), newSessionId()];
    await create({ sessionId: idle, backendProfile: 'demo' });
    for (const sessionId of [running, ended]) {
      const { turn, runner } = await underWay(manager, ofSession(sessionId, { backendProfile: 'demo' }));
      if (sessionId === ended) await runner.report(turn.id);
    }
    await create({ sessionId: gone, backendProfile: 'demo' });
    await manager.ask('DELETE', `sessions/${gone}/storage`);
    await manager.ask('POST', `sessions/${running}/read`, { readerId: 'me' });
    const of = async (state: string) =>
      (await list(`state=${state}&profile=demo&readerId=me&limit=200`)).items
        .map(({ sessionId }) => sessionId)
        .toSorted();
    const all = [idle, running, ended, gone];
    expect(await of('all')).toEqual(all.toSorted());
    expect(await of('default')).toEqual([idle, running, ended].toSorted());
    expect(await of('running')).toEqual([running]);
    expect(await of('idle')).toEqual([idle, ended].toSorted());
    expect(await of('terminal')).toEqual([ended]);
    expect(await of('unread')).toEqual([idle, ended].toSorted());
    expect((await list('backendProfile=demo&profile=codex&readerId=me')).filters).toEqual({
      state: 'default',
      backendProfile: 'demo',
      readerId: 'me',
    });
    expect((await list('')).filters).toEqual({ state: 'default', backendProfile: null, readerId: null });
  });

  it('is paged by the time of the change, ties by id, each session once', async () => {
    const ids = Array.from({ length: 23 }, () => newSessionId());
    for (const sessionId of ids) await create({ sessionId, backendProfile: 'deepseek' });
    await sql(
      `UPDATE agentrun_sessions SET updated_at = date_trunc('second', now()) + (ascii(right(session_id, 1)) % 3) * interval '1 microsecond'
       WHERE session_id = ANY ($1)`,
      [ids],
    );
    const { rows } = await sql(
      `SELECT session_id FROM agentrun_sessions WHERE session_id = ANY ($1) ORDER BY updated_at DESC, session_id`,
      [ids],
    );
    const seen: string[] = [];
    let cursor: string | null = '';
    let pages = 0;
    while (cursor !== null) {
      const page: Page = await list(`profile=deepseek&limit=5${cursor === '' ? '' : `&cursor=${cursor}`}`);
      expect(page.count).toBe(page.items.length);
      seen.push(...page.items.map(({ sessionId }) => sessionId));
      cursor = page.cursor;
      pages += 1;
    }
    expect(seen).toEqual(rows.map(({ session_id }) => session_id));
    expect(pages).toBe(5);
  });

  it('ends with a full last page without a cursor to an empty one', async () => {
    for (let index = 0; index < 4; index += 1) await create({ backendProfile: 'minimax-m3' });
    const first = await list('profile=minimax-m3&limit=2');
    const second = await list(`profile=minimax-m3&limit=2&cursor=${first.cursor}`);
    expect([first.count, second.count, second.cursor]).toEqual([2, 2, null]);
  });

  it.each([
    ['state=none-such', 'query.state'],
    ['backendProfile=none-such', 'query.backendProfile'],
    ['profile=none-such', 'query.backendProfile'],
    ['limit=0', 'query.limit'],
    ['limit=201', 'query.limit'],
    ['limit=abc', 'query.limit'],
    ['limit=1.5', 'query.limit'],
    ['readerID=me', 'query.readerID'],
  ])('refuses %s', async (query, path) => {
    const { status, error } = await manager.request('GET', `sessions?${query}`);
    expect(status).toBe(400);
    expect(refusedPlace(error)).toBe(path);
  });

  it('takes an empty parameter for none', async () => {
    expect((await list('state=&limit=&readerId=&profile=&cursor=')).filters).toMatchObject({ state: 'default' });
  });
});

describe('the log of a session', () => {
  it('is that of the active run, else of the last one, and of a named one', async () => {
    const sessionId = newSessionId();
    const { runId, turn, runner } = await underWay(manager, ofSession(sessionId));
    await runner.append([{ type: 'assistant_message', payload: { commandId: turn.id, text: 'first' } }], 1);
    await runner.report(turn.id);
    await runner.release();
    const trace = (query = '') => manager.ask<Page & { runId: string }>('GET', `sessions/${sessionId}/trace${query}`);
    expect((await trace()).runId).toBe(runId);
    const next = await manager.createRun(ofSession(sessionId));
    expect((await trace()).runId).toBe(next.id);
    const named = await trace(`?runId=${runId}&limit=500`);
    expect(named.items).toEqual(await manager.events(runId));
    const after = await trace(`?runId=${runId}&afterSeq=3&limit=2`);
    expect(after.items).toEqual(named.items.slice(3, 5));
    expect(after.cursor).toBe(`${runId}.5`);
  });

  it('goes on by its cursor over all runs, without a hole, and stays at the end', async () => {
    const sessionId = newSessionId();
    const runs: string[] = [];
    for (let index = 0; index < 3; index += 1) {
      const { runId, turn, runner } = await underWay(manager, ofSession(sessionId));
      await runner.report(turn.id);
      await runner.release();
      runs.push(runId);
    }
    const expected = (await Promise.all(runs.map((runId) => manager.events(runId)))).flat();
    const seen: unknown[] = [];
    let cursor = `${runs[0]}.0`;
    for (let pages = 0; pages < 20; pages += 1) {
      const page = await manager.ask<Page>('GET', `sessions/${sessionId}/trace?limit=4&cursor=${cursor}`);
      seen.push(...page.items);
      cursor = page.cursor ?? '';
    }
    expect(seen).toEqual(expected);
    expect(cursor).toBe(`${runs[2]}.${expected.at(-1)?.['seq']}`);
  });

  it('has only what a person reads in its output, and moves on over what it leaves out', async () => {
    const sessionId = newSessionId();
    const { runId, turn, runner } = await underWay(manager, ofSession(sessionId));
    const types = [
      'assistant_delta',
      'reasoning',
      'usage',
      'retry',
      'warning',
      'approval',
      'tool_begin',
      'tool_output',
      'tool_end',
      'file_change',
      'error',
      'assistant_message',
    ] as const;
    await runner.append(
      types.map((type) => ({ type, payload: { commandId: turn.id } })),
      1,
    );
    const { items } = await manager.ask<Page>('GET', `sessions/${sessionId}/output?limit=500`);
    expect(items.map(({ type }) => type)).toEqual([
      'user_message',
      'assistant_delta',
      'tool_begin',
      'tool_output',
      'tool_end',
      'file_change',
      'error',
      'assistant_message',
    ]);
    const { lastSeq } = await manager.run(runId);
    await runner.append([{ type: 'usage' }, { type: 'retry' }]);
    const empty = await manager.ask<Page>('GET', `sessions/${sessionId}/output?afterSeq=${lastSeq}`);
    expect(empty).toMatchObject({ items: [], count: 0, cursor: `${runId}.${lastSeq + 2}` });
  });

  it('is empty for one that never ran, and refuses runs of others and places of nobody', async () => {
    const sessionId = newSessionId();
    await create({ sessionId });
    expect(await manager.ask('GET', `sessions/${sessionId}/trace`)).toEqual({
      sessionId,
      runId: null,
      items: [],
      count: 0,
      cursor: null,
    });
    const other = await manager.createRun();
    const get = (query: string) => manager.request('GET', `sessions/${sessionId}/trace?${query}`);
    expect(await get(`runId=${other.id}`)).toMatchObject({ status: 404, failureKind: 'not-found' });
    expect(await get('runId=run_none')).toMatchObject({ status: 404, failureKind: 'not-found' });
    expect(await get(`cursor=${other.id}.1`)).toMatchObject({ status: 400, failureKind: 'schema-invalid' });
    for (const cursor of ['5', 'x', 'run_none.', 'run_none.x', `${'9'.repeat(30)}`]) {
      expect(await get(`cursor=${cursor}`)).toMatchObject({ status: 400, failureKind: 'schema-invalid' });
    }
  });
});

it('leaves nothing that the doctor finds', async () => {
  expect(await manager.ask('GET', 'doctor')).toMatchObject({ ok: true, violations: [] });
});
