import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import {
  type Answer,
  externalRunner,
  type ManagerClient,
  placedRunner,
  RUN_INPUT,
  type ScriptedRunner,
} from '../../helpers/manager-client.ts';
import { lightClient } from './light-client.ts';
import { LONG, random, seed } from './long.ts';

const CLIENTS = 20;
const SESSIONS = 4;
const FOR_MS = LONG ? 60_000 : 8000;

let manager: TestManager;
beforeAll(async () => {
  // Leases run out, cancels escalate and takeovers happen while the requests come.
  manager = await testManager({
    config: { staleHeartbeatFencingMs: 700, cancelGracefulAbortMs: 100, cancelKillEscalationMs: 250 },
    times: { claimMs: 500, graceMs: 0, tickMs: 50, leaveMs: 20 },
  });
});
afterAll(() => manager.stop());

/** What is known of one session: everybody works on the same few. */
interface Scene {
  readonly sessionId: string;
  runId: string;
  commands: string[];
  runners: ScriptedRunner[];
}

type Pick = (limit: number) => number;
type Step = (client: ManagerClient, scene: Scene, pick: Pick) => Promise<Answer<unknown> | undefined>;

const runner = ({ runners }: Scene, pick: Pick) => runners[Math.max(0, runners.length - 1 - pick(3))];
const command = ({ commands }: Scene, pick: Pick) => commands[Math.max(0, commands.length - 1 - pick(4))] ?? 'cmd_none';
const event = (scene: Scene, pick: Pick) => ({
  type: 'assistant_message' as const,
  payload: { commandId: command(scene, pick), text: 'word' },
});

/** All writing routes, each as often as it stands here. */
const STEPS: readonly Step[] = [
  async (client, scene, pick) => {
    const prompt = `text ${pick(1000)}`;
    const answer = await client.request<{ run: { id: string }; command: { id: string } }>(
      'POST',
      `sessions/${scene.sessionId}/send`,
      { prompt, run: RUN_INPUT, ifBusy: ['steer', 'queue', 'reject'][pick(3)] },
      pick(2) === 0 ? {} : { 'idempotency-key': `key-${pick(200)}-${prompt}` },
    );
    if (answer.ok) {
      scene.runId = answer.data.run.id;
      scene.commands.push(answer.data.command.id);
    }
    return answer;
  },
  async (client, scene) => {
    const sessionRef = { sessionId: scene.sessionId };
    const answer = await client.request<{ id: string }>('POST', 'runs', { ...RUN_INPUT, sessionRef });
    if (answer.ok) scene.runId = answer.data.id;
    return answer;
  },
  async (client, scene, pick) => {
    const type = pick(2) === 0 ? 'turn' : 'steer';
    const answer = await client.request<{ id: string }>('POST', `runs/${scene.runId}/commands`, {
      type,
      payload: { prompt: 'more' },
      ...(type === 'steer' ? { ifTurnEnded: pick(2) === 0 ? 'turn' : 'reject' } : {}),
    });
    if (answer.ok) scene.commands.push(answer.data.id);
    return answer;
  },
  async (client, scene) => {
    try {
      scene.runners.push(await externalRunner(client, scene.runId));
      return undefined;
    } catch (error) {
      return (error as { answer?: Answer<unknown> }).answer;
    }
  },
  (client, scene, pick) =>
    client.request('POST', `runs/${scene.runId}/runner-jobs`, { commandId: command(scene, pick) }),
  (client, scene, pick) => client.request('POST', `runs/${scene.runId}/cancel`, pick(2) === 0 ? {} : { reason: 'so' }),
  (client, scene, pick) => client.request('POST', `commands/${command(scene, pick)}/cancel`, {}),
  (client, scene, pick) =>
    client.request('POST', `sessions/${scene.sessionId}/control`, { action: ['cancel', 'interrupt', 'read'][pick(3)] }),
  async (_client, scene, pick) => await runner(scene, pick)?.claim(),
  async (_client, scene, pick) => await runner(scene, pick)?.claim(),
  async (_client, scene, pick) => await runner(scene, pick)?.beat(),
  async (_client, scene, pick) => await runner(scene, pick)?.beat(),
  async (_client, scene, pick) => await runner(scene, pick)?.next(),
  async (_client, scene, pick) => await runner(scene, pick)?.ack(command(scene, pick)),
  async (_client, scene, pick) => await runner(scene, pick)?.ack(command(scene, pick)),
  async (_client, scene, pick) =>
    await runner(scene, pick)?.report(command(scene, pick), 'completed', { threadId: 'th' }),
  async (_client, scene, pick) =>
    await runner(scene, pick)?.append([event(scene, pick), event(scene, pick)], 1 + pick(9)),
  async (_client, scene, pick) => await runner(scene, pick)?.append([event(scene, pick)]),
  async (_client, scene, pick) => await runner(scene, pick)?.finish(pick(2) === 0 ? 'completed' : 'failed'),
  async (_client, scene, pick) => await runner(scene, pick)?.release(pick(2) === 0 ? 'idle' : 'drain'),
];

describe(`a random mix of all writing routes by ${CLIENTS} clients on ${SESSIONS} sessions`, () => {
  it(
    'is answered without a fault of the manager, and leaves what the doctor finds sound',
    async () => {
      console.log(`deadlock stress: seed ${seed}`);
      const light = lightClient(manager.url, manager.key, CLIENTS);
      const scenes = Array.from(
        { length: SESSIONS },
        (_, n): Scene => ({
          sessionId: `sess_stress${n}`,
          runId: 'run_none',
          commands: [],
          runners: [],
        }),
      );
      const answers = new Map<string, number>();
      const faults: string[] = [];
      const end = performance.now() + FOR_MS;
      const takeStarts = async (): Promise<void> => {
        // Attempts that the placement was asked for are served by runners too.
        for (;;) {
          const start = await manager.placement.nextStart();
          const scene = scenes.find(({ runId }) => runId === start.attempt.runId);
          scene?.runners.push(placedRunner(light, start));
        }
      };
      void takeStarts();
      await Promise.all(
        Array.from({ length: CLIENTS }, async (_, client) => {
          const pick = random(seed + client);
          while (performance.now() < end) {
            const scene = scenes[pick(SESSIONS)];
            const step = STEPS[pick(STEPS.length)];
            if (scene === undefined || step === undefined) continue;
            const answer = await step(light, scene, pick);
            if (answer === undefined) continue;
            const outcome = `${answer.status} ${answer.failureKind ?? ''}`;
            answers.set(outcome, (answers.get(outcome) ?? 0) + 1);
            if (answer.status >= 500) faults.push(`${outcome} ${answer.message} ${answer.traceId}`);
          }
        }),
      );
      console.log(JSON.stringify(Object.fromEntries([...answers].sort(([, a], [, b]) => b - a))));
      const { rows } = await manager.running.serving.pool.query<{ deadlocks: number }>(
        'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()',
      );
      console.log(`deadlocks that the database broke up: ${rows[0]?.deadlocks}`);
      const failures = manager.log.filter((line) => /"level":(?:50|60)/.test(line)).slice(0, 3);
      expect(faults, failures.join('\n')).toEqual([]);
      expect(
        manager.log.filter((line) => /tried again|could not be done|failed/.test(line) && line.includes('err')),
      ).toEqual([]);
      expect(rows[0]?.deadlocks).toBe(0);
      expect(await manager.ask('GET', 'doctor')).toMatchObject({ violations: [] });
    },
    FOR_MS + 60_000,
  );
});
