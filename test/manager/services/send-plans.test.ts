import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { RUN_INPUT } from '../../helpers/manager-client.ts';
import { newSessionId, ofSession, underWay } from './scenes.ts';
import { sendScenes } from './send-scenes.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await testManager();
});
afterAll(() => manager.stop());

const { newSession, send, refusedSend, counts } = sendScenes(() => manager);

describe('what is sent', () => {
  it.each([
    [{ prompt: 'p', message: 'm', text: 't' }, { prompt: 'p' }],
    [{ message: 'm', text: 't' }, { prompt: 'm' }],
    [{ text: '  t \n' }, { prompt: 't' }],
    [{ prompt: ' \n', message: '', text: 't' }, { prompt: 't' }],
    [
      { payload: { prompt: ' as it is ', metadata: { a: 1 } }, prompt: 'p' },
      { prompt: ' as it is ', metadata: { a: 1 } },
    ],
  ])('%j is %j', async (body, payload) => {
    expect((await send(await newSession(), body)).command.payload).toEqual(payload);
  });

  it('is refused without a text', async () => {
    const sessionId = await newSession();
    for (const body of [{}, { ifBusy: 'queue' }, { prompt: '   ' }, { payload: {} }, { payload: { prompt: '' } }]) {
      expect(await refusedSend(sessionId, body)).toMatchObject({ status: 400, failureKind: 'schema-invalid' });
    }
    expect((await manager.ask('GET', `sessions/${sessionId}`))['lastRunId']).toBeNull();
  });

  it('takes the former name of the run', async () => {
    const sent = await send(newSessionId(), { prompt: 'p', runBase: { ...RUN_INPUT, projectId: 'other' } });
    expect(sent.run.projectId).toBe('other');
  });

  it('goes to no run of another tenant, project or profile', async () => {
    const sessionId = await newSession();
    const run = { tenantId: 'another', backendProfile: 'command' };
    expect(await refusedSend(sessionId, { prompt: 'p', run })).toMatchObject({
      status: 409,
      failureKind: 'conflict',
      error: { details: { differs: ['tenantId', 'backendProfile'] } },
    });
  });

  it('is answered with how to go on', async () => {
    const sessionId = await newSession();
    const { run, command, pollActions } = await send(sessionId, { prompt: 'p' });
    const ids = { runId: run.id, commandId: command.id, sessionId };
    const none = { runId: null, commandId: null, sessionId };
    const vp = { valuesPrinted: false };
    expect(pollActions).toEqual([
      {
        action: 'inspect-session',
        operation: 'describe',
        resourceKind: 'session',
        resourceName: sessionId,
        ...none,
        readerId: 'cli',
        ...vp,
      },
      {
        action: 'poll-trace',
        operation: 'events',
        resourceKind: 'run',
        resourceName: run.id,
        ...ids,
        afterSeq: 0,
        limit: 100,
        ...vp,
      },
      {
        action: 'poll-output',
        operation: 'logs',
        resourceKind: 'session',
        resourceName: sessionId,
        ...ids,
        afterSeq: 0,
        limit: 100,
        ...vp,
      },
      {
        action: 'read-session',
        operation: 'read',
        resourceKind: 'session',
        resourceName: sessionId,
        ...none,
        readerId: 'cli',
        ...vp,
      },
      {
        action: 'cancel-session',
        operation: 'cancel',
        resourceKind: 'session',
        resourceName: sessionId,
        ...none,
        reasonRequired: true,
        ...vp,
      },
    ]);
  });
});

