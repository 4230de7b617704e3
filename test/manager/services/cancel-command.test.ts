import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { placedRunner } from '../../helpers/manager-client.ts';
import { cancelScenes, stagesOf } from './cancel-scenes.ts';
import { placedUnderWay, underWay } from './scenes.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await testManager({ config: { cancelDeliveryMode: 'push' } });
});
afterAll(() => manager.stop());

const { cancel, cancelCommand, cancelPhases } = cancelScenes(() => manager);

describe('how a cancel is told', () => {
  it.each([
    ['push', 10_000],
    ['poll', 3333],
  ] as const)('in a lane with %s is by runners that beat every %d ms', async (cancelDeliveryMode, heartbeatMs) => {
    const times = { cancelGracefulAbortMs: 10_000, cancelKillEscalationMs: 30_000, staleHeartbeatFencingMs: 90_000 };
    const other = await testManager({ config: { cancelDeliveryMode, ...times } });
    try {
      const { id: runId } = await other.createRun();
      const turn = await other.turn(runId);
      await other.ask('POST', `runs/${runId}/runner-jobs`, { commandId: turn.id });
      expect((await other.placement.nextStart()).attempt).toMatchObject({ heartbeatMs });
    } finally {
      await other.stop();
    }
  });

  it('wakes the runner that waits for work in a lane that pushes', async () => {
    const { runId, turn, runner } = await underWay(manager);
    const waiting = runner.next(turn.seq, 20_000);
    await expect.poll(() => manager.running.serving.wakeups.listening).toBeGreaterThan(0);
    await cancel(runId);
    const { data } = await waiting;
    expect(data).toMatchObject({ items: [], run: { status: 'cancelling', cancelCommandIds: [] } });
    expect(data.run.cancelRequestedAt).not.toBeNull();
    expect(stagesOf((await manager.run(runId)).cancelReceipts)).toEqual(['requested', 'delivered']);
  });

  it('lets it wait in a lane that is polled, and tells it with the next heartbeat or poll', async () => {
    const polled = await testManager({
      config: {
        cancelDeliveryMode: 'poll',
        cancelGracefulAbortMs: 60_000,
        cancelKillEscalationMs: 60_000,
        staleHeartbeatFencingMs: 60_000,
      },
    });
    try {
      const { runId, turn, runner } = await underWay(polled);
      const waiting = runner.next(turn.seq, 1500);
      await expect.poll(() => polled.running.serving.wakeups.listening).toBeGreaterThan(0);
      await polled.ask('POST', `runs/${runId}/cancel`);
      await polled.run(runId);
      expect(stagesOf((await polled.run(runId)).cancelReceipts)).toEqual(['requested']);
      expect((await runner.beat()).data.status).toBe('cancelling');
      expect(stagesOf((await polled.run(runId)).cancelReceipts)).toEqual(['requested', 'delivered']);
      expect((await waiting).data.run.status).toBe('cancelling');

      const second = await underWay(polled);
      await polled.ask('POST', `runs/${second.runId}/cancel`);
      expect((await second.runner.next(second.turn.seq)).data.run.status).toBe('cancelling');
      expect(stagesOf((await polled.run(second.runId)).cancelReceipts)).toEqual(['requested', 'delivered']);
    } finally {
      await polled.stop();
    }
  });

  it('makes events only of the stages that the lane lists, and receipts of all', async () => {
    const quiet = await testManager({ config: { cancelEventStages: ['kill-escalated', 'terminal'] } });
    try {
      const { runId } = await placedUnderWay(quiet);
      await quiet.ask('POST', `runs/${runId}/cancel`);
      await expect.poll(async () => (await quiet.run(runId)).status).toBe('cancelled');
      const phases = (await quiet.phases(runId)).filter((phase) => phase.startsWith('cancel-'));
      expect(phases).toEqual(['cancel-kill-escalated', 'cancel-terminal']);
      expect(stagesOf((await quiet.run(runId)).cancelReceipts)).toContain('requested');
      expect(stagesOf((await quiet.run(runId)).cancelReceipts)).toContain('graceful-abort');
    } finally {
      await quiet.stop();
    }
  });
});

