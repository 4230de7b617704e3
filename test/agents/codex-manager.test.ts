import { setTimeout as delay } from 'node:timers/promises';
import type { ExecutionPolicy, RunEvent } from '@agentrun/lib/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CODEX } from '../../runner/src/backends/agent-executable.ts';
import { installedAgent } from '../helpers/agents-install.ts';
import { livingWith } from '../helpers/living-processes.ts';
import { type ModelServer, startModelServer } from '../helpers/model-server.ts';
import { type PlacedManager, type PlacedTurn, placedManager } from '../helpers/placed-manager.ts';
import { eventually, payloadsOf, storyOf } from '../helpers/runner-setup.ts';

const KEY = 'a-key-of-the-tests-4711';
const program = installedAgent(CODEX);
const policy: Partial<ExecutionPolicy> = { sandbox: 'full' };

let model: ModelServer;
let manager: PlacedManager;
let sessions = 0;

if (program === undefined) {
  it.skip(`codex ${CODEX.version} is not installed; npm run test:agents installs it where it can be had`, () => {});
}

const sessionRun = (sessionId: string): object => ({
  sessionRef: { sessionId },
  workspaceRef: { kind: 'session' },
  executionPolicy: policy,
});
const newSession = (): string => `sess_codex_${sessions++}`;

/** A turn in a run of its own. */
const turnOf = (prompt: string): Promise<PlacedTurn> => manager.placedTurn(prompt, { executionPolicy: policy });

/** The turn and its run when both have ended. */
async function ended({ runId, turnId }: PlacedTurn) {
  const run = await eventually(
    () => manager.run(runId),
    ({ terminalStatus }) => terminalStatus !== null,
    `the end of ${runId}`,
  );
  return { run, turn: await manager.command(runId, turnId), events: await manager.events(runId) };
}

async function event(runId: string, good: (event: RunEvent) => boolean): Promise<RunEvent> {
  const events = await eventually(
    () => manager.events(runId),
    (seen) => seen.some(good),
    'an event',
  );
  return events.find(good) as RunEvent;
}

const answersOf = (events: readonly RunEvent[]): unknown[] =>
  payloadsOf(events, 'assistant_message').map(({ text }) => text);

/** Neither the runner nor anything that its agent started; the marks are read by code that the product does not have. */
async function expectNothingLives(runId: string): Promise<void> {
  const { items } = await manager.ask<{ items: { attemptId: string }[] }>('GET', `runs/${runId}/runner-jobs`);
  expect(items.length).toBeGreaterThan(0);
  for (const { attemptId } of items) {
    await eventually(
      () => livingWith(`AGENTRUN_ATTEMPT_ID=${attemptId}`),
      (pids) => pids.length === 0,
      `the end of ${attemptId}`,
    );
  }
}

