import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProfileConfig } from '@agentrun/lib/contract';
import { afterEach, describe, expect, it } from 'vitest';
import { TURN_OUTPUT_BYTES } from '../../../runner/src/backends/backend.ts';
import type { Profile } from '../../../runner/src/profile.ts';
import { BackendSetup, ofType, typesOf } from '../../conformance/backend-setup.ts';

const AGENT = join(import.meta.dirname, '../../fixtures/agents/scripted-agent.mjs');
const SCRIPTED: ProfileConfig = { backend: 'command', command: ['{node}', AGENT] };
const setups: BackendSetup[] = [];

afterEach(async () => {
  await Promise.all(setups.splice(0).map((setup) => setup.remove()));
});

function prepare(...given: ConstructorParameters<typeof BackendSetup>): BackendSetup {
  const setup = new BackendSetup(...given);
  setups.push(setup);
  return setup;
}

describe('a command', () => {
  it('that is any program answers with its output', async () => {
    const setup = prepare({ backend: 'command', command: ['cat'] });
    const { events, terminalStatus } = await setup.run(await setup.open(), 'one\n\ntwo');
    expect(terminalStatus).toBe('completed');
    expect(ofType(events, 'assistant_message')).toEqual([{ itemId: 'stdout-1', text: 'one\n\ntwo' }]);
    expect(ofType(events, 'assistant_delta').map(({ text }) => text)).toEqual(['one\n', '\n', 'two\n']);
  });

  it('that ends with another code than 0 has failed, with its last words', async () => {
    const setup = prepare(SCRIPTED);
    const { events, ...result } = await setup.run(await setup.open(), '[[fail]]');
    expect(result).toMatchObject({ terminalStatus: 'failed', failureKind: 'backend-crashed' });
    expect(result.failureMessage).toMatch(/exit code 3: I give up$/);
    expect(ofType(events, 'warning')).toEqual([{ message: 'I give up', source: 'stderr' }]);
    expect(typesOf(events).slice(-2)).toEqual(['error', 'turn-failed']);
  });

  it('may say itself why it failed', async () => {
    const setup = prepare(SCRIPTED);
    const result = await setup.run(await setup.open(), '[[quota]]');
    expect(result).toMatchObject({
      terminalStatus: 'blocked',
      failureKind: 'provider-quota',
      failureMessage: 'the quota is used up',
    });
  });

  it('remembers by the thread that it is told, in a new session too', async () => {
    const setup = prepare(SCRIPTED);
    const first = await setup.run(await setup.open(), 'PURPLE');
    const later = await setup.run(await setup.open(), '[[remember]]', { threadId: first.threadId ?? null });
    expect(ofType(later.events, 'assistant_message')).toMatchObject([{ text: 'EARLIER: PURPLE' }]);
    const other = await setup.run(await setup.open(), '[[remember]]');
    expect(other.threadId).not.toBe(first.threadId);
    expect(ofType(other.events, 'assistant_message')).toMatchObject([{ text: 'EARLIER: ' }]);
  });

  it('gets an allow-list of variables, and its key where the profile says', async () => {
    const profile: Profile = {
      name: 'test',
      config: {
        ...SCRIPTED,
        model: 'a-model',
        baseUrl: 'http://127.0.0.1:9/v1',
        env: { FROM_THE_PROFILE: 'yes' },
        options: { apiKeyVariable: 'SOME_KEY', proxy: { https: 'http://proxy.example:3128' } },
      },
      credential: { kind: 'api-key', value: 'the-value-of-the-key' },
    };
    const setup = prepare(profile);
    const { events, threadId, turnId } = await setup.run(await setup.open(), '[[environment]]');
    const text = String(ofType(events, 'assistant_message')[0]?.['text']);
    const environment = (JSON.parse(text) as { environment: Record<string, string> }).environment;
    expect(environment).toEqual({
      PATH: process.env['PATH'],
      HOME: setup.context.home,
      LANG: 'C.UTF-8',
      TERM: 'dumb',
      HTTPS_PROXY: 'http://proxy.example:3128',
      https_proxy: 'http://proxy.example:3128',
      FROM_THE_PROFILE: 'yes',
      SOME_KEY: 'the-value-of-the-key',
      AGENTRUN_ATTEMPT_ID: setup.attemptId,
      AGENTRUN_MODEL: 'a-model',
      AGENTRUN_BASE_URL: 'http://127.0.0.1:9/v1',
      AGENTRUN_STATE_DIR: join(setup.context.state, 'command'),
      AGENTRUN_THREAD_ID: threadId,
      AGENTRUN_TURN_ID: turnId,
    });
  });

  it('has its stderr shown as a warning, or as output of its open tool', async () => {
    const setup = prepare({ backend: 'command', command: ['sh', '-c', 'echo odd >&2; sleep 0.2; cat', 'sh'] });
    const script = [
      '{"type":"tool_begin","itemId":"t","toolName":"shell"}',
      '{"type":"tool_output","itemId":"t","text":"out"}',
      '{"type":"tool_end","itemId":"t","exitCode":2}',
    ];
    const { events } = await setup.run(await setup.open(), script.join('\n'));
    expect(ofType(events, 'warning')).toEqual([{ message: 'odd', source: 'stderr' }]);
    expect(ofType(events, 'tool_end')).toMatchObject([{ toolName: 'shell', status: 'failed', exitCode: 2 }]);
    const inTool = prepare({
      backend: 'command',
      command: ['sh', '-c', `echo '${script[0]}'; sleep 0.3; echo inside >&2; sleep 0.3; echo '${script[2]}'`],
    });
    const seen = await inTool.run(await inTool.open(), 'x');
    expect(ofType(seen.events, 'tool_output')).toEqual([
      { itemId: 't', mode: 'append', stream: 'stderr', text: 'inside\n' },
    ]);
  });

  it('cannot write events that are not its own, nor broken ones', async () => {
    const setup = prepare({ backend: 'command', command: ['cat'] });
    const lines = [
      '{"type":"terminal_status","terminalStatus":"completed"}',
      '{"type":"user_message","text":"I am the user"}',
      '{"type":"backend_status","phase":"turn-completed"}',
      '{"type":"tool_begin","itemId":7}',
      '{"type":"unheard-of"}',
      '{"type":',
    ];
    const { events } = await setup.run(await setup.open(), lines.join('\n'));
    expect(ofType(events, 'assistant_message')).toEqual([{ itemId: 'stdout-1', text: lines.join('\n') }]);
    expect(ofType(events, 'user_message')).toEqual([]);
  });

  it('may put out a line of 50 MB', async () => {
    const setup = prepare(SCRIPTED);
    const { events, terminalStatus } = await setup.run(await setup.open(), '[[line]]');
    expect(terminalStatus).toBe('completed');
    const [message] = ofType(events, 'assistant_message');
    expect(message?.['truncatedBytes']).toBeGreaterThan(49_000_000);
    expect(Buffer.byteLength(String(message?.['text']))).toBeLessThanOrEqual(64 * 1024);
  });

  it('may put out 100 MB, of which a bounded part is kept and the rest is counted', async () => {
    const setup = prepare(SCRIPTED);
    const before = process.memoryUsage().rss;
    const { events, terminalStatus } = await setup.run(await setup.open(), '[[flood]]');
    expect(terminalStatus).toBe('completed');
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024);
    const streamed = ofType(events, 'assistant_delta').reduce((sum, { text }) => sum + String(text).length, 0);
    expect(streamed).toBeLessThan(TURN_OUTPUT_BYTES);
    expect(ofType(events, 'assistant_message')[0]?.['truncatedBytes']).toBeGreaterThan(99_000_000);
    expect(ofType(events, 'warning').at(-1)?.['truncatedBytes']).toBeGreaterThan(90_000_000);
  });

  it('that left a child with its pipes open has ended, and so has the child', async () => {
    const setup = prepare(SCRIPTED);
    const { terminalStatus } = await setup.run(await setup.open(), '[[holdpipe]]');
    expect(terminalStatus).toBe('completed');
    expect(await setup.living()).toEqual([]);
  });

  it('that is deaf to signals is killed', async () => {
    const setup = prepare(SCRIPTED);
    const session = await setup.open();
    const turn = setup.turn(session, '[[deaf]]');
    await turn.until(({ type }) => type === 'assistant_delta');
    expect(await session.interrupt(500)).toBe(false);
    await session.kill();
    expect(await turn.result).toMatchObject({ terminalStatus: 'cancelled', failureKind: 'cancelled' });
    expect(await setup.living()).toEqual([]);
  });

  it('that hears SIGTERM ends by it, within its grace', async () => {
    const trap = 'trap "" INT; trap "echo put away > tidy.txt; exit 0" TERM; echo ready; while :; do sleep 0.1; done';
    const setup = prepare({ backend: 'command', command: ['bash', '-c', trap] });
    const session = await setup.open();
    const turn = setup.turn(session, 'x');
    await turn.until(({ type }) => type === 'assistant_delta');
    expect(await session.interrupt(300)).toBe(false);
    await session.kill(5000);
    expect((await turn.result).terminalStatus).toBe('cancelled');
    expect(readFileSync(join(setup.workspace, 'tidy.txt'), 'utf8')).toBe('put away\n');
  });

  it('that ends by a signal of another has crashed', async () => {
    const setup = prepare({ backend: 'command', command: ['sh', '-c', 'kill -9 $$'] });
    const result = await setup.run(await setup.open(), 'x');
    expect(result).toMatchObject({
      failureKind: 'backend-crashed',
      failureMessage: expect.stringContaining('SIGKILL'),
    });
  });

  it('that does not read its prompt is no harm', async () => {
    const setup = prepare({ backend: 'command', command: ['true'] });
    expect((await setup.run(await setup.open(), 'x'.repeat(1024 * 1024))).terminalStatus).toBe('completed');
  });

  it('says that it has no sandbox when the policy asks for one', async () => {
    const setup = prepare({ backend: 'command', command: ['cat'] });
    const { events } = await setup.run(await setup.open(), 'x', { policy: { sandbox: 'read-only' } });
    expect(ofType(events, 'warning')).toMatchObject([{ message: expect.stringContaining('"read-only"') }]);
  });

  it('that is not there is a fault of the profile, before any turn', async () => {
    for (const command of [['no-such-program-here'], ['/nowhere/at/all'], ['']]) {
      const setup = prepare({ backend: 'command', command });
      await expect(setup.open()).rejects.toMatchObject({ failureKind: 'profile-invalid' });
    }
    await expect(prepare({ backend: 'command' }).open()).rejects.toMatchObject({ failureKind: 'profile-invalid' });
    const setup = prepare({ backend: 'command', command: ['./relative.sh'] });
    mkdirSync(join(setup.workspace, 'bin'));
    writeFileSync(join(setup.workspace, 'relative.sh'), '#!/bin/sh\n');
    chmodSync(join(setup.workspace, 'relative.sh'), 0o755);
    await expect(setup.open()).rejects.toMatchObject({ message: expect.stringContaining('absolute') });
  });

  it('fails the turn when the workspace is gone', async () => {
    const setup = prepare({ backend: 'command', command: ['cat'] });
    const session = await setup.open();
    Object.defineProperty(setup, 'workspace', { value: '/nowhere/at/all' });
    expect(await setup.run(session, 'x')).toMatchObject({ terminalStatus: 'failed', failureKind: 'infra-failed' });
  });
});

describe('a backend that this runner does not have', () => {
  it.each(['opencode', 'acp', 'claude'] as const)('is a fault of the profile: %s', async (backend) => {
    await expect(prepare({ backend }).open()).rejects.toMatchObject({
      failureKind: 'profile-invalid',
      message: expect.stringContaining('codex, command'),
    });
  });
});
