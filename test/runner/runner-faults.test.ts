import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Fate, ProxiedRequest } from '../helpers/fault-proxy.ts';
import { livingWith } from '../helpers/living-processes.ts';
import { externalRunner } from '../helpers/manager-client.ts';
import { eventually, payloadsOf, type RunnerWorld, runnerWorld, storyOf } from '../helpers/runner-setup.ts';

const BLOCK = join(import.meta.dirname, '../fixtures/processes/block-main-thread.mjs');
const DONE = { code: 0, signal: null };
const DEAD = { ok: false, failureKind: 'infra-failed', message: 'it does not work' };
const FENCED = {
  ok: false,
  failureKind: 'lease-fenced',
  message: 'another holds it',
  error: { details: { expired: false } },
};

let world: RunnerWorld;
beforeAll(async () => {
  world = await runnerWorld();
});
afterEach(() => world.clean());
afterAll(() => world.stop());

const marks = (attemptId: string): number[] => livingWith(`AGENTRUN_ATTEMPT_ID=${attemptId}`);
const isEvents = ({ path, method }: ProxiedRequest): boolean => method === 'POST' && path.endsWith('/events');
const kindOf = ({ method, path }: ProxiedRequest): string =>
  `${method} ${path.replaceAll(/(?:run|cmd)_[a-z0-9]+/g, ':id')}`;

/** A fate for the first request of each kind. */
function firstOfEach(fate: Fate): (request: ProxiedRequest) => Fate {
  const seen = new Set<string>();
  return (request) => {
    const isNew = !seen.has(kindOf(request));
    seen.add(kindOf(request));
    return isNew ? fate : 'pass';
  };
}

/** The turn `[[tool]]` was stored once, whole and in order. */
function expectWhole(events: Awaited<ReturnType<RunnerWorld['manager']['events']>>): void {
  // A claim that is repeated is another one.
  expect(
    storyOf(events)
      .slice(2)
      .filter((name) => name !== 'run-claimed'),
  ).toEqual([
    'command-acknowledged',
    'user_message',
    'thread-started',
    'turn-started',
    'tool_begin',
    'tool_end',
    'assistant_delta',
    'assistant_message',
    'turn-completed',
    'command-terminal',
    'run-released',
    'terminal_status',
  ]);
}

