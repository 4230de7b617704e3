import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { testManager } from '../../helpers/manager.ts';
import { externalRunner } from '../../helpers/manager-client.ts';

/** A run whose lease ran out, and one whose runner has not claimed it in time, with a manager that has just begun. */
async function afterTrouble(graceMs: number) {
  const manager = await testManager({ times: { claimMs: 100, graceMs }, config: { staleHeartbeatFencingMs: 200 } });
  const { id: expired } = await manager.createRun();
  await manager.turn(expired);
  const runner = await externalRunner(manager, expired);
  await runner.claim();
  const { id: unclaimed } = await manager.createRun();
  const { id: commandId } = await manager.turn(unclaimed);
  await manager.ask('POST', `runs/${unclaimed}/runner-jobs`, { commandId });
  const { attempt } = await manager.placement.nextStart();
  const lost = async () => {
    const phases = [...(await manager.phases(expired)), ...(await manager.phases(unclaimed))];
    return phases.filter((phase) => phase === 'attempt-lost').length;
  };
  return { manager, attempt, lost };
}

describe('a manager that has just begun', () => {
  it('takes nothing over while runners could not reach it: neither expired leases nor attempts that are late', async () => {
    const { manager, attempt, lost } = await afterTrouble(3_600_000);
    try {
      // Both times have come long ago, and the duties have looked at them often.
      await sleep(1200);
      expect(await lost()).toBe(0);
      expect(manager.placement.fenced).not.toContain(attempt.attemptId);
    } finally {
      await manager.stop();
    }
  });

  it('takes both over when that time is past', async () => {
    const { manager, lost } = await afterTrouble(0);
    try {
      await expect.poll(lost, { timeout: 20_000 }).toBeGreaterThanOrEqual(2);
    } finally {
      await manager.stop();
    }
  });
});
