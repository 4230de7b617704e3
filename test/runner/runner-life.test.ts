import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { livingWith } from '../helpers/living-processes.ts';
import { externalAttempt, type RunnerSetup } from '../helpers/runner-process.ts';
import { eventually, payloadsOf, type RunnerWorld, runnerWorld, storyOf } from '../helpers/runner-setup.ts';

const STEERABLE = join(import.meta.dirname, '../fixtures/agents/steerable-app-server.mjs');
const DONE = { code: 0, signal: null };

let world: RunnerWorld;
beforeAll(async () => {
  world = await runnerWorld();
});
afterEach(() => world.clean());
afterAll(() => world.stop());

const codex: Partial<RunnerSetup> = { profile: { backend: 'codex', options: { executable: STEERABLE } } };
const marks = (attemptId: string): number[] => livingWith(`AGENTRUN_ATTEMPT_ID=${attemptId}`);

describe('a runner', () => {
  it('runs a turn, reports its outcome, and gives the run back when there is nothing left to do', async () => {
    const { manager } = world;
    const runId = await world.createRun();
    const turn = await manager.turn(runId, 'hello');
    const runner = await world.start(runId);
    expect(await runner.ended, runner.log).toEqual(DONE);
    const { threadId } = await manager.command(runId, turn.id);
    expect(threadId).toMatch(/^command-/);
    expect(await manager.command(runId, turn.id)).toMatchObject({ state: 'completed', terminalStatus: 'completed' });
    expect(await manager.run(runId)).toMatchObject({ status: 'completed', claimedBy: null });
    expect(storyOf(await manager.events(runId)).slice(2)).toEqual([
      'run-claimed',
      'command-acknowledged',
      'user_message',
      'thread-started',
      'turn-started',
      'assistant_delta',
      'assistant_message',
      'usage',
      'turn-completed',
      'command-terminal',
      'run-released',
      'terminal_status',
    ]);
    expect(marks(runner.attemptId)).toEqual([]);
  });

  it('tells with each of its events the command, the attempt and itself', async () => {
    const { manager } = world;
    const runId = await world.createRun();
    const turn = await manager.turn(runId, '[[tool]]');
    const runner = await world.start(runId);
    await world.ended(runId, turn.id);
    const own = (await manager.events(runId)).filter(
      ({ payload }) => payload?.['runnerId'] !== undefined && payload['itemId'] !== undefined,
    );
    expect(own.length).toBeGreaterThan(3);
    for (const { payload } of own) {
      expect(payload).toMatchObject({ commandId: turn.id, attemptId: runner.attemptId });
      expect(payload?.['runnerId']).toBe((await manager.run(runId)).claimedBy);
    }
  });

  it('is known by the identity that it was given', async () => {
    const { manager } = world;
    const runId = await world.createRun();
    await manager.turn(runId, '[[ticks]]');
    const runner = await world.start(runId);
    await world.event(runId, ({ payload }) => payload?.['phase'] === 'turn-started');
    const { items } = await manager.ask<{ items: { id: string; metadata: object }[] }>('GET', `runners?runId=${runId}`);
    expect(items).toHaveLength(1);
    expect((await manager.run(runId)).claimedBy).toBe(items[0]?.id);
    expect(items[0]?.metadata).toMatchObject({ pid: runner.child.pid });
  });

  it('takes away the token that it has read, and gives the agent nothing of the attempt', async () => {
    const runId = await world.createRun();
    await world.manager.turn(runId, '[[environment]]');
    const runner = await world.start(runId);
    await runner.ended;
    expect(existsSync(join(runner.attemptDir, 'token'))).toBe(false);
    expect(existsSync(join(runner.attemptDir, 'attempt.json'))).toBe(true);
    const [message] = payloadsOf(await world.manager.events(runId), 'assistant_message');
    expect(message?.['text']).toContain('AGENTRUN_THREAD_ID');
    expect(message?.['text']).not.toContain('AGENTRUN_ATTEMPT_DIR');
  });

  it('serves every one of 25 queued turns, in their order, in one conversation', async () => {
    const { manager } = world;
    const runId = await world.createRun();
    const ids: string[] = [];
    for (let number = 1; number <= 25; number += 1) ids.push((await manager.turn(runId, `turn number ${number}`)).id);
    const runner = await world.start(runId);
    expect(await runner.ended, runner.log).toEqual(DONE);
    const events = await manager.events(runId);
    const ended = events
      .filter(({ payload }) => payload?.['phase'] === 'command-terminal')
      .map(({ payload }) => payload?.['commandId']);
    expect(ended).toEqual(ids);
    const threads = new Set(await Promise.all(ids.map(async (id) => (await manager.command(runId, id)).threadId)));
    expect(threads.size).toBe(1);
  });

  it('waits for work by long polls, one at a time', async () => {
    const runId = await world.createRun();
    const before = world.proxy.requests.length;
    const runner = await world.start(runId, { attempt: { idleTimeoutMs: 3000 } });
    expect(await runner.ended, runner.log).toEqual(DONE);
    const polls = world.proxy.requests.slice(before).filter(({ path }) => path.endsWith('/commands/next'));
    expect(polls.length).toBeGreaterThan(0);
    expect(polls.length).toBeLessThanOrEqual(3);
  });

  it('gives a run back that has no turn yet, so that another runner may serve it', async () => {
    const { manager } = world;
    const runId = await world.createRun();
    const first = await world.start(runId, { attempt: { idleTimeoutMs: 300 } });
    expect(await first.ended, first.log).toEqual(DONE);
    expect(await manager.run(runId)).toMatchObject({ status: 'pending', claimedBy: null });
    const turn = await manager.turn(runId, 'hello');
    const second = await world.start(runId);
    expect(await second.ended, second.log).toEqual(DONE);
    expect(await manager.command(runId, turn.id)).toMatchObject({ state: 'completed' });
  });

  it('waits for the turn of a one-shot run, and leaves when that has ended the run', async () => {
    const { manager, proxy } = world;
    const runId = await world.createRun({ executionPolicy: { oneShot: true } });
    const runner = await world.start(runId, { attempt: { idleTimeoutMs: 20_000 } });
    await eventually(
      () => proxy.requests.some(({ path }) => path === `/runs/${runId}/commands/next`),
      Boolean,
      'a poll',
    );
    const turn = await manager.turn(runId, 'hello');
    expect(await runner.ended, runner.log).toEqual(DONE);
    expect(await manager.command(runId, turn.id)).toMatchObject({ state: 'completed' });
    expect(await manager.run(runId)).toMatchObject({ status: 'completed' });
    expect(storyOf(await manager.events(runId)).at(-1)).toBe('terminal_status');
    expect(proxy.requests.filter(({ path }) => path === `/runs/${runId}/release`)).toEqual([]);
  });

  it('counts the time without work from the end of the last turn', async () => {
    const { manager } = world;
    const runId = await world.createRun();
    // The turn takes longer than a runner waits for work.
    await manager.turn(runId, 'first');
    const slow = { command: ['sh', '-c', 'sleep 1.2; cat'] };
    const runner = await world.start(runId, { profile: slow, attempt: { idleTimeoutMs: 1000 } });
    await world.event(runId, ({ payload }) => payload?.['phase'] === 'command-terminal');
    await delay(400);
    expect(runner.child.exitCode).toBeNull();
    const second = await manager.turn(runId, 'second');
    expect(await runner.ended, runner.log).toEqual(DONE);
    expect(await manager.command(runId, second.id)).toMatchObject({ state: 'completed' });
  });

  it('reports a turn that failed, and goes on with the next', async () => {
    const { manager } = world;
    const runId = await world.createRun();
    const failed = await manager.turn(runId, '[[fail]]');
    const next = await manager.turn(runId, 'hello');
    const runner = await world.start(runId);
    expect(await runner.ended, runner.log).toEqual(DONE);
    expect(await manager.command(runId, failed.id)).toMatchObject({
      terminalStatus: 'failed',
      failureKind: 'backend-crashed',
    });
    expect(await manager.command(runId, next.id)).toMatchObject({ terminalStatus: 'completed' });
    const events = await manager.events(runId);
    expect(payloadsOf(events, 'terminal_status')).toHaveLength(1);
    expect(payloadsOf(events, 'error').map(({ commandId }) => commandId)).toEqual([failed.id]);
  });

  it('reports a profile that cannot work as the outcome of each turn', async () => {
    const { manager } = world;
    const runId = await world.createRun();
    const turn = await manager.turn(runId);
    const runner = await world.start(runId, { profile: { command: ['/no/such/program'] } });
    expect(await runner.ended, runner.log).toEqual(DONE);
    const command = await manager.command(runId, turn.id);
    expect(command).toMatchObject({ terminalStatus: 'blocked', failureKind: 'profile-invalid' });
    expect(command.failureMessage).toContain('/no/such/program');
  });

  it('resumes the conversation of the session with another runner', async () => {
    const { manager } = world;
    const sessionRef = { sessionId: 'sess_resumed' };
    const first = await world.createRun({ sessionRef, workspaceRef: { kind: 'session' } });
    await manager.turn(first, 'remember the number 4711');
    const folder = mkdtempSync(join(tmpdir(), 'agentrun-session-'));
    try {
      const one = await world.start(first, { root: folder });
      expect(await one.ended, one.log).toEqual(DONE);
      const second = await world.createRun({ sessionRef, workspaceRef: { kind: 'session' } });
      await manager.turn(second, '[[remember]]');
      const two = await world.start(second, { root: folder });
      expect(await two.ended, two.log).toEqual(DONE);
      expect(payloadsOf(await manager.events(second), 'assistant_message')[0]?.['text']).toContain('4711');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('shows the events of a turn while it runs', async () => {
    const { manager } = world;
    const runId = await world.createRun();
    const turn = await manager.turn(runId, '[[ticks]]');
    const runner = await world.start(runId);
    await world.event(runId, ({ type }) => type === 'tool_begin');
    expect(await manager.command(runId, turn.id)).toMatchObject({ state: 'acknowledged' });
    // What was told survives a runner that dies.
    runner.signal('SIGKILL');
    await runner.ended;
    expect(storyOf(await manager.events(runId))).toContain('tool_begin');
  });

  it('gives a steer to the agent while the turn runs', async () => {
    const { manager } = world;
    const runId = await world.createRun();
    const turn = await manager.turn(runId, 'wait for me');
    await world.start(runId, codex);
    await world.event(runId, ({ payload }) => payload?.['phase'] === 'turn-started');
    const first = await manager.steer(runId, 'go on a little');
    expect(await world.ended(runId, first.id)).toMatchObject({ state: 'completed' });
    expect(await manager.command(runId, turn.id)).toMatchObject({ state: 'acknowledged' });
    const second = await manager.steer(runId, 'now stop');
    expect(await world.ended(runId, second.id)).toMatchObject({ state: 'completed' });
    expect(await world.ended(runId, turn.id)).toMatchObject({ state: 'completed', turnId: 'turn_1' });
    const events = await manager.events(runId);
    expect(payloadsOf(events, 'assistant_message').map(({ text }) => text)).toEqual(['STEERED: now stop']);
    // What people said stands in the log once.
    expect(payloadsOf(events, 'user_message').map(({ text }) => text)).toEqual([
      'wait for me',
      'go on a little',
      'now stop',
    ]);
  });

  it('refuses a steer that the agent cannot take', async () => {
    const { manager } = world;
    const runId = await world.createRun();
    const turn = await manager.turn(runId, '[[ticks]]');
    await world.start(runId);
    await world.event(runId, ({ type }) => type === 'tool_begin');
    const steer = await manager.steer(runId, 'faster');
    expect(await world.ended(runId, steer.id)).toMatchObject({
      terminalStatus: 'failed',
      failureKind: 'steer-not-applied',
      steerDelivery: { reason: 'unsupported' },
    });
    expect(await manager.command(runId, turn.id)).toMatchObject({ state: 'acknowledged' });
  });

  it('interrupts a turn that is cancelled, keeps its conversation, and goes on with the next', async () => {
    const { manager, proxy } = world;
    const runId = await world.createRun();
    const turn = await manager.turn(runId, '[[daemon]]');
    const runner = await world.start(runId);
    await world.event(runId, ({ type }) => type === 'tool_begin');
    const before = proxy.requests.length;
    await manager.ask('POST', `commands/${turn.id}/cancel`, { reason: 'enough' });
    const ended = await world.ended(runId, turn.id);
    expect(ended).toMatchObject({ state: 'cancelled', failureKind: 'cancelled' });
    expect(ended.threadId).toMatch(/^command-/);
    expect(
      proxy.requests.slice(before).filter(({ path, method }) => method === 'GET' && !path.endsWith('/commands/next')),
    ).toEqual([]);
    const next = await manager.turn(runId, '[[remember]]');
    expect(await runner.ended, runner.log).toEqual(DONE);
    expect(await manager.command(runId, next.id)).toMatchObject({ state: 'completed', threadId: ended.threadId });
    const story = storyOf(await manager.events(runId));
    expect(story.indexOf('turn-cancelled')).toBeGreaterThan(story.indexOf('tool_end'));
    expect(story.indexOf('turn-cancelled')).toBeLessThan(story.indexOf('command-terminal'));
    expect(await manager.run(runId)).toMatchObject({ status: 'completed' });
  });

  it('leaves the run open when a turn is cancelled that it has not begun', async () => {
    const { manager } = world;
    const runId = await world.createRun();
    const first = await manager.turn(runId, '[[ticks]]');
    const second = await manager.turn(runId, 'never');
    const third = await manager.turn(runId, 'hello');
    const runner = await world.start(runId);
    await world.event(runId, ({ type }) => type === 'tool_begin');
    await manager.ask('POST', `commands/${second.id}/cancel`);
    await manager.ask('POST', `commands/${first.id}/cancel`);
    expect(await runner.ended, runner.log).toEqual(DONE);
    const states = await Promise.all(
      [first, second, third].map(async ({ id }) => (await manager.command(runId, id)).state),
    );
    expect(states).toEqual(['cancelled', 'cancelled', 'completed']);
    expect(JSON.stringify(await manager.events(runId))).not.toContain('ECHO: never');
  });

  it('ends a turn with its whole run when the run is cancelled', async () => {
    const { manager } = world;
    const runId = await world.createRun();
    const turn = await manager.turn(runId, '[[ticks]]');
    const runner = await world.start(runId);
    await world.event(runId, ({ type }) => type === 'tool_begin');
    await manager.ask('POST', `runs/${runId}/cancel`, { reason: 'all of it' });
    expect(await manager.run(runId)).toMatchObject({ status: 'cancelling', terminalStatus: null });
    expect(await runner.ended, runner.log).toEqual(DONE);
    const command = await manager.command(runId, turn.id);
    expect(command).toMatchObject({ state: 'cancelled' });
    expect(command.threadId).toMatch(/^command-/);
    expect(await manager.run(runId)).toMatchObject({ status: 'cancelled', failureKind: 'cancelled' });
    const events = await manager.events(runId);
    expect(payloadsOf(events, 'terminal_status')).toHaveLength(1);
    expect(storyOf(events).at(-1)).toBe('terminal_status');
    expect(marks(runner.attemptId)).toEqual([]);
  });

  it('ends each turn once, whenever it is cancelled', async () => {
    const { manager } = world;
    const runId = await world.createRun();
    const turns = [];
    for (let count = 0; count < 12; count += 1)
      turns.push(await manager.turn(runId, count % 3 === 0 ? '[[tool]]' : '[[ticks]]'));
    const runner = await world.start(runId);
    for (const [index, { id }] of turns.entries()) {
      await eventually(
        () => manager.command(runId, id),
        ({ state }) => state !== 'pending',
        'its turn',
      );
      await delay((index * 37) % 160);
      await manager.ask('POST', `commands/${id}/cancel`);
    }
    expect(await runner.ended, runner.log).toEqual(DONE);
    const events = await manager.events(runId);
    const ended = events
      .filter(({ payload }) => payload?.['phase'] === 'command-terminal')
      .map(({ payload }) => payload?.['commandId']);
    expect(ended).toEqual(turns.map(({ id }) => id));
    expect(payloadsOf(events, 'terminal_status')).toHaveLength(1);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_event, index) => index + 1));
    expect(marks(runner.attemptId)).toEqual([]);
  });

  it('hears of the cancel of a run while it waits for work', async () => {
    const { manager, proxy } = world;
    const runId = await world.createRun();
    const runner = await world.start(runId, { attempt: { idleTimeoutMs: 60_000 } });
    await eventually(
      () => proxy.requests.some(({ path }) => path === `/runs/${runId}/commands/next`),
      Boolean,
      'a poll',
    );
    await manager.ask('POST', `runs/${runId}/cancel`);
    expect(await runner.ended, runner.log).toEqual(DONE);
    expect(await manager.run(runId)).toMatchObject({ status: 'cancelled' });
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('ends its turn and gives the run back when it gets %s', async (signal, code) => {
    const { manager } = world;
    const runId = await world.createRun();
    const turn = await manager.turn(runId, '[[daemon]]');
    const runner = await world.start(runId);
    await world.event(runId, ({ type }) => type === 'tool_begin');
    runner.signal(signal);
    expect(await runner.ended, runner.log).toEqual({ code, signal: null });
    const command = await manager.command(runId, turn.id);
    expect(command).toMatchObject({ state: 'cancelled' });
    expect(command.failureMessage).toContain(signal);
    expect((await manager.run(runId)).claimedBy).toBeNull();
    expect(storyOf(await manager.events(runId))).toContain('run-released');
    expect(marks(runner.attemptId)).toEqual([]);
  });

  it('leaves work that it has not begun to the next runner when it must go', async () => {
    const { manager } = world;
    const runId = await world.createRun();
    const running = await manager.turn(runId, '[[ticks]]');
    const waiting = await manager.turn(runId, 'hello');
    const first = await world.start(runId);
    await world.event(runId, ({ type }) => type === 'tool_begin');
    first.signal('SIGTERM');
    expect((await first.ended).code, first.log).toBe(143);
    expect(await manager.command(runId, running.id)).toMatchObject({ state: 'cancelled' });
    expect(await manager.command(runId, waiting.id)).toMatchObject({ state: 'pending' });
    const second = await world.start(runId);
    expect(await second.ended, second.log).toEqual(DONE);
    expect(await manager.command(runId, waiting.id)).toMatchObject({ state: 'completed' });
  });

  it('goes at once at the second signal, and takes its agent with it', async () => {
    const { manager } = world;
    const runId = await world.createRun();
    await manager.turn(runId, '[[deaf]]');
    const runner = await world.start(runId);
    await world.event(runId, ({ type }) => type === 'assistant_delta');
    runner.signal('SIGTERM');
    runner.signal('SIGINT');
    // Which of the two comes first is up to the system.
    expect([130, 143], runner.log).toContain((await runner.ended).code);
    expect(runner.log).toContain('at once');
    expect(marks(runner.attemptId)).toEqual([]);
  });

  it('has nothing to do for a run that has ended before it came', async () => {
    const { manager } = world;
    const runId = await world.createRun();
    await manager.turn(runId);
    const attempt = await externalAttempt(manager, runId);
    await manager.ask('POST', `runs/${runId}/cancel`);
    const runner = await world.start(await world.createRun(), attempt);
    expect(await runner.ended, runner.log).toEqual(DONE);
    expect(runner.log).toContain('nothing to do');
  });
});

describe('the processes of an agent', () => {
  it('are killed when they do not end by themselves, on the times of the cancel', async () => {
    const { manager } = world;
    const runId = await world.createRun();
    const turn = await manager.turn(runId, '[[deaf]]');
    const cancel = {
      deliveryMode: 'push',
      gracefulAbortMs: 150,
      killEscalationMs: 300,
      staleHeartbeatFencingMs: 3000,
    } as const;
    const runner = await world.start(runId, { attempt: { cancel } });
    await world.event(runId, ({ type }) => type === 'assistant_delta');
    await manager.ask('POST', `commands/${turn.id}/cancel`);
    expect(await world.ended(runId, turn.id)).toMatchObject({ state: 'cancelled' });
    const next = await manager.turn(runId, 'still there?');
    expect(await runner.ended, runner.log).toEqual(DONE);
    expect(await manager.command(runId, next.id)).toMatchObject({ state: 'completed' });
  });
});
