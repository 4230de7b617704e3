import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { BackendSession } from '../../../runner/src/backends/backend.ts';
import { CODEX_DEADLINES } from '../../../runner/src/backends/codex/app-server.ts';
import { codexBackend } from '../../../runner/src/backends/codex/codex-backend.ts';
import { BackendSetup, eventually, ofType, typesOf } from '../../conformance/backend-setup.ts';

const FAKE = join(import.meta.dirname, '../../fixtures/agents/fake-app-server.mjs');
const THREAD = '01a1f6d2-0000-71e2-acbb-b6b3e2ffcb4d';
const setups: BackendSetup[] = [];

afterEach(async () => {
  await Promise.all(setups.splice(0).map((setup) => setup.remove()));
});

function prepare(mode = '', env: Record<string, string> = {}): BackendSetup {
  const config = { backend: 'codex', env: { FAKE_MODE: mode, ...env }, options: { executable: FAKE } } as const;
  const setup = new BackendSetup(config);
  setups.push(setup);
  return setup;
}

/** A session whose deadlines are short enough to be seen to pass. */
function open(setup: BackendSetup, deadlines: Partial<typeof CODEX_DEADLINES> = {}): Promise<BackendSession> {
  return setup.open((context) => codexBackend({ ...CODEX_DEADLINES, ...deadlines }).open(context));
}

describe('a codex that does not come up', () => {
  it.each([
    ['silent-initialize', 'backend-protocol'],
    ['garbage-initialize', 'backend-protocol'],
    ['exit-initialize', 'backend-crashed'],
  ])('is told for %s as %s, and nothing of it stays', async (mode, failureKind) => {
    const setup = prepare(mode);
    await expect(open(setup, { initialize: 700 })).rejects.toMatchObject({ name: 'BackendFailure', failureKind });
    expect(await setup.living()).toEqual([]);
  });

  it('is a fault of the profile when it is not installed, with the line that installs it', async () => {
    const setup = new BackendSetup({ backend: 'codex', options: { executable: '/nowhere/codex' } });
    setups.push(setup);
    await expect(setup.open()).rejects.toMatchObject({
      failureKind: 'profile-invalid',
      message: expect.stringMatching(/npm install --global @openai\/codex@\d+\.\d+\.\d+$/),
    });
    const onPath = new BackendSetup({ backend: 'codex' }, { environment: { PATH: '/nowhere' } });
    setups.push(onPath);
    await expect(onPath.open()).rejects.toMatchObject({ failureKind: 'profile-invalid' });
  });

  it('that is another version is used, and said', async () => {
    const setup = prepare('other-version');
    const { events } = await setup.run(await open(setup), 'hello');
    expect(ofType(events, 'warning')).toMatchObject([{ message: expect.stringContaining('0.1.2') }]);
  });
});

describe('a codex that does not answer', () => {
  it('fails the turn for which it opens no conversation as backend-protocol', async () => {
    const setup = prepare('silent-thread');
    const result = await setup.run(await open(setup, { thread: 300 }), 'hello');
    expect(result).toMatchObject({ terminalStatus: 'failed', failureKind: 'backend-protocol' });
    expect(result.threadId).toBeUndefined();
  });

  it.each(['silent', 'never begins'])('leaves the outcome of a turn unknown: %s', async (prompt) => {
    const setup = prepare();
    const session = await open(setup, { turnStart: 300 });
    const result = await setup.run(session, prompt);
    expect(result).toMatchObject({ terminalStatus: 'blocked', failureKind: 'outcome-unknown', threadId: THREAD });
    expect(await setup.living()).toEqual([]);
    expect((await setup.run(session, 'next', { threadId: THREAD })).terminalStatus).toBe('completed');
  });

  it('leaves the fate of a steer unknown', async () => {
    const setup = prepare('silent-steer');
    const session = await open(setup, { steer: 300 });
    const turn = setup.turn(session, 'open', { commandId: 'cmd_a' });
    await turn.until(({ type }) => type === 'tool_begin');
    await expect(session.steer('hurry', { targetTurn: 'cmd_a' })).rejects.toMatchObject({
      failureKind: 'outcome-unknown',
    });
    await session.kill();
    expect((await turn.result).terminalStatus).toBe('cancelled');
  });

  it('does not hear an interrupt, and is killed when its time is over', async () => {
    const setup = prepare('deaf');
    const session = await open(setup);
    const turn = setup.turn(session, 'open', { policy: { idleEventTimeoutMs: 500 } });
    await turn.until(({ type }) => type === 'tool_begin');
    expect(await turn.result).toMatchObject({ failureKind: 'turn-idle-timeout' });
    expect(await setup.living()).toEqual([]);
  });

  it('ends with SIGKILL when it takes neither the end of its input nor SIGTERM', async () => {
    const setup = prepare('stubborn');
    const session = await open(setup);
    await setup.run(session, 'hello');
    await session.close(600);
    expect(await setup.living()).toEqual([]);
  });
});