describe.skipIf(program === undefined)('the real codex behind a manager', () => {
  beforeAll(async () => {
    model = await startModelServer({ key: KEY });
    manager = await placedManager({
      staleHeartbeatFencingMs: 60_000,
      cancelDeliveryMode: 'push',
      cancelGracefulAbortMs: 10_000,
      cancelKillEscalationMs: 15_000,
    });
    await manager.profile(
      'codex',
      {
        backend: 'codex',
        model: 'scripted-model',
        baseUrl: model.url,
        options: {
          executable: program ?? '',
          requestMaxRetries: 1,
          streamMaxRetries: 2,
          contextWindow: 200_000,
          reasoningLevels: ['low'],
          patchTool: true,
        },
      },
      { kind: 'api-key', value: KEY },
    );
  });
  afterAll(async () => {
    await manager?.stop();
    await model?.close();
  });

  it('answers a turn, and tells it in order', async () => {
    const { run, turn, events } = await ended(await turnOf('hello there'));
    expect(turn).toMatchObject({ state: 'completed', terminalStatus: 'completed', failureKind: null });
    expect(turn).toMatchObject({ threadId: expect.any(String), turnId: expect.any(String) });
    expect(run).toMatchObject({ status: 'completed', failureKind: null, claimedBy: null });
    expect(answersOf(events)).toEqual(['ECHO: hello there']);
    expect(payloadsOf(events, 'usage')).toMatchObject([{ input: 120, cached: 20, output: 30, reasoning: 10 }]);
    const order = ['user_message', 'turn-started', 'reasoning', 'assistant_message', 'turn-completed'];
    expect(storyOf(events).filter((name) => order.includes(name))).toEqual(order);
    expect(storyOf(events).slice(-3)).toEqual(['command-terminal', 'run-released', 'terminal_status']);
    expect(JSON.stringify(events)).not.toContain(KEY);
    await expectNothingLives(run.id);
  });

  it('writes a file, which the session then shows as its change', async () => {
    const sessionId = newSession();
    const { turn, events } = await ended(await manager.placedTurn('[[write]]', sessionRun(sessionId)));
    expect(turn.state).toBe('completed');
    expect(payloadsOf(events, 'file_change')).toMatchObject([{ path: 'written.txt', kind: 'add' }]);
    const { items } = await manager.ask<{ items: object[] }>('GET', `sessions/${sessionId}/changes`);
    expect(JSON.stringify(items)).toContain('written.txt');
    expect(JSON.stringify(items)).toContain('+written by');
  });

  it('runs a command, and tells its begin, its output and its end', async () => {
    const { turn, events } = await ended(await turnOf('[[tool]]'));
    expect(turn.state).toBe('completed');
    expect(payloadsOf(events, 'tool_begin')).toMatchObject([{ command: expect.stringContaining('hello-from-tool') }]);
    expect(payloadsOf(events, 'tool_end')).toMatchObject([{ status: 'ok', exitCode: 0 }]);
  });

  it('takes a steer during a slow turn, in the conversation and once', async () => {
    const placed = await turnOf('[[count]]');
    await event(placed.runId, ({ type }) => type === 'assistant_delta');
    const steer = await manager.steer(placed.runId, 'and now something else');
    const { run, turn, events } = await ended(placed);
    expect(await manager.command(placed.runId, steer.id)).toMatchObject({ state: 'completed', failureKind: null });
    expect(turn).toMatchObject({ state: 'completed' });
    expect(run).toMatchObject({ status: 'completed' });
    expect(payloadsOf(events, 'user_message').map(({ text }) => text)).toEqual(['[[count]]', 'and now something else']);
    expect(answersOf(events)).toContain('ECHO: and now something else');
    expect(storyOf(events).filter((name) => name === 'turn-completed')).toHaveLength(1);
  });

  it('interrupts a turn with all that it started, and goes on with the conversation', async () => {
    const sessionId = newSession();
    const placed = await manager.placedTurn('[[daemon]]', sessionRun(sessionId));
    await event(placed.runId, ({ type }) => type === 'tool_begin');
    await delay(300);
    await manager.ask('POST', `commands/${placed.turnId}/cancel`, { reason: 'enough' });
    const { run, turn, events } = await ended(placed);
    expect(turn).toMatchObject({ state: 'cancelled', failureKind: 'cancelled', threadId: expect.any(String) });
    expect(run.status).not.toBe('failed');
    expect(storyOf(events)).toContain('turn-cancelled');
    // Codex ended it by itself.
    expect(storyOf(events)).not.toContain('cancel-kill-escalated');
    await expectNothingLives(placed.runId);
    const next = await ended(await manager.placedTurn('go on', sessionRun(sessionId)));
    expect(next.turn).toMatchObject({ state: 'completed', threadId: turn.threadId });
  });

  it('resumes the conversation of a session with a new process', async () => {
    const sessionId = newSession();
    const first = await ended(await manager.placedTurn('remember PURPLE', sessionRun(sessionId)));
    await expectNothingLives(first.run.id);
    const asked = model.requests.length;
    const second = await ended(await manager.placedTurn('and now?', sessionRun(sessionId)));
    expect(second.turn).toMatchObject({ state: 'completed', threadId: first.turn.threadId });
    expect(second.run.id).not.toBe(first.run.id);
    expect(storyOf(second.events)).toContain('thread-resumed');
    expect(payloadsOf(second.events, 'warning')).toEqual([]);
    // What was said before goes to the model again.
    expect(model.requests[asked]?.items).toBeGreaterThan(model.requests[asked - 1]?.items ?? 0);
  });

  it.each([
    ['e401', 'blocked', 'provider-auth-failed', 2],
    ['e429', 'failed', 'provider-rate-limited', 2],
    ['e500', 'failed', 'provider-unavailable', 2],
    ['quota', 'blocked', 'provider-quota', 0],
    ['context', 'blocked', 'context-overflow', 0],
    ['drop', 'failed', 'provider-unavailable', 2],
  ])(
    'ends turn and run when the provider answers %s: %s, %s',
    async (scenario, terminalStatus, failureKind, retries) => {
      const { run, turn, events } = await ended(await turnOf(`[[${scenario}]]`));
      expect(turn).toMatchObject({ terminalStatus, failureKind, failureMessage: expect.any(String) });
      expect(run).toMatchObject({ terminalStatus, failureKind });
      expect(payloadsOf(events, 'retry')).toHaveLength(retries);
      expect(payloadsOf(events, 'error')).toMatchObject([{ failureKind, commandId: turn.id }]);
      expect(payloadsOf(events, 'terminal_status')).toMatchObject([{ terminalStatus, failureKind }]);
      expect(storyOf(events).slice(-5)).toEqual([
        'error',
        'turn-failed',
        'command-terminal',
        'run-released',
        'terminal_status',
      ]);
      await expectNothingLives(run.id);
    },
  );

  it('says that the key is wrong, and never what it is', async () => {
    await manager.profile('codex-wrong', {
      backend: 'codex',
      baseUrl: model.url,
      options: { executable: program ?? '' },
    });
    await manager.ask('PUT', 'provider-profiles/codex-wrong/credential', {
      kind: 'api-key',
      value: 'another-key-0815',
    });
    const placed = await manager.placedTurn('hello', { backendProfile: 'codex-wrong', executionPolicy: policy });
    const { turn, events } = await ended(placed);
    expect(turn).toMatchObject({ terminalStatus: 'blocked', failureKind: 'provider-auth-failed' });
    expect(JSON.stringify([turn, events, manager.log])).not.toContain('another-key-0815');
  });
});