describe('a dry run', () => {
  it('tells of a turn in a new run and writes nothing', async () => {
    const sessionId = await newSession();
    const before = await counts();
    const plan = await manager.ask('POST', `sessions/${sessionId}/send`, {
      dryRun: true,
      prompt: 'grüß dich',
      idempotencyKey: 'key-of-a-dry-run',
      run: { sessionRef: { conversationId: 'conv-1', metadata: { z: 1, a: 2 } } },
      runnerJob: { any: 'thing' },
    });
    expect(plan).toMatchObject({
      action: 'session-send-plan',
      dryRun: true,
      mutation: false,
      sessionId,
      decision: 'turn',
      internalCommandType: 'turn',
      activeBefore: null,
      request: {
        method: 'POST',
        path: `/api/v1/sessions/${sessionId}/send`,
        commandType: 'turn',
        payloadBytes: Buffer.byteLength('{"prompt":"grüß dich"}'),
        createRunnerJob: true,
        runnerJobBytes: Buffer.byteLength('{"any":"thing"}'),
      },
      run: { sessionRef: { sessionId, conversationId: 'conv-1', threadId: null, metadataKeys: ['a', 'z'] } },
      next: { confirm: { action: 'send-session', operation: 'send', resourceName: sessionId, inputKind: 'prompt' } },
    });
    expect(await counts()).toEqual(before);
  });

  it('tells of a steer, and of a turn in the open run', async () => {
    const sessionId = newSessionId();
    const { runId, turn, runner } = await underWay(manager, ofSession(sessionId));
    expect(await manager.ask('POST', `sessions/${sessionId}/send`, { dryRun: true, prompt: 'p' })).toMatchObject({
      decision: 'steer',
      activeBefore: { runId, commandId: turn.id },
      request: { path: `/api/v1/runs/${runId}/commands`, commandType: 'steer' },
    });
    await runner.report(turn.id);
    expect(await manager.ask('POST', `sessions/${sessionId}/send`, { dryRun: true, prompt: 'p' })).toMatchObject({
      decision: 'turn',
      reusedActiveRun: true,
      request: { createRunnerJob: false, runBytes: 0 },
      run: null,
    });
  });

  it('refuses what would be refused', async () => {
    const sessionId = await newSession();
    expect(await refusedSend(sessionId, { dryRun: true })).toMatchObject({ status: 400 });
    await manager.ask('DELETE', `sessions/${sessionId}/storage`);
    for (const dryRun of [true, false]) {
      expect(await refusedSend(sessionId, { dryRun, prompt: 'p' })).toMatchObject({
        status: 409,
        failureKind: 'session-store-evicted',
      });
    }
  });
});

describe('a run that is made for a session that has an open one', () => {
  it('takes the place of one that has nothing to do, which ends as its last turn did', async () => {
    const sessionId = newSessionId();
    const { runId, turn, runner } = await underWay(manager, ofSession(sessionId));
    await runner.report(turn.id);
    const next = await manager.createRun(ofSession(sessionId));
    expect(await manager.run(runId)).toMatchObject({
      status: 'completed',
      terminalStatus: 'completed',
      claimedBy: null,
    });
    expect(await runner.beat()).toMatchObject({ status: 403, failureKind: 'lease-fenced' });
    expect(await manager.ask('GET', `sessions/${sessionId}`)).toMatchObject({
      lastRunId: next.id,
      activeRunId: next.id,
    });
    expect((await manager.events(runId)).at(-1)?.type).toBe('terminal_status');
  });

  it('takes the place of one that never had a turn, which ends cancelled', async () => {
    const sessionId = newSessionId();
    const first = await manager.createRun(ofSession(sessionId));
    await manager.createRun(ofSession(sessionId));
    expect(await manager.run(first.id)).toMatchObject({ status: 'cancelled' });
  });

  it('is refused while that one has work, by its id', async () => {
    const sessionId = newSessionId();
    const { runId } = await underWay(manager, ofSession(sessionId));
    expect(await manager.request('POST', 'runs', { ...RUN_INPUT, ...ofSession(sessionId) })).toMatchObject({
      status: 409,
      failureKind: 'session-busy',
      error: { details: { sessionId, runId, openCommands: 1 } },
    });
  });
});

it('leaves nothing that the doctor finds', async () => {
  expect(await manager.ask('GET', 'doctor')).toMatchObject({ ok: true, violations: [] });
});