describe('a runner behind a bad network', () => {
  it.each<[string, Fate]>([
    ['the first request of each kind is lost', 'drop'],
    ['the answer to the first request of each kind is lost', 'drop-answer'],
    ['the first request of each kind comes twice', 'twice'],
    [
      'the first request of each kind meets a manager that is starting',
      {
        status: 503,
        body: { ok: false, failureKind: 'unavailable', message: 'not ready' },
        headers: { 'retry-after': '0' },
      },
    ],
    ['the first request of each kind meets a gateway', { status: 502 }],
    ['the first request of each kind meets a fault of the manager', { status: 500, body: DEAD }],
  ])('tells everything once when %s', async (_name, fate) => {
    const { manager, proxy } = world;
    const runId = await world.createRun();
    const turn = await manager.turn(runId, '[[tool]]');
    proxy.fate = firstOfEach(fate);
    const runner = await world.start(runId);
    expect(await runner.ended, runner.log).toEqual(DONE);
    expect(await manager.command(runId, turn.id)).toMatchObject({ state: 'completed' });
    expectWhole(await manager.events(runId));
  });

  it('tells everything once when every second request is lost', async () => {
    const { manager, proxy } = world;
    const runId = await world.createRun();
    const turn = await manager.turn(runId, '[[tool]]');
    let count = 0;
    proxy.fate = () => (['drop', 'drop-answer', 'pass'] as const)[count++ % 3] ?? 'pass';
    const runner = await world.start(runId, { attempt: { leaseMs: 30_000 } });
    expect(await runner.ended, runner.log).toEqual(DONE);
    expect(await manager.command(runId, turn.id)).toMatchObject({ state: 'completed' });
    expectWhole(await manager.events(runId));
  });

  it('does not let the outcome of a turn depend on its events', async () => {
    const { manager, proxy } = world;
    const runId = await world.createRun({ executionPolicy: { oneShot: true } });
    const turn = await manager.turn(runId, '[[tool]]');
    proxy.fate = (request) =>
      isEvents(request) ? { status: 400, body: { ok: false, failureKind: 'schema-invalid', message: 'no' } } : 'pass';
    const runner = await world.start(runId);
    expect(await runner.ended, runner.log).toEqual(DONE);
    expect(await manager.command(runId, turn.id)).toMatchObject({ state: 'completed', failureKind: null });
    expect(await manager.run(runId)).toMatchObject({ status: 'completed' });
    expect(runner.log).toContain('an event was refused');
  });

  it('reports the outcome although what the agent said about it is refused', async () => {
    const { manager, proxy } = world;
    const runId = await world.createRun();
    const turn = await manager.turn(runId, '[[fail]]');
    proxy.fate = ({ path, body }) =>
      path.endsWith('/status') && body?.['failureMessage'] !== undefined
        ? {
            status: 400,
            body: { ok: false, failureKind: 'schema-invalid', message: 'body.failureMessage is too long' },
          }
        : 'pass';
    const runner = await world.start(runId);
    expect(await runner.ended, runner.log).toEqual(DONE);
    expect(await manager.command(runId, turn.id)).toMatchObject({
      terminalStatus: 'failed',
      failureKind: 'backend-crashed',
    });
  });

  it('goes on after a manager that was away for less than the lease', async () => {
    const { manager, proxy } = world;
    const runId = await world.createRun();
    const turn = await manager.turn(runId, '[[ticks]]');
    const runner = await world.start(runId);
    await world.event(runId, ({ type }) => type === 'tool_begin');
    await proxy.down();
    await delay(1200);
    await proxy.up();
    await manager.ask('POST', `commands/${turn.id}/cancel`);
    expect(await world.ended(runId, turn.id)).toMatchObject({ state: 'cancelled' });
    expect(await runner.ended, runner.log).toEqual(DONE);
    const story = storyOf(await manager.events(runId));
    expect(story.filter((name) => name === 'run-claimed')).toHaveLength(1);
    expect(story).toContain('turn-cancelled');
  });

  it('kills its agent and leaves with its own code when the manager is away for longer than the lease', async () => {
    const { manager, proxy } = world;
    const runId = await world.createRun();
    await manager.turn(runId, '[[daemon]]');
    const runner = await world.start(runId);
    await world.event(runId, ({ type }) => type === 'tool_begin');
    expect(marks(runner.attemptId).length).toBeGreaterThan(2);
    await proxy.down();
    try {
      expect(await runner.ended, runner.log).toEqual({ code: 4, signal: null });
      expect(marks(runner.attemptId)).toEqual([]);
      // It went before its lease was over.
      expect(runner.log).toContain('the manager was not there for as long as the lease');
    } finally {
      await proxy.up();
    }
  });

  it('leaves when there is no manager from the start', async () => {
    const runId = await world.createRun();
    await world.proxy.down();
    try {
      const runner = await world.start(runId, { attempt: { leaseMs: 800 } });
      expect(await runner.ended, runner.log).toEqual({ code: 4, signal: null });
    } finally {
      await world.proxy.up();
    }
  });

  it('does not work with a token that nobody knows', async () => {
    const runId = await world.createRun();
    const runner = await world.start(runId, { token: 'art_of_nobody' });
    expect(await runner.ended).toEqual({ code: 1, signal: null });
    expect(runner.log).toContain('unauthenticated');
    expect(runner.log).not.toContain('art_of_nobody');
  });

  it('does not work with a token for another run', async () => {
    const runner = await world.start(await world.createRun(), { runId: await world.createRun() });
    expect(await runner.ended).toEqual({ code: 1, signal: null });
    expect(runner.log).toContain('forbidden');
  });
});

