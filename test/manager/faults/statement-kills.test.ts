import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { LONG, random, seed } from '../concurrency/long.ts';
import { KILL_SCENES, type KillScene } from './kill-scenes.ts';
import { type Arm, arm, CONFIG, points, startVictims, statementsSince, TIMES, type Victims } from './kill-victims.ts';

const WARM = 2;

let victims: Victims;
/** The manager that the client turns to afterwards. */
let manager: TestManager;
beforeAll(async () => {
  victims = await startVictims(WARM, true);
  manager = await testManager({ database: victims.database, times: TIMES, config: CONFIG, withoutDuties: true });
});
afterAll(async () => {
  await manager.stop();
  await victims.remove();
});

let marks = 0;
const newMark = () => {
  marks += 1;
  return `kill${marks}`;
};

async function isSound(): Promise<void> {
  const { violations } = await manager.ask<{ violations: { rule: string }[] }>('GET', 'doctor');
  // Promises are kept by nobody here.
  expect(violations.filter(({ rule }) => rule !== 'promises-are-kept')).toEqual([]);
}

/** How many statements the request takes when nothing happens. */
async function statementsOf(scene: KillScene): Promise<number> {
  const process = await victims.next();
  const { ask, hasOneEffect } = await scene.prepare(manager, newMark());
  await arm(process, { arm: Number.MAX_SAFE_INTEGER });
  expect(await ask(process)).toMatchObject({ status: 200 });
  const statements = await statementsSince(process);
  await process.kill();
  await hasOneEffect();
  return statements;
}

async function killAt(scene: KillScene, how: Arm): Promise<void> {
  const process = await victims.next();
  const { ask, hasOneEffect } = await scene.prepare(manager, newMark());
  await arm(process, how);
  const outcome = await Promise.race([ask(process).catch(() => 'lost' as const), process.ended]);
  expect(outcome === 'lost' || outcome === 'SIGKILL', `killed at statement ${how.arm}`).toBe(true);
  expect(await process.ended).toBe('SIGKILL');
  await isSound();
  const again = await ask(manager);
  expect(again, `the second try after a kill at statement ${how.arm}`).toMatchObject({ status: 200 });
  await hasOneEffect();
  expect(await ask(manager)).toMatchObject({ status: 200 });
  await hasOneEffect();
  await isSound();
}

describe('a manager that is killed between any two statements leaves no half of anything, and a second try one effect', () => {
  it.each(KILL_SCENES)(
    'of $name',
    async (scene) => {
      const pick = random(seed + KILL_SCENES.indexOf(scene));
      const statements = await statementsOf(scene);
      const at = points(statements, pick);
      console.log(`${scene.name}: killed after statements ${at.join(', ')} of ${statements}, seed ${seed}`);
      for (const n of at) await killAt(scene, { arm: n });
      // In the middle of one: whether it was done nobody knows.
      for (const n of LONG ? at : at.slice(-1)) await killAt(scene, { arm: n, moment: 'sent' });
    },
    LONG ? 600_000 : 120_000,
  );
});
