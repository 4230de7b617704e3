import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tokenHash } from '../../../manager/src/services/attempt-token.ts';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { rescueById, withoutCounter, withoutEpoch } from './bad-systems.ts';
import { LONG, seed } from './long.ts';
import { type Blind, check, done, type NewRun, type Steps, steps } from './random-steps.ts';
import { type RunSystem, realSystem, type Services } from './run-system.ts';

let manager: TestManager;
let services: Services;
beforeAll(async () => {
  manager = await testManager({
    config: { staleHeartbeatFencingMs: 3_600_000, cancelGracefulAbortMs: 3_600_000, cancelKillEscalationMs: 3_600_000 },
    withoutDuties: true,
  });
  services = manager.running.serving;
});
afterAll(() => manager.stop());

let sessions = 0;
const newRun: NewRun = async (executionPolicy) => {
  sessions += 1;
  const sessionId = `sess_steps${sessions}`;
  const { id: runId } = await manager.createRun({ executionPolicy, sessionRef: { sessionId } });
  const { id: turn } = await manager.turn(runId);
  const register = async () => {
    const { attemptId, token } = await manager.ask<{ attemptId: string; token: string }>('POST', 'runners/register', {
      runId,
    });
    return { id: attemptId, hash: tokenHash(token) };
  };
  return { runId, sessionId, attempts: [await register(), await register()], commands: [turn], granted: new Map() };
};

const property = (system: RunSystem, drawn: fc.Arbitrary<Steps> = steps(), blind: Blind = {}) =>
  fc.asyncProperty(drawn, (each) => check(services, system, newRun, each, blind));

describe('a run under random steps of several runners of several attempts, some at once', () => {
  it(
    'answers and ends as a model of a page says, with every rule of the doctor kept after each step',
    async () => {
      const numRuns = LONG ? 1500 : 50;
      console.log(`state machine: ${numRuns} runs, seed ${seed}`);
      done.clear();
      await fc.assert(property(realSystem(services)), { numRuns, seed, endOnFailure: true });
      console.log(
        [...done].map(([kind, { accepted, refused }]) => `${kind} ${accepted}/${accepted + refused}`).join(', '),
      );
      expect([...done.values()].filter(({ accepted }) => accepted < 5)).toEqual([]);
    },
    LONG ? 3_600_000 : 120_000,
  );

  it.each([
    ['writes that carry no epoch', withoutEpoch, {}],
    ['events numbered by the greatest number and one, without a lock', withoutCounter, { append: 30 }],
    ['a takeover by the id of the run, which leaves the epoch as it is', rescueById, {}],
  ])(
    'would be found out with %s',
    async (_what, variant, more) => {
      const system = variant(services, realSystem(services));
      const details = await fc.check(property(system, steps(more), { epoch: true }), {
        numRuns: 500,
        seed,
        endOnFailure: true,
      });
      expect(details.failed).toBe(true);
      // It is the fault of the variant: the real manager stands the same steps.
      const [found] = details.counterexample ?? [];
      if (found === undefined) throw new Error('there is no counterexample');
      await check(services, realSystem(services), newRun, found);
      console.log(
        `found after ${details.numRuns} runs: ${String(details.errorInstance).split('\n').slice(-8).join('\n')}`,
      );
    },
    120_000,
  );
});
