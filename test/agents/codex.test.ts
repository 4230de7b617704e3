import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { CODEX } from '../../runner/src/backends/agent-executable.ts';
import { type BackendSetup, eventually, ofType, typesOf } from '../conformance/backend-setup.ts';
import { type CodexOptions, codexSetup, KEY } from '../conformance/codex-setup.ts';
import { installedAgent } from '../helpers/agents-install.ts';
import type { ModelServer } from '../helpers/model-server.ts';

const program = installedAgent(CODEX) ?? '';
const cleanUps: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function prepare(options?: CodexOptions): Promise<{ setup: BackendSetup; server: ModelServer }> {
  const { setup, server, cleanUp } = await codexSetup(program, options);
  cleanUps.push(cleanUp, () => setup.remove());
  return { setup, server };
}

describe.skipIf(program === '')('the real codex, with a scripted model', () => {
  it('answers a turn, with reasoning and tokens', async () => {
    const { setup, server } = await prepare();
    const { events, ...result } = await setup.run(await setup.open(), 'hello there');
    expect(result).toEqual({
      terminalStatus: 'completed',
      failureKind: null,
      failureMessage: null,
      threadId: expect.any(String),
      turnId: expect.any(String),
      usage: { input: 120, cached: 20, output: 30, reasoning: 10 },
    });
    expect(typesOf(events)).toEqual([
      'thread-started',
      'turn-started',
      'reasoning',
      'assistant_delta',
      'assistant_delta',
      'assistant_delta',
      'assistant_message',
      'usage',
      'turn-completed',
    ]);
    expect(server.requests).toMatchObject([{ key: 'right', status: 200, end: 'complete', model: 'scripted-model' }]);
  });

  it('writes a file by the patch tool, and shows the diff', async () => {
    const { setup } = await prepare();
    const { events, terminalStatus, usage } = await setup.run(await setup.open(), '[[write]]');
    expect(terminalStatus).toBe('completed');
    expect(readFileSync(join(setup.workspace, 'written.txt'), 'utf8')).toBe('written by\nthe agent\n');
    expect(ofType(events, 'file_change')).toMatchObject([
      {
        path: 'written.txt',
        kind: 'add',
        diff: '--- /dev/null\n+++ b/written.txt\n@@ -0,0 +1,2 @@\n+written by\n+the agent\n',
      },
    ]);
    expect(typesOf(events).filter((type) => /^tool|^file/.test(type))).toEqual([
      'tool_begin',
      'file_change',
      'tool_end',
    ]);
    // Two calls of the model.
    expect(usage).toEqual({ input: 200, cached: 0, output: 20, reasoning: 0 });
  });

  it('tells a command that failed, and goes on', async () => {
    const { setup } = await prepare();
    const { events, terminalStatus } = await setup.run(await setup.open(), '[[toolfail]]');
    expect(terminalStatus).toBe('completed');
    expect(ofType(events, 'tool_end')).toMatchObject([{ status: 'failed', exitCode: 3, output: 'oops\n' }]);
  });

  it('takes a text while it answers, in the same turn', async () => {
    const { setup, server } = await prepare();
    const session = await setup.open();
    const turn = setup.turn(session, '[[count]] for me', { commandId: 'cmd_a' });
    await turn.until(({ type, payload }) => type === 'assistant_delta' && String(payload['text']).includes('three'));
    expect(await session.steer('say this too', { targetTurn: 'cmd_a' })).toBe('accepted');
    expect(await turn.result).toMatchObject({ terminalStatus: 'completed' });
    expect(ofType(turn.events, 'assistant_message').at(-1)?.['text']).toContain('ECHO: say this too');
    expect(typesOf(turn.events).filter((type) => type.startsWith('turn-'))).toEqual(['turn-started', 'turn-completed']);
    expect(server.requests.map(({ end }) => end)).toEqual(['client-closed', 'complete']);
  });

  it('cuts the call of the model when it is interrupted', async () => {
    const { setup, server } = await prepare();
    const session = await setup.open();
    const turn = setup.turn(session, '[[count]]');
    await turn.until(({ type }) => type === 'assistant_delta');
    expect(await session.interrupt(5000)).toBe(true);
    expect(await turn.result).toMatchObject({ terminalStatus: 'cancelled', failureKind: 'cancelled' });
    await eventually(() => server.requests[0]?.end === 'client-closed', 'the request is closed');
    expect(ofType(turn.events, 'assistant_message')).toEqual([]);
  });

  it('interrupts a turn that waits for a silent model', async () => {
    const { setup } = await prepare();
    const session = await setup.open();
    const turn = setup.turn(session, '[[silent]]');
    await turn.until(({ payload }) => payload['phase'] === 'turn-started');
    expect(await session.interrupt(5000)).toBe(true);
    expect((await turn.result).terminalStatus).toBe('cancelled');
  });

  it('interrupts a turn that is only beginning', async () => {
    const { setup } = await prepare();
    const session = await setup.open();
    const turn = setup.turn(session, '[[count]]');
    expect(await session.interrupt(8000)).toBe(true);
    expect((await turn.result).terminalStatus).toBe('cancelled');
    expect((await setup.run(session, 'next')).terminalStatus).toBe('completed');
  });

  it('remembers the conversation in a new process, also after a kill in the middle of a turn', async () => {
    const { setup, server } = await prepare();
    const session = await setup.open();
    const first = await setup.run(session, 'remember PURPLE');
    const threadId = first.threadId ?? null;
    const killed = setup.turn(session, '[[count]]', { threadId });
    await killed.until(({ type }) => type === 'assistant_delta');
    await session.kill();
    expect((await killed.result).threadId).toBe(threadId);
    await session.close(2000);
    const later = await setup.run(await setup.open(), 'and now?', { threadId });
    expect([later.terminalStatus, later.threadId]).toEqual(['completed', threadId]);
    const before = server.requests[0]?.items ?? 0;
    expect(server.requests.at(-1)?.items).toBeGreaterThan(before + 1);
  });

  it('begins anew, and says so, when it does not know the conversation', async () => {
    const { setup } = await prepare();
    for (const threadId of ['01a1f6d2-0000-71e2-acbb-b6b3e2ffcb4d', 'command-of-another-backend']) {
      const { events, ...result } = await setup.run(await setup.open(), 'hello', { threadId });
      expect(result.terminalStatus).toBe('completed');
      expect(result.threadId).not.toBe(threadId);
      expect(ofType(events, 'warning')).toMatchObject([{ message: expect.stringContaining(threadId) }]);
      const started = events.find(({ payload }) => payload['phase'] === 'thread-started');
      expect(started?.payload).toMatchObject({ resumed: false, replaces: threadId });
    }
  });

  it.each([
    ['e401', 'blocked', 'provider-auth-failed', 2],
    ['e429', 'failed', 'provider-rate-limited', 2],
    ['e500', 'failed', 'provider-unavailable', 2],
    ['e400', 'blocked', 'profile-invalid', 0],
    ['quota', 'blocked', 'provider-quota', 0],
    ['context', 'blocked', 'context-overflow', 0],
    ['drop', 'failed', 'provider-unavailable', 2],
  ])('ends a turn whose provider answers %s as %s, %s', async (scenario, terminalStatus, failureKind, retries) => {
    const { setup } = await prepare();
    const session = await setup.open();
    const { events, ...result } = await setup.run(session, `[[${scenario}]]`);
    expect(result).toMatchObject({ terminalStatus, failureKind });
    expect(result.failureMessage).toEqual(expect.any(String));
    expect(ofType(events, 'retry')).toHaveLength(retries);
    expect(typesOf(events).slice(-2)).toEqual(['error', 'turn-failed']);
    expect(ofType(events, 'error')).toMatchObject([{ failureKind, message: result.failureMessage }]);
    const next = await setup.run(session, 'hello', { threadId: result.threadId ?? null });
    expect(next.terminalStatus).toBe('completed');
  });

  it('tells which text of a cut answer is void', async () => {
    const { setup } = await prepare();
    const { events, terminalStatus } = await setup.run(await setup.open(), '[[dropOnce]]');
    expect(terminalStatus).toBe('completed');
    const [retry] = ofType(events, 'retry');
    expect(retry).toMatchObject({ attempt: 1, max: 2 });
    const voided = retry?.['voidItemIds'] as string[];
    const messages = ofType(events, 'assistant_message');
    const kept = messages.filter(({ itemId }) => !voided.includes(String(itemId))).map(({ text }) => text);
    expect(messages.length).toBeGreaterThan(kept.length);
    expect(kept.join('')).toBe('this answer will be whole the second time.');
  });

  it('fails as provider-auth-failed with a wrong key, and with none', async () => {
    for (const key of ['another-key', null]) {
      const { setup } = await prepare({ key });
      const result = await setup.run(await setup.open(), 'hello');
      expect(result).toMatchObject({ terminalStatus: 'blocked', failureKind: 'provider-auth-failed' });
      expect(JSON.stringify(result)).not.toContain('another-key');
    }
  });

  it('fails as provider-unavailable when nobody listens', async () => {
    const { setup } = await prepare({ config: { baseUrl: 'http://127.0.0.1:9/v1' } });
    const result = await setup.run(await setup.open(), 'hello');
    expect(result).toMatchObject({ terminalStatus: 'failed', failureKind: 'provider-unavailable' });
  });

  it('gives the key to codex, and nothing of it or of the runner to its commands', async () => {
    const { setup } = await prepare({ config: { env: { FROM_THE_PROFILE: 'yes' } } });
    const { events } = await setup.run(await setup.open(), '[[environment]]');
    const output = String(ofType(events, 'tool_end')[0]?.['output']);
    expect(output).toContain('FROM_THE_PROFILE=yes');
    expect(output).toContain(`AGENTRUN_ATTEMPT_ID=${setup.attemptId}`);
    expect(output).not.toContain(KEY);
    expect(output).not.toContain('must-not-pass');
    const config = readFileSync(join(setup.context.state, 'codex', 'config.toml'), 'utf8');
    expect(config).not.toContain(KEY);
  });

  it('answers what it is asked to approve as the policy says', async () => {
    const { setup } = await prepare({ sandbox: 'read-only' });
    const session = await setup.open();
    const written = (): boolean => existsSync(join(setup.workspace, 'escalated.txt'));
    const declined = await setup.run(session, '[[escalate]] 1', { policy: { approvals: 'decline' } });
    expect(declined.terminalStatus).toBe('completed');
    expect(ofType(declined.events, 'approval')).toMatchObject([
      { kind: 'command', decision: 'decline', reason: 'May I write outside?' },
    ]);
    expect(ofType(declined.events, 'tool_end')).toMatchObject([{ status: 'denied' }]);
    expect(written()).toBe(false);
    const never = await setup.run(session, '[[escalate]] 2', { policy: { approvals: 'never' } });
    expect(never.terminalStatus).toBe('completed');
    expect(ofType(never.events, 'approval')).toEqual([]);
    expect(written()).toBe(false);
    const accepted = await setup.run(session, '[[escalate]] 3', { policy: { approvals: 'accept' } });
    expect(ofType(accepted.events, 'approval')).toMatchObject([{ kind: 'command', decision: 'accept' }]);
    expect(written()).toBe(true);
  });

  it('keeps a command within its sandbox', async () => {
    const { setup } = await prepare();
    const session = await setup.open();
    const policy = { sandbox: 'read-only' } as const;
    await setup.run(session, '[[tool]] read', { policy });
    expect(existsSync(join(setup.workspace, 'tool-out.txt'))).toBe(false);
    await setup.run(session, '[[tool]] write', { policy: { sandbox: 'workspace-write' } });
    expect(existsSync(join(setup.workspace, 'tool-out.txt'))).toBe(true);
  });

  it('says what no sandbox can hold', async () => {
    const { setup } = await prepare();
    const { events } = await setup.run(await setup.open(), 'hello', { policy: { sandbox: 'full', network: false } });
    expect(ofType(events, 'warning')).toMatchObject([{ message: expect.stringContaining('network') }]);
  });

  it('opens nothing with settings that codex refuses', async () => {
    const refused = await prepare({ config: { wireApi: 'chat' } });
    await expect(refused.setup.open()).rejects.toMatchObject({ failureKind: 'profile-invalid' });
    const strict = await prepare({ config: { options: { executable: program, streamMaxRetries: -1 } } });
    await expect(strict.setup.open()).rejects.toMatchObject({
      failureKind: 'profile-invalid',
      message: expect.stringContaining('config.toml'),
    });
  });

  it('does not take a command that sleeps for work, nor one that works for silence', async () => {
    const { setup } = await prepare();
    const session = await setup.open();
    const policy = { idleEventTimeoutMs: 4000 };
    const result = await setup.run(session, '[[sleeping]]', { policy });
    expect(result).toMatchObject({ failureKind: 'turn-idle-timeout' });
    const working = await setup.run(session, '[[working]]', { policy, threadId: result.threadId ?? null });
    expect(working).toMatchObject({ terminalStatus: 'completed' });
  });

  it('keeps a late word of one turn out of the next', async () => {
    const { setup } = await prepare();
    const session = await setup.open();
    const first = await setup.run(session, '[[background]]');
    expect(first.terminalStatus).toBe('completed');
    const second = setup.turn(session, '[[count]]', { threadId: first.threadId ?? null });
    await second.result;
    await delay(300);
    expect(ofType(second.events, 'tool_output')).toEqual([]);
    expect(ofType(second.events, 'tool_end')).toEqual([]);
  });
});
