import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { placedRunner } from '../../helpers/manager-client.ts';
import { newSessionId, ofSession, placedUnderWay, text, underWay } from './scenes.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await testManager();
});
afterAll(() => manager.stop());

describe('a steer', () => {
  it('is for the turn that is under way, delivered when it is acknowledged and done when the agent took it', async () => {
    const { runId, turn, runner } = await underWay(manager);
    const steer = await manager.steer(runId, 'use tabs');
    expect(steer).toMatchObject({
      type: 'steer',
      state: 'pending',
      steerDelivery: { targetCommandId: turn.id, ifTurnEnded: 'reject' },
    });
    expect((await runner.next(turn.seq)).data.items).toMatchObject([{ id: steer.id, payload: { prompt: 'use tabs' } }]);
    expect((await runner.ack(steer.id)).data.state).toBe('acknowledged');
    expect((await manager.run(runId)).status).toBe('running');
    expect((await runner.report(steer.id)).data).toMatchObject({ state: 'completed', failureKind: null });
    const said = (await manager.events(runId)).filter(({ type }) => type === 'user_message');
    expect(said.map(({ payload }) => payload)).toMatchObject([
      { commandId: turn.id, commandType: 'turn' },
      { commandId: steer.id, commandType: 'steer', text: 'use tabs' },
    ]);
    expect((await manager.run(runId)).status).toBe('running');
  });

  it('comes to the runner in the order in which it was asked for', async () => {
    const { runId, turn, runner } = await underWay(manager);
    const texts = ['one', 'two', 'three'];
    for (const said of texts) await manager.steer(runId, said);
    const { items } = (await runner.next()).data;
    expect(items.map(({ payload }) => payload.prompt)).toEqual(['do it', ...texts]);
    expect(items[0]).toMatchObject({ id: turn.id, state: 'acknowledged' });
    expect(items.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  });

  it('is refused where no turn is under way, and where its turn is another one', async () => {
    const { id: runId } = await manager.createRun();
    const pending = await manager.turn(runId);
    const ask = (run: string, more: object = {}) =>
      manager.request('POST', `runs/${run}/commands`, { type: 'steer', payload: { prompt: 'so' }, ...more });
    const refused = { status: 409, failureKind: 'conflict' };
    expect(await ask(runId)).toMatchObject(refused);
    expect(await ask(runId, { targetCommandId: pending.id })).toMatchObject(refused);
    const other = await underWay(manager);
    expect(await ask(other.runId, { targetCommandId: pending.id })).toMatchObject({
      ...refused,
      error: { details: { targetCommandId: pending.id, currentTurn: other.turn.id } },
    });
    expect((await ask(other.runId, { targetCommandId: other.turn.id })).status).toBe(200);
  });

  it('is made a turn at once where no turn is under way and the caller wants that', async () => {
    const { id: runId } = await manager.createRun();
    const made = await manager.steer(runId, 'so', { ifTurnEnded: 'turn' });
    expect(made).toMatchObject({ type: 'turn', state: 'pending', steerDelivery: null, payload: { prompt: 'so' } });
  });

  it.each([
    ['turn-ended', 'the turn had ended'],
    ['unsupported', 'the agent takes no text during a turn'],
    ['superseded', 'another command came first'],
  ])('fails with the reason %s that the runner gives', async (reason, failureMessage) => {
    const { runId, turn, runner } = await underWay(manager);
    const steer = await manager.steer(runId);
    await runner.ack(steer.id);
    await runner.report(steer.id, 'failed', { failureKind: 'steer-not-applied', steerDelivery: { reason } });
    expect(await manager.command(runId, steer.id)).toMatchObject({
      state: 'failed',
      failureKind: 'steer-not-applied',
      failureMessage,
      steerDelivery: { targetCommandId: turn.id, reason },
    });
    const result = await manager.ask('GET', `runs/${runId}/commands/${steer.id}/result`);
    expect(result).toMatchObject({ terminalStatus: 'failed', steerDelivery: { reason } });
    const said = (await manager.events(runId)).filter(({ type }) => type === 'user_message');
    expect(said).toHaveLength(1);
  });

  it('fails with its turn when it was not taken up, in the order of the log', async () => {
    const { runId, turn, runner } = await underWay(manager);
    const steer = await manager.steer(runId);
    await runner.report(turn.id);
    expect(await manager.command(runId, steer.id)).toMatchObject({
      state: 'failed',
      failureKind: 'steer-not-applied',
      steerDelivery: { reason: 'turn-ended' },
    });
    expect((await runner.next()).data.items).toEqual([]);
    expect((await manager.run(runId)).status).toBe('claimed');
  });

  it('becomes a turn behind those that wait, with its whole payload, when its turn ended first', async () => {
    const sessionId = newSessionId();
    const { runId, turn, runner } = await underWay(manager, ofSession(sessionId));
    const waiting = await manager.turn(runId, 'then this');
    const payload = { prompt: 'use tabs', metadata: { from: 'me' } };
    const steer = await manager.steer(runId, '', { ifTurnEnded: 'turn', payload });
    await runner.report(turn.id);
    const { items } = (await runner.next()).data;
    expect(items).toMatchObject([
      { id: waiting.id },
      { type: 'turn', state: 'pending', payload, payloadHash: steer.payloadHash },
    ]);
    const convertedTo = items[1]?.id;
    expect(await manager.command(runId, steer.id)).toMatchObject({
      state: 'failed',
      steerDelivery: { reason: 'turn-ended', ifTurnEnded: 'turn', convertedTo },
    });
    expect(await manager.ask('GET', `sessions/${sessionId}`)).toMatchObject({
      executionState: 'running',
      activeCommandId: waiting.id,
    });
    const told = (await manager.events(runId)).filter(({ payload: said }) => said?.['convertedFrom'] === steer.id);
    expect(told).toMatchObject([{ payload: { phase: 'command-created', commandId: convertedTo } }]);
  });

  it('becomes a turn too when the runner says that the turn had ended, and not for another reason', async () => {
    const { runId, runner } = await underWay(manager);
    const [late, odd] = [
      await manager.steer(runId, 'late', { ifTurnEnded: 'turn' }),
      await manager.steer(runId, 'odd', { ifTurnEnded: 'turn' }),
    ];
    for (const [steer, reason] of [
      [late, 'turn-ended'],
      [odd, 'unsupported'],
    ] as const) {
      await runner.ack(steer.id);
      await runner.report(steer.id, 'failed', { failureKind: 'steer-not-applied', steerDelivery: { reason } });
    }
    expect((await manager.command(runId, late.id)).steerDelivery?.convertedTo).toMatch(/^cmd_/);
    expect((await manager.command(runId, odd.id)).steerDelivery).not.toHaveProperty('convertedTo');
    expect((await runner.next(1)).data.items).toMatchObject([{ type: 'turn', payload: { prompt: 'late' } }]);
  });

  it('is cancelled with its run, and makes no turn of it', async () => {
    const { runId, runner, turn } = await underWay(manager);
    const steer = await manager.steer(runId, 'so', { ifTurnEnded: 'turn' });
    await manager.ask('POST', `runs/${runId}/cancel`);
    expect(await manager.command(runId, steer.id)).toMatchObject({ state: 'cancelled' });
    await runner.report(turn.id);
    await runner.release();
    expect(await manager.ask<{ items: object[] }>('GET', `runs/${runId}/commands`)).toMatchObject({
      items: [{ type: 'turn' }, { type: 'steer' }],
    });
  });

  it('of a one-shot run ends with it', async () => {
    const { runId, runner, turn } = await underWay(manager, { executionPolicy: { oneShot: true } });
    const steer = await manager.steer(runId, 'so', { ifTurnEnded: 'turn' });
    await runner.report(turn.id);
    expect(await manager.command(runId, steer.id)).toMatchObject({ state: 'cancelled' });
    expect((await manager.run(runId)).status).toBe('completed');
  });

  it('has an unknown outcome when its runner is lost after it was delivered', async () => {
    const { runId, turn, runner } = await placedUnderWay(manager);
    const [taken, waiting] = [await manager.steer(runId), await manager.steer(runId, 'later', { ifTurnEnded: 'turn' })];
    await runner.ack(taken.id);
    await runner.append([text(turn.id, 'began')], 1);
    manager.placement.exit(runner.attemptId);
    const second = placedRunner(manager, await manager.placement.nextStart());
    await second.claim();
    expect(await manager.command(runId, taken.id)).toMatchObject({
      state: 'failed',
      terminalStatus: 'blocked',
      failureKind: 'outcome-unknown',
    });
    expect(await manager.command(runId, turn.id)).toMatchObject({ failureKind: 'outcome-unknown' });
    const { steerDelivery } = await manager.command(runId, waiting.id);
    expect((await second.next()).data.items).toMatchObject([
      { id: steerDelivery?.convertedTo, payload: { prompt: 'later' } },
    ]);
  });

  it('still waits for its turn when that one is delivered again', async () => {
    const { runId, turn, runner } = await placedUnderWay(manager);
    const steer = await manager.steer(runId);
    manager.placement.exit(runner.attemptId);
    const second = placedRunner(manager, await manager.placement.nextStart());
    await second.claim();
    expect((await second.next()).data.items).toMatchObject([
      { id: turn.id, state: 'pending' },
      { id: steer.id, state: 'pending' },
    ]);
  });

  it('is the last command of its session, whose active one stays the turn', async () => {
    const sessionId = newSessionId();
    const { runId, turn } = await underWay(manager, ofSession(sessionId));
    const steer = await manager.steer(runId);
    expect(await manager.ask('GET', `sessions/${sessionId}`)).toMatchObject({
      executionState: 'running',
      lastRunId: runId,
      lastCommandId: steer.id,
      activeCommandId: turn.id,
    });
  });
});

describe('an interrupt', () => {
  it('of a session ends its turn and leaves its run open', async () => {
    const sessionId = newSessionId();
    const { runId, turn, runner } = await underWay(manager, ofSession(sessionId));
    const answer = await manager.ask('POST', `sessions/${sessionId}/control`, {
      action: 'interrupt',
      reason: 'wrong way',
    });
    expect(answer).toMatchObject({
      action: 'interrupt',
      target: { kind: 'command', id: turn.id },
      command: { id: turn.id, state: 'acknowledged', cancelReason: 'wrong way' },
    });
    expect((await runner.beat()).data.cancelCommandIds).toEqual([turn.id]);
    await runner.report(turn.id, 'cancelled');
    expect(await manager.run(runId)).toMatchObject({ status: 'claimed', cancelRequestedAt: null });
    expect(await manager.ask('GET', `sessions/${sessionId}`)).toMatchObject({
      executionState: 'idle',
      terminalStatus: 'cancelled',
    });
  });

  it('makes a turn of the steer that waited for the turn it ends', async () => {
    const { runId, turn, runner } = await underWay(manager);
    await manager.steer(runId, 'rather this', { ifTurnEnded: 'turn' });
    await manager.ask('POST', `commands/${turn.id}/cancel`);
    await runner.report(turn.id, 'cancelled');
    expect((await runner.next()).data.items).toMatchObject([{ type: 'turn', payload: { prompt: 'rather this' } }]);
  });

  it('is refused where nothing runs', async () => {
    const sessionId = newSessionId();
    await manager.ask('POST', 'sessions', { sessionId, tenantId: 'tenant', projectId: 'project' });
    for (const action of ['interrupt', 'cancel']) {
      expect(await manager.request('POST', `sessions/${sessionId}/control`, { action })).toMatchObject({
        status: 409,
        failureKind: 'conflict',
      });
    }
  });
});

it('leaves nothing that the doctor finds', async () => {
  expect(await manager.ask('GET', 'doctor')).toMatchObject({ ok: true, violations: [] });
});
