import { SESSION_TTL_MS } from '@agentrun/lib/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { RUN_INPUT } from '../../helpers/manager-client.ts';
import { newSessionId, ofSession, refusedPlace, underWay } from './scenes.ts';
import { sessionScenes } from './session-scenes.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await testManager();
});
afterAll(() => manager.stop());

const { create, show } = sessionScenes(() => manager);

describe('the creation of a session', () => {
  it('makes an idle one with a volume, under an id of its own and the default profile', async () => {
    const before = Date.now();
    const { data } = await create();
    expect(data).toMatchObject({
      action: 'session-created',
      session: {
        tenantId: 'tenant',
        projectId: 'project',
        backendProfile: 'codex',
        conversationId: null,
        threadId: null,
        executionState: 'idle',
        activeRunId: null,
        lastRunId: null,
        lastEventSeq: 0,
        terminalStatus: null,
        metadata: {},
        summary: {},
        storageKind: 'pvc',
        storagePvcPhase: 'Bound',
        codexRolloutSubdir: 'sessions',
      },
      pvc: { pvcPhase: 'Bound', valuesPrinted: false },
      valuesPrinted: false,
    });
    const { sessionId, expiresAt, storagePvcName } = data.session;
    expect(sessionId).toMatch(/^sess_[0-9a-z]{25}$/);
    expect(storagePvcName).toBe(`${sessionId}-g1`);
    expect(Date.parse(String(expiresAt))).toBeGreaterThanOrEqual(before + SESSION_TTL_MS - 1000);
    expect(await show(sessionId)).toMatchObject({
      ...data.session,
      active: false,
      sessionPath: `/api/v1/sessions/${sessionId}`,
    });
  });

  it('keeps what is given', async () => {
    const given = {
      sessionId: newSessionId(),
      backendProfile: 'command',
      conversationId: 'conv-1',
      codexRolloutSubdir: 'rollouts',
      expiresAt: '2099-01-02T03:04:05.678Z',
      metadata: { a: { b: [1] } },
    };
    expect((await create(given)).data.session).toMatchObject(given);
  });

  it('says of one that is there that it exists, and changes nothing of it', async () => {
    const sessionId = newSessionId();
    const { session } = (await create({ sessionId, metadata: { first: true } })).data;
    const again = await create({ sessionId, metadata: { second: true }, conversationId: 'other' });
    expect(again.data).toEqual({
      action: 'session-exists',
      session,
      pvcName: `${sessionId}-g1`,
      pvcPhase: 'Bound',
      codexRolloutSubdir: 'sessions',
      valuesPrinted: false,
    });
  });

  it('gives a volume to one that a run has made', async () => {
    const sessionId = newSessionId();
    await manager.createRun(ofSession(sessionId));
    const { data } = await create({ sessionId });
    expect(data).toMatchObject({
      action: 'session-storage-recovered',
      session: { storageKind: 'pvc' },
      pvc: { pvcName: `${sessionId}-g1` },
    });
  });

  it.each([
    [{ tenantId: 'another' }, ['tenantId']],
    [{ projectId: 'another' }, ['projectId']],
    [{ backendProfile: 'command', tenantId: 'another' }, ['tenantId', 'backendProfile']],
  ])('shows nobody the session of another: %j', async (body, differs) => {
    const sessionId = newSessionId();
    await create({ sessionId });
    const refused = await create({ sessionId, ...body });
    expect(refused).toMatchObject({ status: 409, failureKind: 'conflict', error: { details: { differs } } });
    expect(refused).not.toHaveProperty('data');
    expect(await manager.request('POST', 'runs', { ...RUN_INPUT, ...ofSession(sessionId), ...body })).toMatchObject({
      status: 409,
      failureKind: 'conflict',
    });
  });

  it.each([
    [{ tenantId: '' }, 'body.tenantId'],
    [{ projectId: undefined }, 'body.projectId'],
    [{ sessionId: 'a b' }, 'body.sessionId'],
    [{ sessionId: '-x' }, 'body.sessionId'],
    [{ backendProfile: 'none-such' }, 'body.backendProfile'],
    [{ expiresAt: '2025-02-30T00:00:00Z' }, 'body.expiresAt'],
    [{ expiresAt: 'never' }, 'body.expiresAt'],
    [{ codexRolloutSubdir: '../up' }, 'body.codexRolloutSubdir'],
    [{ metadata: [] }, 'body.metadata'],
    [{ threadId: 't' }, 'body.threadId'],
  ])('refuses %j by its field', async (body, path) => {
    const { status, error } = await create(body);
    expect(status).toBe(400);
    expect(refusedPlace(error)).toBe(path);
  });

  it('makes one of ten requests at the same time, with one volume', async () => {
    const sessionId = newSessionId();
    const answers = await Promise.all(Array.from({ length: 10 }, () => create({ sessionId })));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
    expect(answers.filter(({ data }) => data.action === 'session-created')).toHaveLength(1);
    const names = new Set(answers.map(({ data }) => data.session['storagePvcName']));
    expect(names.size).toBe(1);
    const volumes = (await manager.running.serving.volumes.list()).filter((name) => name.startsWith(`${sessionId}-`));
    expect(volumes).toEqual([...names]);
  });

  it('never resets the thread of one that talks', async () => {
    const sessionId = newSessionId();
    const { turn, runner } = await underWay(manager, ofSession(sessionId));
    await runner.report(turn.id, 'completed', { threadId: 'thread-1', turnId: 'turn-7' });
    await create({ sessionId });
    expect(await show(sessionId)).toMatchObject({ threadId: 'thread-1', metadata: { lastTurnId: 'turn-7' } });
    await runner.release();
    const next = await manager.createRun(ofSession(sessionId, { sessionRef: { sessionId, threadId: 'forged' } }));
    expect(next.sessionRef).toMatchObject({ sessionId, threadId: 'thread-1' });
  });
});