describe('a runner whose lease is gone', () => {
  it('leaves a run alone that another one holds', async () => {
    const { manager } = world;
    const runId = await world.createRun();
    const other = await externalRunner(manager, runId);
    await other.claim();
    const runner = await world.start(runId);
    expect(await runner.ended, runner.log).toEqual({ code: 3, signal: null });
    expect(runner.log).toContain('runner-lease-conflict');
    expect((await other.beat()).ok).toBe(true);
  });

  it.each(['/lease', '/commands/next', '/events'])(
    'stops at once when %s is refused: the agent dies, and neither an outcome is told nor the run claimed again',
    async (end) => {
      const { manager, proxy } = world;
      const runId = await world.createRun();
      const turn = await manager.turn(runId, '[[daemon]]');
      const runner = await world.start(runId);
      await world.event(runId, ({ type }) => type === 'tool_begin');
      let refusedAt = Number.POSITIVE_INFINITY;
      proxy.fate = ({ path }) => {
        if (!path.endsWith(end)) return 'pass';
        refusedAt = Math.min(refusedAt, performance.now());
        return { status: 403, body: FENCED };
      };
      // A poll that waits is answered then, and there is something to tell.
      if (end === '/commands/next') await manager.steer(runId, 'x');
      if (end === '/events') await manager.ask('POST', `runs/${runId}/cancel`);
      expect(await runner.ended, runner.log).toEqual({ code: 3, signal: null });
      expect(marks(runner.attemptId)).toEqual([]);
      // Neither an outcome, nor the run given back or claimed again.
      const writes = [`/commands/${turn.id}/status`, `/runs/${runId}/release`, `/runs/${runId}/claim`];
      expect(proxy.requests.filter(({ path, at }) => at > refusedAt && writes.includes(path))).toEqual([]);
    },
  );

  it('wakes from a stop that was longer than the lease, kills its agent, and writes nothing into the run of another', async () => {
    const { manager } = world;
    const runId = await world.createRun();
    const turn = await manager.turn(runId, '[[daemon]]');
    await manager.turn(runId, 'for whoever comes next');
    const runner = await world.start(runId);
    await world.event(runId, ({ type }) => type === 'tool_begin');
    runner.signal('SIGSTOP');
    const other = await externalRunner(manager, runId);
    await eventually(
      () => other.claim(),
      ({ ok }) => ok,
      'a claim by another',
    );
    const before = await manager.events(runId);
    expect(await manager.command(runId, turn.id)).toMatchObject({ failureKind: 'outcome-unknown' });
    runner.signal('SIGCONT');
    expect(await runner.ended, runner.log).toEqual({ code: 3, signal: null });
    expect(marks(runner.attemptId)).toEqual([]);
    const written = (await manager.events(runId))
      .slice(before.length)
      .filter(({ payload }) => payload?.['itemId'] !== undefined);
    expect(written).toEqual([]);
    expect((await other.beat()).ok).toBe(true);
  });

  it('is ended by the thread of its heartbeat when its main thread is stuck', async () => {
    const { manager } = world;
    const runId = await world.createRun();
    await manager.turn(runId, '[[daemon]]');
    const runner = await world.start(runId, { nodeArgs: ['--import', BLOCK] });
    await world.event(runId, ({ type }) => type === 'tool_begin');
    runner.signal('SIGUSR2');
    expect(await runner.ended, runner.log).toEqual({ code: 3, signal: null });
    expect(marks(runner.attemptId)).toEqual([]);
  });
});

describe('a lease that ran out and that nobody took', () => {
  let patient: RunnerWorld;
  beforeAll(async () => {
    patient = await runnerWorld({ withoutDuties: true });
  });
  afterEach(() => patient.clean());
  afterAll(() => patient.stop());

  it('is claimed again by the same attempt, and the agent goes on', async () => {
    const { manager } = patient;
    const runId = await patient.createRun();
    const turn = await manager.turn(runId, '[[ticks]]');
    const runner = await patient.start(runId);
    await patient.event(runId, ({ type }) => type === 'tool_begin');
    const pids = marks(runner.attemptId);
    const client = new Client({ connectionString: manager.database.url });
    await client.connect();
    await client.query(`UPDATE agentrun_runs SET lease_expires_at = now() - interval '1 second' WHERE id = $1`, [
      runId,
    ]);
    await client.end();
    await patient.event(runId, ({ payload }) => payload?.['reclaimed'] === true);
    expect(marks(runner.attemptId)).toEqual(expect.arrayContaining(pids.slice(0, 2)));
    expect(await manager.command(runId, turn.id)).toMatchObject({ state: 'acknowledged' });
    await manager.ask('POST', `commands/${turn.id}/cancel`);
    expect(await patient.ended(runId, turn.id)).toMatchObject({ state: 'cancelled' });
    expect(await runner.ended, runner.log).toEqual(DONE);
    expect(await manager.run(runId)).toMatchObject({ leaseEpoch: 2, status: 'cancelled' });
    const events = await manager.events(runId);
    expect(storyOf(events)).toContain('turn-cancelled');
    expect(payloadsOf(events, 'tool_begin')).toHaveLength(1);
  });
});
