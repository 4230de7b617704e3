import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunResult } from '../../../manager/src/services/result.ts';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { placedRunner } from '../../helpers/manager-client.ts';
import { resultScenes, tool } from './result-scenes.ts';
import { underWay } from './scenes.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await testManager();
});
afterAll(() => manager.stop());

const { result, phase } = resultScenes(() => manager);

describe('what a run is doing', () => {
  it('goes from queued to starting, idle, waiting for the model, a tool, and back, to its end', async () => {
    const { id: runId } = await manager.createRun();
    expect(await phase(runId)).toBe('queued');
    const turn = await manager.turn(runId);
    await manager.ask('POST', `runs/${runId}/runner-jobs`, { commandId: turn.id });
    expect(await phase(runId)).toBe('starting');
    const runner = placedRunner(manager, await manager.placement.nextStart());
    await runner.claim();
    expect(await phase(runId)).toBe('idle');
    await runner.ack(turn.id);
    expect(await phase(runId)).toBe('model-wait');
    await runner.append([
      { type: 'backend_status', payload: { commandId: turn.id, phase: 'resource-bundle-checkout' } },
    ]);
    expect(await phase(runId)).toBe('materializing');
    await runner.append([{ type: 'backend_status', payload: { commandId: turn.id, phase: 'turn-started' } }]);
    expect(await phase(runId)).toBe('model-wait');
    await runner.append([tool('tool_begin', turn.id)]);
    expect(await phase(runId)).toBe('tool-running');
    await runner.append([tool('tool_end', turn.id)]);
    expect(await phase(runId)).toBe('model-wait');
    await manager.ask('POST', `runs/${runId}/cancel`);
    expect(await phase(runId)).toBe('cancelling');
    await runner.report(turn.id, 'cancelled');
    await runner.release();
    expect(await phase(runId)).toBe('terminal');
  });

  it('is lost while its lease is over and nobody has taken it', async () => {
    const alone = await testManager({ withoutDuties: true, config: { staleHeartbeatFencingMs: 100 } });
    try {
      const { runId } = await underWay(alone);
      const get = () => alone.ask<RunResult>('GET', `runs/${runId}/result`);
      await expect.poll(async () => (await get()).liveness.phase).toBe('lost');
      expect((await get()).liveness).toMatchObject({
        lease: { leaseExpired: true, leaseRemainingMs: 0 },
        recoveryActions: [{ action: 'inspect' }, { action: 'cancel', reason: 'the runner is not heard of' }],
      });
    } finally {
      await alone.stop();
    }
  });

  it('tells the last activity, of the run and of the command, on one line and without its end', async () => {
    const { runId, turn, runner } = await underWay(manager);
    await runner.append([
      { type: 'assistant_message', payload: { commandId: turn.id, text: `one\n  two ${'x'.repeat(300)}` } },
    ]);
    await manager.turn(runId);
    const { liveness } = await result(runId, turn.id);
    const { summary } = liveness.lastCommandActivity ?? { summary: '' };
    expect(summary).toHaveLength(180);
    expect(summary).toMatch(/^one two x+\.\.\.$/);
    expect(liveness).toMatchObject({
      active: true,
      lastActivity: {
        activityKind: 'manager',
        type: 'backend_status',
        summary: 'command-created',
        sourceSeq: liveness.lastSeq,
      },
      lastCommandActivity: { activityKind: 'runner', type: 'assistant_message', sourceSeq: liveness.lastSeq - 1 },
    });
    expect(liveness.lastEventAgeMs).toBeGreaterThanOrEqual(0);
  });

  it('tells which limit comes first, and how much of it is left', async () => {
    const budget = async (executionPolicy: object) => {
      const { runId } = await underWay(manager, { executionPolicy });
      return (await result(runId)).liveness.timeoutBudget;
    };
    const long = 3_600_000;
    expect(await budget({})).toMatchObject({
      timeoutKind: 'idle',
      timeoutMs: 600_000,
      state: 'running',
      source: 'executionPolicy',
    });
    expect(await budget({ turnTimeoutMs: 60_000 })).toMatchObject({ timeoutKind: 'turn', timeoutMs: 60_000 });
    expect(await budget({ runTimeoutMs: 50_000, idleEventTimeoutMs: long })).toMatchObject({
      timeoutKind: 'run',
      timeoutMs: 50_000,
    });
    expect(await budget({ turnTimeoutMs: 1, idleEventTimeoutMs: long })).toMatchObject({
      timeoutKind: 'turn',
      state: 'exceeded',
      remainingMs: 0,
    });
    const { id } = await manager.createRun();
    expect((await result(id)).liveness).toMatchObject({
      timeoutBudget: null,
      lease: null,
      terminalClassification: null,
    });
  });

  it('asks nobody to wait: a read changes nothing', async () => {
    const { runId } = await underWay(manager);
    const [before, events] = [await manager.run(runId), await manager.events(runId)];
    await result(runId);
    await manager.ask('GET', `runs/${runId}/events`);
    expect({ ...(await manager.run(runId)), leaseExpiresAt: null }).toEqual({ ...before, leaseExpiresAt: null });
    expect(await manager.events(runId)).toEqual(events);
  });
});
