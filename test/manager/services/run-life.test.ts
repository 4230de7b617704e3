import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { externalRunner, placedRunner } from '../../helpers/manager-client.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await testManager();
});
afterAll(() => manager.stop());

/** A run with a turn that a runner has taken up. */
async function underWay(input: object = {}) {
  const { id: runId } = await manager.createRun(input);
  const turn = await manager.turn(runId);
  const runner = await externalRunner(manager, runId);
  await runner.claim();
  await runner.ack(turn.id);
  return { runId, turn, runner };
}

describe('the life of a run', () => {
  it('goes from pending to claimed to running and back, and ends with its last turn when it is released', async () => {
    const { id: runId } = await manager.createRun();
    expect((await manager.run(runId)).status).toBe('pending');
    const turn = await manager.turn(runId, 'write a file');
    const runner = await externalRunner(manager, runId);

    const claimed = await runner.claim();
    expect(claimed.data).toMatchObject({ status: 'claimed', claimedBy: runner.runnerId, leaseEpoch: 1, leaseMs: 3000 });
    const next = await runner.next();
    expect(next.data.items).toMatchObject([{ id: turn.id, state: 'pending', payload: { prompt: 'write a file' } }]);

    expect((await runner.ack(turn.id)).data.state).toBe('acknowledged');
    expect((await manager.run(runId)).status).toBe('running');
    await runner.append([{ type: 'assistant_message', payload: { commandId: turn.id, text: 'done' } }], 1);
    const ended = await runner.report(turn.id, 'completed', { threadId: 'thread-1', turnId: 'turn-1' });
    expect(ended.data).toMatchObject({ state: 'completed', terminalStatus: 'completed', threadId: 'thread-1' });
    expect((await manager.run(runId)).status).toBe('claimed');

    expect((await runner.release()).data).toMatchObject({
      status: 'completed',
      terminalStatus: 'completed',
      claimedBy: null,
    });
    expect((await manager.events(runId)).map(({ type, payload }) => payload?.['phase'] ?? type)).toEqual([
      'run-created',
      'command-created',
      'run-claimed',
      'command-acknowledged',
      'user_message',
      'assistant_message',
      'command-terminal',
      'run-released',
      'terminal_status',
    ]);
    const result = await manager.ask('GET', `runs/${runId}/result`);
    expect(result).toMatchObject({ terminalStatus: 'completed', output: { text: 'done', truncated: false } });
  });

  it('waits again when it is released before its first turn', async () => {
    const { id: runId } = await manager.createRun();
    const runner = await externalRunner(manager, runId);
    await runner.claim();
    expect((await runner.release()).data).toMatchObject({ status: 'pending', claimedBy: null });
  });

  it('is not released as idle while a command waits', async () => {
    const { id: runId } = await manager.createRun();
    await manager.turn(runId);
    const runner = await externalRunner(manager, runId);
    await runner.claim();
    expect(await runner.release()).toMatchObject({ status: 409, failureKind: 'commands-pending' });
  });

  it('ends with its first turn when the policy says one shot, and cancels what waits', async () => {
    const { id: runId } = await manager.createRun({ executionPolicy: { oneShot: true } });
    const first = await manager.turn(runId);
    const second = await manager.turn(runId);
    const runner = await externalRunner(manager, runId);
    await runner.claim();
    await runner.ack(first.id);
    await runner.report(first.id, 'failed', { failureKind: 'backend-crashed', failureMessage: 'it died' });
    expect(await manager.run(runId)).toMatchObject({ status: 'failed', failureKind: 'backend-crashed' });
    expect(await manager.command(runId, second.id)).toMatchObject({ state: 'cancelled' });
  });

  it('takes one turn at a time', async () => {
    const { runId, runner } = await underWay();
    const second = await manager.turn(runId);
    expect(await runner.ack(second.id)).toMatchObject({ status: 409, failureKind: 'conflict' });
  });

  it('keeps the first outcome of a command, whatever is reported after', async () => {
    const { runId, turn, runner } = await underWay();
    await runner.report(turn.id, 'completed');
    const again = await runner.report(turn.id, 'failed', { failureKind: 'backend-crashed' });
    expect(again).toMatchObject({ status: 200, data: { terminalStatus: 'completed', failureKind: null } });
    const terminal = (await manager.phases(runId)).filter((phase) => phase === 'command-terminal');
    expect(terminal).toHaveLength(1);
  });

  it.each([
    ['completed', 'backend-crashed'],
    ['failed', 'provider-quota'],
    ['blocked', 'cancelled'],
  ])('refuses %s with %s: status and kind must fit', async (terminalStatus, failureKind) => {
    const { turn, runner } = await underWay();
    expect(await runner.report(turn.id, terminalStatus, { failureKind })).toMatchObject({
      status: 400,
      failureKind: 'schema-invalid',
    });
  });

  it('closes every open command with the run, and answers a repeated report as the first', async () => {
    const { runId, turn, runner } = await underWay();
    const waiting = await manager.turn(runId);
    const ended = await runner.finish('blocked', {
      failureKind: 'resource-bundle-invalid',
      failureMessage: 'no such commit',
    });
    expect(ended.data).toMatchObject({ status: 'blocked', failureKind: 'resource-bundle-invalid' });
    for (const { id } of [turn, waiting]) {
      expect(await manager.command(runId, id)).toMatchObject({ state: 'failed', terminalStatus: 'blocked' });
    }
    expect(await runner.finish('failed')).toMatchObject({ status: 200, data: { status: 'blocked' } });
    expect((await manager.events(runId)).at(-1)?.type).toBe('terminal_status');
  });

  it('is served by an attempt that the placement starts, and found lost as soon as its runner ends', async () => {
    const { id: runId } = await manager.createRun();
    const turn = await manager.turn(runId);
    const job = await manager.ask('POST', `runs/${runId}/runner-jobs`, { commandId: turn.id });
    const start = await manager.placement.nextStart();
    expect(start.attempt).toMatchObject({ runId, attemptId: job['attemptId'] });
    const runner = placedRunner(manager, start);
    await runner.claim();
    await runner.ack(turn.id);
    manager.placement.exit(runner.attemptId, { logTail: 'out of memory\n' });

    // It had told nothing of the turn: the turn goes to the next attempt.
    const second = placedRunner(manager, await manager.placement.nextStart());
    expect(second.attemptId).not.toBe(runner.attemptId);
    expect((await second.claim()).data.leaseEpoch).toBeGreaterThan(runner.epoch);
    expect((await second.next()).data.items).toMatchObject([{ id: turn.id, state: 'pending' }]);
    const lost = (await manager.events(runId)).find(({ payload }) => payload?.['phase'] === 'attempt-lost');
    expect(lost?.payload?.['reason']).toContain('out of memory');
  });

  it('says that the outcome is unknown of a turn that was told of before its runner was lost', async () => {
    const { id: runId } = await manager.createRun();
    const turn = await manager.turn(runId);
    await manager.ask('POST', `runs/${runId}/runner-jobs`, { commandId: turn.id });
    const runner = placedRunner(manager, await manager.placement.nextStart());
    await runner.claim();
    await runner.ack(turn.id);
    await runner.append([{ type: 'tool_begin', payload: { commandId: turn.id, itemId: 'i1', toolName: 'shell' } }], 1);
    manager.placement.exit(runner.attemptId);
    await expect.poll(async () => (await manager.run(runId)).status).toBe('blocked');
    const command = await manager.command(runId, turn.id);
    expect(command).toMatchObject({ terminalStatus: 'blocked', failureKind: 'outcome-unknown' });
    expect(command.diagnosis).toMatchObject({ openToolCalls: [{ itemId: 'i1', toolName: 'shell' }] });
  });

  it('ends when as many attempts were lost as the policy allows', async () => {
    const { id: runId } = await manager.createRun({ executionPolicy: { maxAttempts: 2 } });
    const turn = await manager.turn(runId);
    await manager.ask('POST', `runs/${runId}/runner-jobs`, { commandId: turn.id });
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const runner = placedRunner(manager, await manager.placement.nextStart());
      await runner.claim();
      manager.placement.exit(runner.attemptId);
    }
    await expect.poll(async () => (await manager.run(runId)).status).toBe('failed');
    expect(await manager.run(runId)).toMatchObject({ failureKind: 'infra-failed', attemptCount: 2 });
  });

  it('ends blocked when nobody claims it in time', async () => {
    const { id: runId } = await manager.createRun({ executionPolicy: { pendingTimeoutMs: 100 } });
    await expect.poll(async () => (await manager.run(runId)).status).toBe('blocked');
    expect(await manager.run(runId)).toMatchObject({ failureKind: 'never-claimed' });
  });

  it('goes on with nobody beside an attempt that cannot be shown to be gone', async () => {
    const { id: runId } = await manager.createRun();
    const turn = await manager.turn(runId);
    await manager.ask('POST', `runs/${runId}/runner-jobs`, { commandId: turn.id });
    const runner = placedRunner(manager, await manager.placement.nextStart());
    await runner.claim();
    const { onFence } = manager.placement;
    manager.placement.onFence = async () => ({ gone: false, survivors: ['process 4711 (node)'], couldNotLook: null });
    try {
      manager.placement.exit(runner.attemptId);
      await expect.poll(async () => (await manager.run(runId)).status).toBe('blocked');
      expect(await manager.run(runId)).toMatchObject({ failureKind: 'fence-unconfirmed', attemptCount: 1 });
    } finally {
      manager.placement.onFence = onFence;
    }
  });

  it('leaves nothing that the doctor finds', async () => {
    expect(await manager.ask('GET', 'doctor')).toMatchObject({ ok: true, violations: [] });
  });
});
