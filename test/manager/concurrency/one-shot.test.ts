import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { externalRunner } from '../../helpers/manager-client.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await testManager({ config: { staleHeartbeatFencingMs: 3_600_000 }, withoutDuties: true });
});
afterAll(() => manager.stop());

describe('a run for one turn', () => {
  it('ends when its runner is drained in the middle of that turn, and does not go on with the next', async () => {
    const { id: runId } = await manager.createRun({ executionPolicy: { oneShot: true } });
    const [first, second] = [await manager.turn(runId), await manager.turn(runId)];
    const runner = await externalRunner(manager, runId);
    await runner.claim();
    await runner.ack(first.id);
    await runner.append([{ type: 'tool_begin', payload: { commandId: first.id, itemId: 'i', toolName: 'sh' } }], 1);
    expect((await runner.release('drain')).data).toMatchObject({ status: 'blocked', failureKind: 'outcome-unknown' });
    expect(await manager.command(runId, second.id)).toMatchObject({ state: 'cancelled' });
    expect((await runner.release('drain')).status).toBe(200);
    expect(await manager.ask('GET', 'doctor')).toMatchObject({ violations: [] });
  });
});
