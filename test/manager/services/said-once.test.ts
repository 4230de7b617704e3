import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { placedRunner } from '../../helpers/manager-client.ts';
import { placedUnderWay } from './scenes.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await testManager();
});
afterAll(() => manager.stop());

it('shows what a person said once, though its turn is delivered again', async () => {
  const { runId, turn, runner } = await placedUnderWay(manager);
  manager.placement.exit(runner.attemptId);
  const second = placedRunner(manager, await manager.placement.nextStart());
  await second.claim();
  expect((await second.ack(turn.id)).ok).toBe(true);
  const next = await manager.turn(runId, 'and this');
  await second.report(turn.id);
  await second.ack(next.id);
  const said = (await manager.events(runId)).filter(({ type }) => type === 'user_message');
  expect(said.map(({ payload }) => payload?.['commandId'])).toEqual([turn.id, next.id]);
});
