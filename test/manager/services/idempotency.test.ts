import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { type Answer, RUN_INPUT } from '../../helpers/manager-client.ts';
import { newSessionId, ofSession, underWay } from './scenes.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await testManager();
});
afterAll(() => manager.stop());

let keys = 0;
const newKey = () => `key ${(keys += 1)}`;

/** A creating route: its path and a good body, made anew for each test, and another body for the same key. */
interface Creating {
  readonly route: string;
  readonly prepare: () => Promise<{ readonly path: string; readonly body: object; readonly other: object }>;
  readonly count: string;
}

const CREATING: readonly Creating[] = [
  {
    route: 'POST /runs',
    prepare: async () => ({ path: 'runs', body: RUN_INPUT, other: { ...RUN_INPUT, providerId: 'other' } }),
    count: 'SELECT count(*)::int AS count FROM agentrun_runs',
  },
  {
    route: 'POST /runs/:runId/commands',
    prepare: async () => ({
      path: `runs/${(await manager.createRun()).id}/commands`,
      body: { type: 'turn', payload: { prompt: 'one', metadata: { a: 1, b: 2 } } },
      other: { type: 'turn', payload: { prompt: 'two' } },
    }),
    count: 'SELECT count(*)::int AS count FROM agentrun_commands',
  },
  {
    route: 'POST /sessions',
    prepare: async () => ({
      path: 'sessions',
      body: { tenantId: 'tenant', projectId: 'project' },
      other: { tenantId: 'tenant', projectId: 'project', metadata: { a: 1 } },
    }),
    count: 'SELECT count(*)::int AS count FROM agentrun_sessions',
  },
  {
    route: 'POST /sessions/:sessionId/send',
    prepare: async () => {
      const sessionId = newSessionId();
      await manager.ask('POST', 'sessions', { sessionId, tenantId: 'tenant', projectId: 'project' });
      return {
        path: `sessions/${sessionId}/send`,
        body: { prompt: 'one', createRunnerJob: false },
        other: { prompt: 'two', createRunnerJob: false },
      };
    },
    count: 'SELECT (SELECT count(*) FROM agentrun_runs)::int + (SELECT count(*) FROM agentrun_commands)::int AS count',
  },
  {
    route: 'POST /runs/:runId/runner-jobs',
    prepare: async () => {
      const { id } = await manager.createRun();
      const [first, second] = [await manager.turn(id), await manager.turn(id)];
      return { path: `runs/${id}/runner-jobs`, body: { commandId: first.id }, other: { commandId: second.id } };
    },
    count: 'SELECT count(*)::int AS count FROM agentrun_runner_jobs',
  },
];

async function count(sql: string): Promise<number> {
  const { rows } = await manager.running.serving.pool.query<{ count: number }>(sql);
  return rows[0]?.count ?? -1;
}

const post = (path: string, body: object, key?: string): Promise<Answer<Record<string, unknown>>> =>
  manager.request('POST', path, body, key === undefined ? {} : { 'idempotency-key': key });

describe.each(CREATING)('$route', ({ prepare, count: counted }) => {
  it('makes one thing of the same request, however often it comes, and answers the same', async () => {
    const { path, body } = await prepare();
    const before = await count(counted);
    const key = newKey();
    const first = await post(path, body, key);
    expect(first.status).toBe(200);
    const made = (await count(counted)) - before;
    expect(made).toBeGreaterThan(0);
    expect((await post(path, body, key)).data).toEqual(first.data);
    expect((await post(path, { ...body, idempotencyKey: key })).data).toEqual(first.data);
    expect((await post(path, Object.fromEntries(Object.entries(body).toReversed()), key)).data).toEqual(first.data);
    expect((await count(counted)) - before).toBe(made);
  });

  it('refuses another request with the key, by the kind of that', async () => {
    const { path, body, other } = await prepare();
    const key = newKey();
    await post(path, body, key);
    const before = await count(counted);
    expect(await post(path, other, key)).toMatchObject({ status: 409, failureKind: 'idempotency-conflict' });
    expect(await count(counted)).toBe(before);
  });

  it('refuses a header and a member that differ, and takes both when they are the same', async () => {
    const { path, body } = await prepare();
    const [key, another] = [newKey(), newKey()];
    expect(await post(path, { ...body, idempotencyKey: another }, key)).toMatchObject({
      status: 400,
      failureKind: 'schema-invalid',
      error: { details: { errors: [{ path: 'headers.idempotency-key' }] } },
    });
    expect((await post(path, { ...body, idempotencyKey: key }, key)).status).toBe(200);
  });

  it('makes one thing of ten requests at the same time', async () => {
    const { path, body } = await prepare();
    const before = await count(counted);
    const key = newKey();
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(path, body, key)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
    const ids = answers.map(({ data }) => idOf(data));
    expect(new Set(ids).size).toBe(1);
    const once = (await count(counted)) - before;
    await post(path, body, key);
    expect((await count(counted)) - before).toBe(once);
  });

  it('keeps nothing of a request that was refused', async () => {
    const { path, body } = await prepare();
    const key = newKey();
    expect((await post(path, { ...body, surplus: true }, key)).status).toBe(400);
    expect((await post(path, body, key)).status).toBe(200);
  });
});

