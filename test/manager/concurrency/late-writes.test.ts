import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { externalRunner, type ManagerClient, type ScriptedRunner } from '../../helpers/manager-client.ts';
import { inParallel } from './in-parallel.ts';
import { lightClient } from './light-client.ts';
import { random, seed } from './long.ts';

const WRITES = 10_000;
const RUNS = 20;
const AT_ONCE = 24;

let manager: TestManager;
let client: ManagerClient;
beforeAll(async () => {
  manager = await testManager({ config: { staleHeartbeatFencingMs: 3_600_000 }, withoutDuties: true });
  client = lightClient(manager.url, manager.key, AT_ONCE);
});
afterAll(() => manager.stop());

interface Taken {
  readonly runId: string;
  readonly sessionId: string;
  readonly zombie: ScriptedRunner;
  readonly next: ScriptedRunner;
  /** The turn of each of them. */
  readonly turns: readonly [string, string];
}

/** A run that was taken over: the first runner was in the middle of a turn and still has its token, the second works. */
async function takenOver(index: number): Promise<Taken> {
  const sessionId = `sess_late${index}`;
  const { id: runId } = await manager.createRun({ sessionRef: { sessionId } });
  const [first, second] = [await manager.turn(runId), await manager.turn(runId)];
  const zombie = await externalRunner(client, runId);
  await zombie.claim();
  await zombie.ack(first.id);
  await zombie.append([{ type: 'assistant_message', payload: { commandId: first.id, text: 'half' } }], 1);
  const pool = manager.running.serving.pool;
  await pool.query(`UPDATE agentrun_runs SET lease_expires_at = clock_timestamp() WHERE id = $1`, [runId]);
  const next = await externalRunner(manager, runId);
  expect((await next.claim()).status).toBe(200);
  await next.ack(second.id);
  await next.append([{ type: 'assistant_message', payload: { commandId: second.id, text: 'whole' } }], 1);
  return { runId, sessionId, zombie, next, turns: [first.id, second.id] };
}

type Write = (run: Taken, pick: (limit: number) => number) => [method: string, path: string, body?: object];

/** Every route that a runner writes to, or asks for work. */
const ROUTES: Readonly<Record<string, Write>> = {
  'POST /api/v1/runners/register': ({ runId }) => ['POST', 'runners/register', { runId }],
  'POST /api/v1/runs/:runId/claim': ({ runId, zombie, next }, pick) => [
    'POST',
    `runs/${runId}/claim`,
    { runnerId: pick(2) === 0 ? zombie.runnerId : next.runnerId },
  ],
  'PATCH /api/v1/runs/:runId/lease': ({ runId, zombie, next }, pick) => [
    'PATCH',
    `runs/${runId}/lease`,
    { runnerId: pick(2) === 0 ? zombie.runnerId : next.runnerId },
  ],
  'GET /api/v1/runs/:runId/commands/next': ({ runId }) => ['GET', `runs/${runId}/commands/next?waitMs=0`],
  'POST /api/v1/commands/:commandId/ack': ({ turns }, pick) => ['POST', `commands/${turns[pick(2)]}/ack`],
  'PATCH /api/v1/commands/:commandId/status': ({ turns }, pick) => [
    'PATCH',
    `commands/${turns[pick(2)]}/status`,
    pick(2) === 0 ? { terminalStatus: 'completed' } : { terminalStatus: 'failed', failureKind: 'backend-crashed' },
  ],
  'POST /api/v1/runs/:runId/events': ({ runId, turns }, pick) => [
    'POST',
    `runs/${runId}/events`,
    { events: [{ type: 'assistant_message', payload: { commandId: turns[pick(2)], text: 'late' } }] },
  ],
  'PATCH /api/v1/runs/:runId/status': ({ runId }, pick) => [
    'PATCH',
    `runs/${runId}/status`,
    { terminalStatus: pick(2) === 0 ? 'completed' : 'failed' },
  ],
  'POST /api/v1/runs/:runId/release': ({ runId }, pick) => [
    'POST',
    `runs/${runId}/release`,
    { reason: pick(2) === 0 ? 'idle' : 'drain' },
  ],
  'POST /api/v1/sessions/:sessionId/storage/refresh': ({ sessionId }) => [
    'POST',
    `sessions/${sessionId}/storage/refresh`,
    { pvcName: 'late', namespace: 'late' },
  ],
};