describe('the state of a session', () => {
  it('runs from the turn that is asked for to its end, and keeps the outcome', async () => {
    const sessionId = newSessionId();
    const { runId, turn, runner } = await underWay(manager, ofSession(sessionId));
    expect(await show(sessionId)).toMatchObject({
      executionState: 'running',
      active: true,
      attentionState: 'active-session',
      activeRunId: runId,
      activeCommandId: turn.id,
      terminalStatus: null,
      title: 'do it',
    });
    await runner.report(turn.id, 'failed', { failureKind: 'provider-rate-limited', failureMessage: 'too fast' });
    expect(await show(sessionId)).toMatchObject({
      executionState: 'idle',
      active: true,
      attentionState: 'failed',
      activeRunId: runId,
      activeCommandId: null,
      lastCommandId: turn.id,
      terminalStatus: 'failed',
      failureKind: 'provider-rate-limited',
    });
    await runner.release();
    expect(await show(sessionId)).toMatchObject({
      executionState: 'idle',
      active: false,
      activeRunId: null,
      terminalStatus: 'failed',
    });
  });

  it('stays running while another turn waits, which is the active one then', async () => {
    const sessionId = newSessionId();
    const { turn, runner, runId } = await underWay(manager, ofSession(sessionId));
    const next = await manager.turn(runId);
    await runner.report(turn.id);
    expect(await show(sessionId)).toMatchObject({
      executionState: 'running',
      activeCommandId: next.id,
      terminalStatus: null,
    });
  });

  it('is not changed by the end of a run that is not its own any more', async () => {
    const sessionId = newSessionId();
    const { turn, runner } = await underWay(manager, ofSession(sessionId));
    await runner.report(turn.id);
    const next = await manager.createRun(ofSession(sessionId));
    const open = await manager.turn(next.id);
    expect(await runner.finish('failed')).toMatchObject({ status: 403, failureKind: 'lease-fenced' });
    expect(await show(sessionId)).toMatchObject({
      executionState: 'running',
      activeRunId: next.id,
      activeCommandId: open.id,
      lastRunId: next.id,
      lastCommandId: open.id,
    });
  });

  it('shows what its run does, and for one that never ran nothing of that', async () => {
    const sessionId = newSessionId();
    await create({ sessionId });
    expect(await show(sessionId)).not.toHaveProperty('liveness');
    const { runId, turn } = await underWay(manager, ofSession(sessionId));
    expect(await show(sessionId)).toMatchObject({
      liveness: { phase: 'model-wait', active: true, lease: { leaseExpired: false } },
      supervisor: {
        runId,
        commandId: turn.id,
        status: 'running',
        phase: 'model-wait',
        liveness: { phase: 'model-wait' },
      },
    });
  });

  it('counts the events of its last run', async () => {
    const sessionId = newSessionId();
    const { runId } = await underWay(manager, ofSession(sessionId));
    expect((await show(sessionId))['lastEventSeq']).toBe((await manager.run(runId)).lastSeq);
  });
});

it.each(['', '/trace', '/output', '/storage'])('says that there is no session: GET %s', async (path) => {
  expect(await manager.request('GET', `sessions/none-such${path}`)).toMatchObject({
    status: 404,
    failureKind: 'not-found',
  });
});

it.each([
  ['read', undefined],
  ['control', { action: 'read' }],
  ['control', { action: 'cancel' }],
])('says that there is no session: POST %s %j', async (path, body) => {
  expect(await manager.request('POST', `sessions/none-such/${path}`, body)).toMatchObject({
    status: 404,
    failureKind: 'not-found',
  });
});

it('refuses a control that there is not', async () => {
  const sessionId = newSessionId();
  await create({ sessionId });
  for (const body of [{}, { action: 'stop' }, { action: 'read', readerId: ' ' }]) {
    expect(await manager.request('POST', `sessions/${sessionId}/control`, body)).toMatchObject({ status: 400 });
  }
});

it('leaves nothing that the doctor finds', async () => {
  expect(await manager.ask('GET', 'doctor')).toMatchObject({ ok: true, violations: [] });
});
