import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandRecord } from '../../../manager/src/store/commands.ts';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { externalRunner, placedRunner, RUN_INPUT } from '../../helpers/manager-client.ts';
import { newSessionId, ofSession, underWay } from './scenes.ts';
import { sendScenes } from './send-scenes.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await testManager();
});
afterAll(() => manager.stop());

const { newSession, send, refusedSend, counts } = sendScenes(() => manager);

describe('where a text goes', () => {
  it('begins a turn in a new run of a session that has none, with a runner job', async () => {
    const sessionId = await newSession();
    const sent = await send(sessionId, { prompt: 'hello', createRunnerJob: true });
    expect(sent).toMatchObject({
      action: 'session-send',
      dryRun: false,
      mutation: true,
      decision: 'turn',
      internalCommandType: 'turn',
      reusedActiveRun: false,
      activeBefore: null,
      run: { sessionRef: { sessionId }, backendProfile: 'codex', workspaceRef: { kind: 'session' } },
      command: { type: 'turn', state: 'pending', payload: { prompt: 'hello' } },
    });
    const start = await manager.placement.nextStart();
    expect(start.attempt).toMatchObject({
      runId: sent.run.id,
      attemptId: sent.runnerJob?.attemptId,
      session: { sessionId },
    });
    const runner = placedRunner(manager, start);
    await runner.claim();
    expect((await runner.next()).data.items).toMatchObject([{ id: sent.command.id }]);
    await runner.finish('failed');
  });

  it('makes the session where there is none, of what the run says', async () => {
    const sessionId = newSessionId();
    await send(sessionId, { text: 'hello', run: { ...RUN_INPUT, sessionRef: { metadata: { title: 'First' } } } });
    expect(await manager.ask('GET', `sessions/${sessionId}`)).toMatchObject({
      tenantId: 'tenant',
      title: 'First',
      executionState: 'running',
      storageKind: 'none',
    });
  });

  it('says what is missing where neither the run nor a session says it, and makes nothing', async () => {
    const before = await counts();
    const sessionId = newSessionId();
    expect(await refusedSend(sessionId, { prompt: 'hello' })).toMatchObject({
      status: 400,
      failureKind: 'schema-invalid',
      error: { details: { errors: [{ path: 'body.run.tenantId' }] } },
    });
    const run = { ...RUN_INPUT, backendProfile: 'none-such' };
    expect(await refusedSend(sessionId, { prompt: 'hello', run })).toMatchObject({ status: 400 });
    expect(await counts()).toEqual(before);
  });

  it('steers the turn that is under way under a live lease', async () => {
    const sessionId = newSessionId();
    const { runId, turn, runner } = await underWay(manager, ofSession(sessionId));
    const sent = await send(sessionId, { prompt: 'use tabs', run: { tenantId: 'ignored' } });
    expect(sent).toMatchObject({
      decision: 'steer',
      internalCommandType: 'steer',
      reusedActiveRun: true,
      run: { id: runId },
      runnerJob: null,
      command: { type: 'steer', steerDelivery: { targetCommandId: turn.id, ifTurnEnded: 'turn' } },
      activeBefore: {
        runId,
        commandId: turn.id,
        commandState: 'acknowledged',
        runStatus: 'running',
        leaseExpired: false,
        reason: 'active-turn-running',
        valuesPrinted: false,
      },
    });
    expect((await runner.next(turn.seq)).data.items).toMatchObject([{ id: sent.command.id }]);
  });

  it('appends a turn where one waits that nobody has taken up', async () => {
    const sessionId = await newSession();
    const first = await send(sessionId, { prompt: 'one' });
    const second = await send(sessionId, { prompt: 'two' });
    expect(second).toMatchObject({
      decision: 'turn',
      reusedActiveRun: true,
      activeBefore: null,
      run: { id: first.run.id },
    });
    expect(second.command.seq).toBe(2);
  });

  it('gives the turn to the warm runner of a claimed run that has nothing to do', async () => {
    const sessionId = newSessionId();
    const { runId, turn, runner } = await underWay(manager, ofSession(sessionId));
    await runner.report(turn.id);
    const waiting = runner.next(turn.seq, 20_000);
    const sent = await send(sessionId, { prompt: 'more', createRunnerJob: true });
    expect(sent).toMatchObject({ decision: 'turn', reusedActiveRun: true, run: { id: runId }, runnerJob: null });
    expect((await waiting).data.items).toMatchObject([{ id: sent.command.id }]);
  });

  it('appends a turn where the lease of the turn that is under way ran out', async () => {
    const alone = await testManager({ withoutDuties: true, config: { staleHeartbeatFencingMs: 200 } });
    try {
      const sessionId = newSessionId();
      const { runId, turn } = await underWay(alone, ofSession(sessionId));
      while (Date.parse((await alone.run(runId)).leaseExpiresAt ?? '') > Date.now()) await sleep(50);
      const sent = await send(sessionId, { prompt: 'more' }, alone);
      expect(sent).toMatchObject({ decision: 'turn', reusedActiveRun: true, activeBefore: null, run: { id: runId } });
      expect(sent.command.seq).toBe(turn.seq + 1);
    } finally {
      await alone.stop();
    }
  });

  it('begins another run where the last one has ended', async () => {
    const sessionId = newSessionId();
    const { runId, turn, runner } = await underWay(manager, ofSession(sessionId));
    await runner.report(turn.id);
    await runner.release();
    const sent = await send(sessionId, { prompt: 'more' });
    expect(sent).toMatchObject({ decision: 'turn', reusedActiveRun: false });
    expect(sent.run.id).not.toBe(runId);
    expect(await manager.ask('GET', `sessions/${sessionId}`)).toMatchObject({
      executionState: 'running',
      terminalStatus: null,
      lastRunId: sent.run.id,
      lastCommandId: sent.command.id,
      activeRunId: sent.run.id,
      activeCommandId: sent.command.id,
    });
  });

  it('waits while the run of the session is being cancelled', async () => {
    const sessionId = newSessionId();
    const { runId } = await underWay(manager, ofSession(sessionId));
    await manager.ask('POST', `runs/${runId}/cancel`);
    const answer = await refusedSend(sessionId, { prompt: 'more' });
    expect(answer).toMatchObject({ status: 409, failureKind: 'session-busy', error: { details: { runId } } });
    expect(answer.headers.get('retry-after')).toBe('1');
  });
});