describe('the cancel of a command', () => {
  it('ends a pending turn at once, and lets the others and the run be', async () => {
    const { runId, turn, runner } = await underWay(manager);
    const waiting = await manager.turn(runId);
    expect((await cancelCommand(waiting.id, { reason: 'changed my mind' })).data).toMatchObject({
      state: 'cancelled',
      failureKind: 'cancelled',
      failureMessage: 'changed my mind',
      cancelReceipts: { 'cancel-requested': {}, 'cancel-terminal': {} },
    });
    expect(await manager.command(runId, turn.id)).toMatchObject({ state: 'acknowledged', cancelRequestedAt: null });
    expect((await runner.next()).data).toMatchObject({
      items: [{ id: turn.id }],
      run: { status: 'running', cancelCommandIds: [] },
    });
  });

  it('asks the runner to interrupt a turn that is under way, and the run goes on with the next one', async () => {
    const { runId, turn, runner } = await underWay(manager);
    const waiting = await manager.turn(runId);
    const asked = await cancelCommand(turn.id, { reason: 'wrong way' });
    expect(asked.data).toMatchObject({ state: 'acknowledged', cancelReason: 'wrong way', terminalStatus: null });
    expect(asked.data['cancelRequestedAt']).not.toBeNull();
    expect((await runner.beat()).data).toMatchObject({ status: 'running', cancelCommandIds: [turn.id] });
    await runner.report(turn.id, 'cancelled', { threadId: 'thread-1' });
    const ended = await manager.command(runId, turn.id);
    expect(ended).toMatchObject({ state: 'cancelled', threadId: 'thread-1' });
    expect(stagesOf(ended.cancelReceipts)).toEqual(['requested', 'delivered', 'terminal']);
    expect(await manager.run(runId)).toMatchObject({ status: 'claimed', cancelRequestedAt: null, cancelReceipts: {} });
    expect((await runner.ack(waiting.id)).data.state).toBe('acknowledged');
    expect(await cancelPhases(runId)).toEqual(['cancel-requested', 'cancel-delivered', 'cancel-terminal']);
  });

  it('keeps the true outcome of a turn that was done before the interrupt came', async () => {
    const { runId, turn, runner } = await underWay(manager);
    await cancelCommand(turn.id);
    await runner.report(turn.id, 'completed');
    expect(await manager.command(runId, turn.id)).toMatchObject({ state: 'completed', failureKind: null });
  });

  it('changes nothing when it is asked again, or when the command has ended', async () => {
    const { turn, runner } = await underWay(manager);
    const first = await cancelCommand(turn.id, { reason: 'first' });
    expect((await cancelCommand(turn.id, { reason: 'second' })).data).toEqual(first.data);
    await runner.report(turn.id, 'cancelled');
    expect((await cancelCommand(turn.id)).data).toMatchObject({ state: 'cancelled', cancelReason: 'first' });
  });

  it('ends a steer that nobody has taken up, and refuses one that the agent has', async () => {
    const { runId, runner } = await underWay(manager);
    const [waiting, taken] = [await manager.steer(runId), await manager.steer(runId)];
    expect((await cancelCommand(waiting.id)).data).toMatchObject({ state: 'cancelled' });
    await runner.ack(taken.id);
    expect(await cancelCommand(taken.id)).toMatchObject({ status: 409, failureKind: 'conflict' });
    expect(await manager.command(runId, taken.id)).toMatchObject({ state: 'acknowledged', cancelRequestedAt: null });
  });

  it('kills the attempt of a turn that does not end, and gives the next turn to another one', async () => {
    const { runId, turn, runner } = await placedUnderWay(manager);
    const waiting = await manager.turn(runId);
    await cancelCommand(turn.id, { reason: 'hangs' });
    const second = placedRunner(manager, await manager.placement.nextStart());
    expect(manager.placement.fenced).toContain(runner.attemptId);
    expect(second.runId).toBe(runId);
    expect(await manager.command(runId, turn.id)).toMatchObject({ state: 'cancelled', failureMessage: 'hangs' });
    expect(stagesOf((await manager.command(runId, turn.id)).cancelReceipts)).toEqual([
      'requested',
      'graceful-abort',
      'kill-escalated',
      'terminal',
    ]);
    await second.claim();
    expect((await second.next()).data.items).toMatchObject([{ id: waiting.id, state: 'pending' }]);
    expect(await manager.run(runId)).toMatchObject({ status: 'claimed', cancelRequestedAt: null });
  });

  it('knows no command that there is not', async () => {
    expect(await cancelCommand('cmd_none')).toMatchObject({ status: 404, failureKind: 'not-found' });
  });
});

it('leaves nothing that the doctor finds', async () => {
  expect(await manager.ask('GET', 'doctor')).toMatchObject({ ok: true, violations: [] });
});
