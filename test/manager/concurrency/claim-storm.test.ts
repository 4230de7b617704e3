import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { RUN_INPUT, type ScriptedRunner, scriptedRunner } from '../../helpers/manager-client.ts';
import { inParallel } from './in-parallel.ts';
import { lightClient } from './light-client.ts';
import { LONG, random, seed } from './long.ts';

const RUNS = 1000;
const CLIENTS = 200;
const TRIES = 20;

let manager: TestManager;
beforeAll(async () => {
  manager = await testManager({ config: { staleHeartbeatFencingMs: 3_600_000 }, withoutDuties: true });
});
afterAll(() => manager.stop());

describe('200 clients that claim 1,000 runs', () => {
  it(
    'find one winner for each run, and tell every other one who that is',
    async () => {
      const pick = random();
      console.log(`claim storm: ${RUNS} runs, ${TRIES} clients for each, seed ${seed}`);
      const runs = await makeRuns();
      const tries = shuffled(
        runs.flatMap((run, index) => some(TRIES, CLIENTS, pick).map((client) => ({ run, index, client }))),
        pick,
      );
      const winners: string[][] = runs.map(() => []);
      const times: number[] = [];
      let losers = 0;
      // Every client has one request under way at most.
      const lanes = Array.from({ length: CLIENTS }, (_, client) => tries.filter((each) => each.client === client));
      await Promise.all(
        lanes.map(async (lane) => {
          for (const { run, index, client } of lane) {
            const begun = performance.now();
            const answer = await run.send('POST', `runs/${run.runId}/claim`, { runnerId: `runner_${client}` });
            times.push(performance.now() - begun);
            if (answer.ok) winners[index]?.push(`runner_${client}`);
            else {
              expect(answer).toMatchObject({ status: 409, failureKind: 'runner-lease-conflict' });
              losers += 1;
            }
          }
        }),
      );
      expect(winners.filter((names) => names.length !== 1)).toEqual([]);
      expect(losers).toBe(RUNS * (TRIES - 1));
      const { rows } = await manager.running.serving.pool.query<{
        id: string;
        claimed_by: string;
        lease_epoch: number;
      }>('SELECT id, claimed_by, lease_epoch FROM agentrun_runs');
      const held = new Map(rows.map((row) => [row.id, row]));
      for (const [index, { runId }] of runs.entries()) {
        expect(held.get(runId)).toMatchObject({ claimed_by: winners[index]?.[0], lease_epoch: 1 });
      }
      times.sort((a, b) => a - b);
      const at = (share: number) => Math.round(times[Math.floor(times.length * share)] ?? 0);
      console.log(`claim storm: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms of ${times.length} claims`);
      expect(await manager.ask('GET', 'doctor')).toMatchObject({ violations: [] });
    },
    LONG ? 300_000 : 120_000,
  );
});

async function makeRuns() {
  const client = lightClient(manager.url, manager.key, CLIENTS);
  const runs: ScriptedRunner[] = [];
  await inParallel(16, RUNS, async (index) => {
    const { data } = await client.request<{ id: string }>('POST', 'runs', RUN_INPUT);
    const runner = await client.request<{ id: string; attemptId: string; token: string }>('POST', 'runners/register', {
      runId: data.id,
    });
    runs[index] = scriptedRunner(client, { ...runner.data, runId: data.id, runnerId: runner.data.id });
  });
  return runs;
}

/** So many different numbers below a limit. */
function some(count: number, limit: number, pick: (limit: number) => number): number[] {
  const chosen = new Set<number>();
  while (chosen.size < count) chosen.add(pick(limit));
  return [...chosen];
}

function shuffled<T>(items: readonly T[], pick: (limit: number) => number): T[] {
  const left = [...items];
  for (let at = left.length - 1; at > 0; at -= 1) {
    const other = pick(at + 1);
    [left[at], left[other]] = [left[other]!, left[at]!];
  }
  return left;
}