describe('what the caller wants while the session is busy', () => {
  it('queues the text behind the turn', async () => {
    const sessionId = newSessionId();
    const { runId } = await underWay(manager, ofSession(sessionId));
    const sent = await send(sessionId, { prompt: 'next', ifBusy: 'queue' });
    expect(sent).toMatchObject({ decision: 'turn', reusedActiveRun: true, activeBefore: null, run: { id: runId } });
    expect(sent.command.type).toBe('turn');
  });

  it('rejects it, while a turn runs and while one waits', async () => {
    const sessionId = newSessionId();
    const { runId, turn, runner } = await underWay(manager, ofSession(sessionId));
    const refused = { status: 409, failureKind: 'session-busy', error: { details: { runId } } };
    expect(await refusedSend(sessionId, { prompt: 'next', ifBusy: 'reject' })).toMatchObject(refused);
    await manager.turn(runId);
    await runner.report(turn.id);
    expect(await refusedSend(sessionId, { prompt: 'next', ifBusy: 'reject' })).toMatchObject(refused);
    const [waiting] = (await runner.next()).data.items;
    await runner.ack(waiting?.id ?? '');
    await runner.report(waiting?.id ?? '');
    expect(await send(sessionId, { prompt: 'next', ifBusy: 'reject' })).toMatchObject({
      decision: 'turn',
      run: { id: runId },
    });
  });

  it('may have a steer refused instead of made a turn', async () => {
    const sessionId = newSessionId();
    const { runId, turn, runner } = await underWay(manager, ofSession(sessionId));
    const sent = await send(sessionId, { prompt: 'now or never', ifTurnEnded: 'reject' });
    await runner.report(turn.id);
    expect(await manager.command(runId, sent.command.id)).toMatchObject({ failureKind: 'steer-not-applied' });
    expect((await runner.next()).data.items).toEqual([]);
  });
});

describe('sends at the same time', () => {
  it.each([
    ['of a session that is there', true],
    ['that make the session', false],
  ])('%s: fifty end in one run, and each text once', async (_case, isMade) => {
    const sessionId = isMade ? await newSession() : newSessionId();
    const texts = Array.from({ length: 50 }, (_, index) => `text ${index}`);
    const sent = await Promise.all(texts.map((prompt) => send(sessionId, { prompt, run: isMade ? {} : RUN_INPUT })));
    const [runId = '', ...others] = new Set(sent.map(({ run }) => run.id));
    expect(others).toEqual([]);
    expect(sent.filter(({ reusedActiveRun }) => !reusedActiveRun)).toHaveLength(1);

    const runner = await externalRunner(manager, runId);
    await runner.claim();
    const taken: string[] = [];
    for (let [turn] = (await runner.next()).data.items; turn !== undefined; [turn] = (await runner.next()).data.items) {
      await runner.ack(turn.id);
      taken.push(turn.payload.prompt);
      await runner.report(turn.id);
    }
    expect(taken.toSorted()).toEqual(texts.toSorted());
    const seqs = sent.map(({ command }) => command.seq).sort((a, b) => a - b);
    expect(seqs).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
  });

  it('with the end of the turn that they steer: every text reaches the agent, as a steer or as a turn', async () => {
    const sessionId = newSessionId();
    const { runId, turn, runner } = await underWay(manager, ofSession(sessionId));
    const texts = Array.from({ length: 20 }, (_, index) => `text ${index}`);
    const sends = texts.map((prompt) => send(sessionId, { prompt }));
    const end = runner.report(turn.id);
    await Promise.all([...sends, end]);
    const { items } = await manager.ask<{ items: CommandRecord[] }>('GET', `runs/${runId}/commands?limit=100`);
    const open = items.filter(({ state }) => state === 'pending');
    expect(open.every(({ type }) => type === 'turn')).toBe(true);
    expect(open.map(({ payload }) => payload.prompt).toSorted()).toEqual(texts.toSorted());
  });
});

it('leaves nothing that the doctor finds', async () => {
  expect(await manager.ask('GET', 'doctor')).toMatchObject({ ok: true, violations: [] });
});
