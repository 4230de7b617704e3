import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { externalRunner, placedRunner } from '../../helpers/manager-client.ts';
import { cancelScenes, stagesOf } from './cancel-scenes.ts';
import { newSessionId, ofSession, placedUnderWay, underWay } from './scenes.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await testManager({ config: { cancelDeliveryMode: 'push' } });
});
afterAll(() => manager.stop());

const { cancel, cancelPhases } = cancelScenes(() => manager);

describe('the cancel of a run', () => {
  it('ends one that nobody holds at once, with its commands, and tells the request before the ends', async () => {
    const { id: runId } = await manager.createRun();
    const turn = await manager.turn(runId);
    expect((await cancel(runId, 'not needed')).data).toMatchObject({
      status: 'cancelled',
      terminalStatus: 'cancelled',
      failureKind: 'cancelled',
      failureMessage: 'not needed',
      cancelReason: 'not needed',
    });
    expect(await manager.command(runId, turn.id)).toMatchObject({
      state: 'cancelled',
      failureKind: 'cancelled',
      failureMessage: 'not needed',
    });
    const told = (await manager.events(runId)).map(({ type, payload }) => payload?.['phase'] ?? type);
    expect(told.slice(2)).toEqual(['cancel-requested', 'command-terminal', 'cancel-terminal', 'terminal_status']);
    const { cancelReceipts, cancelRequestedAt } = await manager.run(runId);
    expect(stagesOf(cancelReceipts)).toEqual(['requested', 'terminal']);
    expect(Date.parse(cancelReceipts['cancel-requested']?.at ?? '')).toBeGreaterThanOrEqual(
      Date.parse(cancelRequestedAt ?? ''),
    );
  });

  it('names a reason when none is given, and takes an absent body', async () => {
    const { id: runId } = await manager.createRun();
    expect((await cancel(runId)).data).toMatchObject({ cancelReason: 'cancel requested' });
  });

  it.each(['completed', 'failed', 'blocked', 'cancelled'])('leaves one that has ended %s as it is', async (status) => {
    const { runId, runner } = await underWay(manager);
    const turns = (await runner.next()).data.items;
    for (const { id } of turns) await runner.report(id, status);
    await runner.finish(status);
    const before = await manager.run(runId);
    expect((await cancel(runId, 'too late')).data).toEqual(before);
    expect((await manager.events(runId)).at(-1)?.type).toBe('terminal_status');
  });

  it('answers a second request as the first one, with its reason', async () => {
    const { runId } = await underWay(manager);
    const first = await cancel(runId, 'first');
    const second = await cancel(runId, 'second');
    expect(second.data).toEqual(first.data);
    expect(await cancelPhases(runId)).toEqual(['cancel-requested']);
  });

  it('waits for the runner of one that is claimed, and is confirmed by its release', async () => {
    const { id: runId } = await manager.createRun();
    const runner = await externalRunner(manager, runId);
    await runner.claim();
    const waiting = await manager.turn(runId);
    expect((await cancel(runId)).data).toMatchObject({ status: 'cancelling', terminalStatus: null });
    expect(await manager.command(runId, waiting.id)).toMatchObject({ state: 'cancelled' });
    expect((await runner.release()).data).toMatchObject({ status: 'cancelled', failureKind: 'cancelled' });
    expect(stagesOf((await manager.run(runId)).cancelReceipts)).toEqual(['requested', 'terminal']);
  });

  it('keeps the true outcome and the thread of the turn that ended meanwhile', async () => {
    const sessionId = newSessionId();
    const { runId, turn, runner } = await underWay(manager, ofSession(sessionId));
    await cancel(runId, 'stop');
    expect((await runner.beat()).data).toMatchObject({ status: 'cancelling', cancelCommandIds: [] });
    await runner.report(turn.id, 'completed', { threadId: 'thread-9' });
    expect((await manager.run(runId)).status).toBe('cancelling');
    await runner.release();
    expect(await manager.command(runId, turn.id)).toMatchObject({ state: 'completed', threadId: 'thread-9' });
    expect(await manager.run(runId)).toMatchObject({ status: 'cancelled', failureMessage: 'stop' });
    expect(stagesOf((await manager.run(runId)).cancelReceipts)).toEqual(['requested', 'delivered', 'terminal']);
    expect(await manager.ask('GET', `sessions/${sessionId}`)).toMatchObject({
      executionState: 'idle',
      terminalStatus: 'cancelled',
      threadId: 'thread-9',
      activeRunId: null,
    });
  });

  it.each(['completed', 'failed', 'cancelled'])('ends cancelled when its runner reports that it %s', async (status) => {
    const { runId, turn, runner } = await underWay(manager);
    await cancel(runId, 'stop');
    expect((await runner.finish(status)).data).toMatchObject({ status: 'cancelled', failureMessage: 'stop' });
    expect(await manager.command(runId, turn.id)).toMatchObject({ state: 'cancelled' });
    expect(await runner.finish(status)).toMatchObject({ status: 200, data: { status: 'cancelled' } });
  });

  it('ends a one-shot run cancelled, although its turn was completed', async () => {
    const { runId, turn, runner } = await underWay(manager, { executionPolicy: { oneShot: true } });
    await cancel(runId);
    expect((await runner.report(turn.id, 'completed')).data).toMatchObject({ state: 'completed' });
    expect((await manager.run(runId)).status).toBe('cancelling');
    await runner.release();
    expect((await manager.run(runId)).status).toBe('cancelled');
  });

  it('takes no command and no runner job meanwhile', async () => {
    const { runId, turn } = await underWay(manager);
    await cancel(runId);
    const refused = { status: 409, failureKind: 'already-terminal', error: { details: { status: 'cancelling' } } };
    expect(
      await manager.request('POST', `runs/${runId}/commands`, { type: 'turn', payload: { prompt: 'x' } }),
    ).toMatchObject(refused);
    expect(await manager.request('POST', `runs/${runId}/runner-jobs`, { commandId: turn.id })).toMatchObject(refused);
  });

  it('withdraws an attempt that has not claimed yet, which can claim no more', async () => {
    const { id: runId } = await manager.createRun();
    const turn = await manager.turn(runId);
    await manager.ask('POST', `runs/${runId}/runner-jobs`, { commandId: turn.id });
    const runner = placedRunner(manager, await manager.placement.nextStart());
    expect((await cancel(runId)).data.status).toBe('cancelled');
    expect(await runner.claim()).toMatchObject({ status: 409, failureKind: 'already-terminal' });
    await expect.poll(() => manager.placement.fenced).toContain(runner.attemptId);
  });

  it('kills the attempt that does not confirm, by the times of the lane', async () => {
    const { runId, turn, runner } = await placedUnderWay(manager);
    await cancel(runId, 'stop');
    await expect.poll(async () => (await manager.run(runId)).status).toBe('cancelled');
    expect(manager.placement.fenced).toContain(runner.attemptId);
    const { cancelReceipts } = await manager.run(runId);
    expect(stagesOf(cancelReceipts)).toEqual([
      'requested',
      'graceful-abort',
      'kill-escalated',
      'heartbeat-fenced',
      'terminal',
    ]);
    expect(cancelReceipts['cancel-graceful-abort']?.sinceRequestMs).toBeGreaterThanOrEqual(300);
    expect(cancelReceipts['cancel-kill-escalated']?.sinceRequestMs).toBeGreaterThanOrEqual(800);
    expect(await manager.command(runId, turn.id)).toMatchObject({ state: 'cancelled', failureKind: 'cancelled' });
    expect(await cancelPhases(runId)).toEqual([
      'cancel-requested',
      'cancel-graceful-abort',
      'cancel-kill-escalated',
      'cancel-heartbeat-fenced',
      'cancel-terminal',
    ]);
  });

  it('is over as soon as the runner is seen to end', async () => {
    const { runId, runner } = await placedUnderWay(manager);
    await cancel(runId);
    manager.placement.exit(runner.attemptId);
    await expect.poll(async () => (await manager.run(runId)).status).toBe('cancelled');
  });

  it('takes the lease away from a runner that beats and does not confirm, and refuses what comes after', async () => {
    const short = await testManager({ config: { staleHeartbeatFencingMs: 1000 } });
    try {
      const { runId, turn, runner } = await underWay(short);
      await short.ask('POST', `runs/${runId}/cancel`);
      while ((await runner.beat()).data?.terminalStatus === null) await sleep(100);
      expect(await short.run(runId)).toMatchObject({ status: 'cancelled' });
      expect(await runner.report(turn.id)).toMatchObject({
        status: 403,
        failureKind: 'lease-fenced',
        error: { details: { yourEpoch: 1, currentEpoch: 2 } },
      });
      expect(await short.command(runId, turn.id)).toMatchObject({ state: 'cancelled' });
      const { cancelReceipts } = await short.run(runId);
      expect(cancelReceipts['cancel-heartbeat-fenced']?.sinceRequestMs).toBeGreaterThanOrEqual(1000);
      expect(cancelReceipts['cancel-late-write-fenced']).toBeDefined();
      expect((await short.events(runId)).at(-1)?.type).toBe('terminal_status');
    } finally {
      await short.stop();
    }
  });

  it('ends cancelled with a diagnosis when the attempt cannot be shown to be gone', async () => {
    const { onFence } = manager.placement;
    manager.placement.onFence = async () => ({ gone: false, survivors: ['process 4711 (node)'], couldNotLook: null });
    try {
      const { runId, runner } = await placedUnderWay(manager);
      await cancel(runId);
      manager.placement.exit(runner.attemptId);
      await expect.poll(async () => (await manager.run(runId)).status).toBe('cancelled');
      expect((await manager.run(runId)).diagnosis).toMatchObject({ survivors: ['process 4711 (node)'] });
    } finally {
      manager.placement.onFence = onFence;
    }
  });

  it('does not end a run whose lease ran out before its attempt is known to be gone', async () => {
    const short = await testManager({ config: { staleHeartbeatFencingMs: 400 } });
    let confirm = () => {};
    const confirmed = new Promise<void>((resolve) => {
      confirm = resolve;
    });
    const asked = new Promise<void>((resolve) => {
      short.placement.onFence = async () => {
        resolve();
        await confirmed;
        return { gone: true, ended: 1 };
      };
    });
    try {
      const sessionId = newSessionId();
      const { runId } = await placedUnderWay(short, ofSession(sessionId));
      await asked;
      const answer = await short.ask('POST', `runs/${runId}/cancel`);
      expect(answer).toMatchObject({ status: 'cancelling', terminalStatus: null });
      expect(await short.request('POST', `sessions/${sessionId}/send`, { prompt: 'go on' })).toMatchObject({
        status: 409,
        failureKind: 'session-busy',
      });
      confirm();
      await expect.poll(async () => (await short.run(runId)).status).toBe('cancelled');
    } finally {
      confirm();
      await short.stop();
    }
  });

  it('is asked for by the manager itself when the run takes longer than its policy allows', async () => {
    const { runId, turn, runner } = await underWay(manager, { executionPolicy: { runTimeoutMs: 200 } });
    await expect.poll(async () => (await manager.run(runId)).status).toBe('cancelling');
    await runner.report(turn.id, 'cancelled');
    await runner.release();
    const run = await manager.run(runId);
    expect(run).toMatchObject({ status: 'cancelled', diagnosis: { timeoutKind: 'run' } });
    expect(run.cancelReason).toContain('runTimeoutMs, 200');
    expect(await manager.ask('GET', `runs/${runId}/result`)).toMatchObject({
      terminalClassification: { category: 'timeout', timeoutKind: 'run', hardTimeout: true },
    });
  });
});

it('leaves nothing that the doctor finds', async () => {
  expect(await manager.ask('GET', 'doctor')).toMatchObject({ ok: true, violations: [] });
});