describe('a codex that is killed while it is started again', () => {
  it.each(['kill', 'close'] as const)('leaves nothing behind: %s', async (how) => {
    const setup = prepare('slow-second-start', { FAKE_LOG: join(prepare().workspace, 'log') });
    const session = await open(setup);
    await session.kill();
    const turn = setup.turn(session, 'hello');
    await eventually(async () => (await setup.living()).length > 0, 'it starts again');
    await session[how](300);
    expect(await turn.result).toMatchObject({ terminalStatus: 'cancelled', failureKind: 'cancelled' });
    expect(await setup.living()).toEqual([]);
    expect(ofType(turn.events, 'backend_status').map(({ phase }) => phase)).toEqual(['turn-interrupted']);
    if (how === 'close') return;
    expect(await setup.run(session, 'next', { policy: { turnTimeoutMs: 100 } })).toMatchObject({
      failureKind: 'turn-timeout',
    });
  });
});

describe('a codex that says strange things', () => {
  it('is asked again while it is overloaded, up to the deadline', async () => {
    const setup = prepare();
    const session = await open(setup, { turnStart: 3000 });
    expect((await setup.run(session, 'overloaded')).terminalStatus).toBe('completed');
    const never = await setup.run(session, 'always overloaded');
    expect(never).toMatchObject({ terminalStatus: 'failed', failureKind: 'backend-protocol' });
    expect(never.failureMessage).toContain('overloaded');
  });

  it('fails a turn that it refuses', async () => {
    const setup = prepare();
    const result = await setup.run(await open(setup), 'refused');
    expect(result).toMatchObject({
      failureKind: 'backend-protocol',
      failureMessage: expect.stringContaining('thread not found'),
    });
  });

  it('waits for a conversation that another process still holds', async () => {
    const setup = prepare('writer');
    const result = await setup.run(await open(setup), 'hello', { threadId: THREAD });
    expect(result).toMatchObject({ terminalStatus: 'completed', threadId: THREAD });
    expect(result.usage).toBeUndefined();
    const held = await setup.run(await open(prepare('writer'), { thread: 50 }), 'hello', { threadId: THREAD });
    expect(held).toMatchObject({ failureKind: 'infra-failed', failureMessage: expect.stringContaining(THREAD) });
  });

  it('may not use another provider than that of the profile', async () => {
    const setup = prepare('other-provider');
    const result = await setup.run(await open(setup), 'hello');
    expect(result).toMatchObject({ terminalStatus: 'blocked', failureKind: 'profile-invalid' });
  });

  it('is forgiven some garbage, and no more', async () => {
    const setup = prepare();
    const session = await open(setup);
    const some = await setup.run(session, 'some garbage');
    expect(some.terminalStatus).toBe('completed');
    expect(ofType(some.events, 'warning').length).toBeGreaterThan(0);
    const only = await setup.run(session, 'only garbage');
    expect(only).toMatchObject({ terminalStatus: 'failed', failureKind: 'backend-protocol' });
    expect((await setup.run(session, 'next')).terminalStatus).toBe('completed');
  });

  it('may send a line of 50 MB, which is not read', async () => {
    const setup = prepare();
    const { events, terminalStatus } = await setup.run(await open(setup), 'long line');
    expect(terminalStatus).toBe('completed');
    expect(ofType(events, 'warning')).toMatchObject([{ message: expect.stringContaining('5000') }]);
  });

  it('may flood, and the turn keeps its bounds and says so', async () => {
    const setup = prepare();
    const { events, terminalStatus } = await setup.run(await open(setup), 'many');
    expect(terminalStatus).toBe('completed');
    expect(JSON.stringify(events).length).toBeLessThan(20 * 1024 * 1024);
    expect(ofType(events, 'warning').at(-1)).toMatchObject({ truncatedBytes: expect.any(Number) });
  });

  it('ends the turn of what half a line is all', async () => {
    const setup = prepare();
    const result = await setup.run(await open(setup), 'half a line');
    expect(result).toMatchObject({ failureKind: 'backend-crashed' });
  });
});

