import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { random, seed } from '../concurrency/long.ts';
import { count, underWay } from './kill-scenes.ts';
import { arm, CONFIG, points, startVictims, statementsSince, TIMES, type Victims } from './kill-victims.ts';

let victims: Victims;
let manager: TestManager;
beforeAll(async () => {
  // One at a time: a second one would have the duties.
  victims = await startVictims(0, false);
  manager = await testManager({ database: victims.database, times: TIMES, config: CONFIG, withoutDuties: true });
});
afterAll(async () => {
  await manager.stop();
  await victims.remove();
});

let marks = 0;
const newMark = () => {
  marks += 1;
  return `duty${marks}`;
};

describe('a manager that is killed at its duties', () => {
  /** Another one takes them up, until what is waited for is true. */
  async function restarted(until: (rescuer: TestManager) => Promise<boolean>): Promise<void> {
    const rescuer = await testManager({ database: victims.database, times: TIMES, config: CONFIG });
    try {
      await expect.poll(() => until(rescuer), { timeout: 20_000 }).toBe(true);
      expect(await rescuer.ask('GET', 'doctor')).toMatchObject({ violations: [] });
    } finally {
      await rescuer.stop();
    }
  }

  it('has taken a run over wholly or not at all, and the next one does it', async () => {
    const lost = async () => {
      const process = await victims.next();
      const { runId, turnId, runner } = await underWay(manager, newMark());
      await runner.append([{ type: 'tool_begin', payload: { commandId: turnId, itemId: 'i', toolName: 'sh' } }], 1);
      await manager.turn(runId);
      return { process, runId, turnId, runner };
    };
    const expire = (runId: string) =>
      manager.running.serving.pool.query(
        'UPDATE agentrun_runs SET lease_expires_at = clock_timestamp() WHERE id = $1',
        [runId],
      );
    const isTaken = async (runId: string) => (await manager.run(runId)).attemptId === null;

    const first = await lost();
    await arm(first.process, { arm: Number.MAX_SAFE_INTEGER, begin: true });
    await expire(first.runId);
    await expect.poll(() => isTaken(first.runId), { timeout: 20_000 }).toBe(true);
    const statements = await statementsSince(first.process);
    await first.process.kill();
    const at = points(statements, random());
    console.log(`takeover: killed after statements ${at.join(', ')} of ${statements}, seed ${seed}`);
    for (const n of at) {
      const { process, runId, turnId, runner } = await lost();
      await arm(process, { arm: n, begin: true });
      await expire(runId);
      expect(await process.ended).toBe('SIGKILL');
      await restarted(() => isTaken(runId));
      expect(
        await count(manager, 'agentrun_events', `run_id = $1 AND payload ->> 'phase' = 'attempt-lost'`, runId),
      ).toBe(1);
      expect(await manager.command(runId, turnId)).toMatchObject({ failureKind: 'outcome-unknown' });
      expect((await runner.report(turnId)).failureKind).toBe('lease-fenced');
    }
  }, 300_000);

  it('has started a runner or not, and of all that were started one can claim', async () => {
    const asked = async () => {
      const process = await victims.next();
      const { id: runId } = await manager.createRun();
      const { id: commandId } = await manager.turn(runId);
      return { process, runId, commandId };
    };
    const want = (run: { runId: string; commandId: string }) =>
      manager.ask('POST', `runs/${run.runId}/runner-jobs`, { commandId: run.commandId });
    const kept = (runId: string) => count(manager, 'agentrun_outbox', 'run_id = $1', runId);

    const first = await asked();
    await arm(first.process, { arm: Number.MAX_SAFE_INTEGER, begin: true });
    await want(first);
    await expect.poll(() => kept(first.runId), { timeout: 20_000 }).toBe(0);
    const statements = await statementsSince(first.process);
    await first.process.kill();
    const at = points(statements, random());
    console.log(`start of a runner: killed after statements ${at.join(', ')} of ${statements}, seed ${seed}`);
    for (const n of at) {
      const run = await asked();
      await arm(run.process, { arm: n, begin: true });
      await want(run);
      expect(await run.process.ended).toBe('SIGKILL');
      const starts = [...run.process.started];
      await restarted(async (rescuer) => {
        if ((await kept(run.runId)) > 0) return false;
        starts.push(
          ...rescuer.placement.started
            .filter(({ attempt }) => attempt.runId === run.runId)
            .map(({ attempt, token }) => ({ ...attempt, token })),
        );
        return true;
      });
      expect(new Set(starts.map(({ attemptId }) => attemptId)).size).toBe(1);
      const claims = await Promise.all(
        starts.map(({ token, runnerId }) =>
          manager.request('POST', `runs/${run.runId}/claim`, { runnerId }, { authorization: `Bearer ${token}` }),
        ),
      );
      expect(claims.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(claims.filter(({ status }) => status !== 200 && status !== 401)).toEqual([]);
    }
  }, 300_000);
});