describe('writes of a runner whose run was taken over', () => {
  it('are refused on every route, whatever epoch they claim, counted one by one, and change nothing', async () => {
    const pick = random();
    console.log(`late writes: ${WRITES}, seed ${seed}`);
    const runs = await Promise.all(Array.from({ length: RUNS }, (_, index) => takenOver(index)));
    const sent = new Map<string, number>();
    const outcomes = new Map<string, number>();
    const routes = Object.entries(ROUTES);
    let count = 0;
    await inParallel(AT_ONCE, WRITES, async () => {
      const [route, write] = routes[pick(routes.length)] ?? routes[0]!;
      const run = runs[pick(runs.length)]!;
      const [method, path, body] = write(run, pick);
      const epochs = [run.zombie.epoch, run.next.epoch, 0, pick(1000)];
      const numbers = pick(2) === 0 ? {} : { 'producer-seq': String(1 + pick(4)) };
      count += 1;
      // In the middle of it the new runners of half of the runs go on, and end their runs.
      if (count === WRITES / 2) await inParallel(4, RUNS / 2, (index) => finish(runs[index]!));
      const answer = await run.zombie.send(method, path, body, {
        'runner-epoch': String(epochs[pick(epochs.length)]),
        ...numbers,
      });
      sent.set(route, (sent.get(route) ?? 0) + 1);
      const outcome = `${answer.status} ${answer.failureKind ?? ''}`;
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    });
    expect(Object.fromEntries(outcomes)).toEqual({ '403 lease-fenced': WRITES });

    const { rows } = await manager.running.serving.pool.query<{ route: string; sum: number }>(
      'SELECT route, sum(count)::bigint AS sum FROM agentrun_fenced_writes GROUP BY route',
    );
    expect(Object.fromEntries(rows.map(({ route, sum }) => [route, sum]))).toEqual(Object.fromEntries(sent));
    await inParallel(4, RUNS / 2, (index) => finish(runs[RUNS / 2 + index]!));
    for (const run of runs) await isIntact(run);
    expect(await manager.ask('GET', 'doctor')).toMatchObject({ violations: [] });
  }, 180_000);
});

async function finish({ next, turns }: Taken): Promise<void> {
  expect((await next.append([{ type: 'assistant_message', payload: { text: 'end' } }], 2)).status).toBe(200);
  expect((await next.report(turns[1], 'completed', { threadId: 'thread-of-next' })).status).toBe(200);
  expect((await next.release()).data).toMatchObject({ status: 'completed' });
}

async function isIntact({ runId, sessionId, next, turns }: Taken): Promise<void> {
  expect(await manager.run(runId)).toMatchObject({ status: 'completed', attemptId: next.attemptId, failureKind: null });
  // What the first runner had told before it was lost is kept; how its turn ended nobody knows.
  expect(await manager.command(runId, turns[0])).toMatchObject({ failureKind: 'outcome-unknown' });
  expect(await manager.command(runId, turns[1])).toMatchObject({ state: 'completed', threadId: 'thread-of-next' });
  const events = await manager.events(runId);
  expect(events.flatMap(({ payload }) => (typeof payload?.['text'] === 'string' ? [payload['text']] : []))).toEqual([
    'do it',
    'half',
    'do it',
    'whole',
    'end',
  ]);
  // One event for each epoch and route, and none after the end.
  const told = events.filter(({ payload }) => payload?.['phase'] === 'late-write-fenced');
  const kinds = told.map(({ payload }) => JSON.stringify([payload?.['epoch'], payload?.['route']]));
  expect(new Set(kinds).size).toBe(kinds.length);
  expect(events.at(-1)?.type).toBe('terminal_status');
  const session = await manager.ask('GET', `sessions/${sessionId}`);
  expect(session).toMatchObject({ storageKind: 'none', threadId: 'thread-of-next', terminalStatus: 'completed' });
}