describe('the rules of the events', () => {
  it('1: what is open at the end is aborted', async () => {
    const setup = prepare();
    const { events } = await setup.run(await open(setup), 'end with open');
    expect(ofType(events, 'tool_end')).toMatchObject([{ itemId: 'call_1', toolName: 'shell', status: 'aborted' }]);
    const session = await open(setup);
    const turn = setup.turn(session, 'open');
    await turn.until(({ type }) => type === 'assistant_delta');
    await session.interrupt(5000);
    await turn.result;
    expect(ofType(turn.events, 'tool_end')).toMatchObject([{ status: 'aborted' }]);
    expect(ofType(turn.events, 'assistant_message')).toEqual([]);
  });

  it('2: a retry voids the texts of the broken answer, and no others', async () => {
    const setup = prepare();
    const { events } = await setup.run(await open(setup), 'retry');
    expect(ofType(events, 'retry')).toEqual([
      { attempt: 2, max: 5, status: 502, message: 'Reconnecting... 2/5 (bad gateway)', voidItemIds: ['msg_2'] },
    ]);
    expect(ofType(events, 'assistant_message').map(({ text }) => text)).toEqual(['kept', 'half', 'whole']);
  });

  it('3: what comes late, or is of others, reaches no turn', async () => {
    const setup = prepare();
    const session = await open(setup);
    const late = await setup.run(session, 'late');
    const count = late.events.length;
    const next = await setup.run(session, 'wait and end', { threadId: THREAD });
    await delay(100);
    expect(late.events).toHaveLength(count);
    expect(typesOf(next.events)).toEqual(['thread-resumed', 'turn-started', 'turn-completed']);
    const others = await setup.run(session, 'other threads', { threadId: THREAD });
    expect(others.terminalStatus).toBe('completed');
    expect(ofType(others.events, 'assistant_delta')).toEqual([]);
  });

  it('4: an end of the process is a crash, whatever its exit code, and its conversation is known', async () => {
    const setup = prepare();
    const { events, ...result } = await setup.run(await open(setup), 'exit 0');
    expect(result).toMatchObject({
      terminalStatus: 'failed',
      failureKind: 'backend-crashed',
      threadId: THREAD,
      turnId: 'turn_1',
    });
    expect(result.failureMessage).toContain('exit code 0');
    expect(ofType(events, 'tool_end')).toMatchObject([{ status: 'aborted' }]);
    expect(typesOf(events).slice(-2)).toEqual(['error', 'turn-failed']);
  });

  it('7: the conversation is told before the turn begins', async () => {
    const setup = prepare();
    const { events } = await setup.run(await open(setup), 'hello');
    expect(typesOf(events).slice(0, 2)).toEqual(['thread-started', 'turn-started']);
    expect(events[1]?.payload).toMatchObject({ threadId: THREAD });
  });

  it.each(['full disk', 'failed with a full disk'])('names a full disk: %s', async (prompt) => {
    const setup = prepare();
    const result = await setup.run(await open(setup), prompt);
    expect(result).toMatchObject({ terminalStatus: 'failed', failureKind: 'disk-full' });
  });
});

describe('what codex asks', () => {
  it('is answered: no question waits for a person', async () => {
    const setup = prepare();
    const log = join(setup.workspace, 'log');
    const other = prepare('', { FAKE_LOG: log });
    const { events, terminalStatus } = await other.run(await open(other), 'question');
    expect(terminalStatus).toBe('completed');
    expect(ofType(events, 'approval')).toMatchObject([
      { kind: 'question', decision: 'decline' },
      { kind: 'question', decision: 'decline', message: 'Really?' },
    ]);
    const said = readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(said.filter(({ method }) => method === undefined)).toEqual([
      { id: 0, result: { answers: {} } },
      { id: 1, result: { action: 'decline', content: null, _meta: null } },
      { id: 2, error: { code: -32601, message: expect.stringContaining('no/such/request') } },
    ]);
  });

  it('ends the turn as approval-required also when codex must be killed for what it left', async () => {
    const setup = prepare('leaves-child');
    const result = await setup.run(await open(setup), 'approve', { policy: { approvals: 'never' } });
    expect(result).toMatchObject({ terminalStatus: 'blocked', failureKind: 'approval-required' });
    expect(await setup.living()).toEqual([]);
  });

  it('ends the turn as approval-required when the policy lets nobody ask', async () => {
    const setup = prepare();
    const { events, ...result } = await setup.run(await open(setup), 'approve', { policy: { approvals: 'never' } });
    expect(result).toMatchObject({ terminalStatus: 'blocked', failureKind: 'approval-required' });
    expect(result.failureMessage).toContain('rm -rf build');
    expect(ofType(events, 'approval')).toMatchObject([{ decision: 'cancel', command: 'rm -rf build' }]);
  });

  it('cannot take a text in some turns', async () => {
    const setup = prepare();
    const session = await open(setup);
    const turn = setup.turn(session, 'open', { commandId: 'cmd_a' });
    await turn.until(({ type }) => type === 'tool_begin');
    expect(await session.steer('hurry', { targetTurn: 'cmd_a' })).toEqual({ rejected: 'unsupported' });
    await session.interrupt(5000);
    expect((await turn.result).terminalStatus).toBe('cancelled');
    expect(existsSync(setup.workspace)).toBe(true);
  });
});