function idOf(data: Record<string, unknown>): unknown {
  const inner = (data['command'] ?? data['session'] ?? data) as Record<string, unknown>;
  return inner['id'] ?? inner['sessionId'];
}

describe('a key', () => {
  it('is looked up before the state of things: it answers after the run has ended', async () => {
    const { runId, runner } = await underWay(manager);
    const key = newKey();
    const first = await post(`runs/${runId}/commands`, { type: 'turn', payload: { prompt: 'one' } }, key);
    await runner.finish('failed');
    expect((await post(`runs/${runId}/commands`, { type: 'turn', payload: { prompt: 'one' } }, key)).data).toEqual(
      first.data,
    );
    expect(await post(`runs/${runId}/commands`, { type: 'turn', payload: { prompt: 'two' } }, newKey())).toMatchObject({
      status: 409,
      failureKind: 'already-terminal',
    });
  });

  it('of a send makes no second run after the first has ended', async () => {
    const sessionId = newSessionId();
    const { runId, turn, runner } = await underWay(manager, ofSession(sessionId));
    const body = { prompt: 'p', commandIdempotencyKey: newKey() };
    const first = await post(`sessions/${sessionId}/send`, body);
    expect(first.data).toMatchObject({ decision: 'steer' });
    await runner.report(turn.id);
    await runner.finish('failed');
    expect((await post(`sessions/${sessionId}/send`, body)).data).toEqual(first.data);
    expect((await manager.ask('GET', `sessions/${sessionId}`))['lastRunId']).toBe(runId);
  });

  it('of a session answers although its volume was given up since', async () => {
    const key = newKey();
    const body = { tenantId: 'tenant', projectId: 'project' };
    const first = await post('sessions', body, key);
    const { sessionId } = first.data['session'] as { sessionId: string };
    await manager.ask('DELETE', `sessions/${sessionId}/storage`);
    expect((await post('sessions', body, key)).data).toEqual(first.data);
  });

  it('counts for its route and its parent alone, and for its tenant and project', async () => {
    const key = newKey();
    const [one, two] = [await manager.createRun(), await manager.createRun()];
    const body = { type: 'turn', payload: { prompt: 'same' } };
    const answers = [
      await post(`runs/${one.id}/commands`, body, key),
      await post(`runs/${two.id}/commands`, body, key),
    ];
    expect(answers.map(({ data }) => data['runId'])).toEqual([one.id, two.id]);
    const tenants = await Promise.all(['a', 'b'].map((tenantId) => post('runs', { ...RUN_INPUT, tenantId }, key)));
    expect(tenants.map(({ data }) => data['tenantId'])).toEqual(['a', 'b']);
    expect((await post('sessions', { tenantId: 'a', projectId: 'p' }, key)).status).toBe(200);
  });

  it('is a text that a header can carry', async () => {
    for (const key of ['', 'x'.repeat(257)]) {
      expect(await manager.request('POST', 'runs', { ...RUN_INPUT, idempotencyKey: key })).toMatchObject({
        status: 400,
      });
    }
    expect(await post('runs', RUN_INPUT, 'x'.repeat(257))).toMatchObject({ status: 400 });
    expect((await post('runs', RUN_INPUT, '~ !"#$%&\'()*+,-./:;<=>?@[]^_`{|}')).status).toBe(200);
  });

  it('is told with the command that it made', async () => {
    const key = newKey();
    const { id } = await manager.createRun();
    expect(await manager.turn(id, 'one', { idempotencyKey: key })).toMatchObject({ idempotencyKey: key });
    expect(await manager.turn(id, 'two')).not.toHaveProperty('idempotencyKey');
  });
});
