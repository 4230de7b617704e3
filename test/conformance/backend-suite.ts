import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EVENT_LIMITS } from '@agentrun/lib/contract';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BackendSession } from '../../runner/src/backends/backend.ts';
import { TURN_OUTPUT_BYTES } from '../../runner/src/backends/backend.ts';
import type { BackendSetup } from './backend-setup.ts';
import { eventually, ofType, typesOf } from './backend-setup.ts';

/** A backend under test: how it is set up, and that an agent answers the prompts of the suite. */
export interface Subject {
  readonly steers: boolean;
  /** A setup whose profile works, with what it needs. */
  readonly prepare: () => Promise<{ readonly setup: BackendSetup; readonly cleanUp: () => Promise<void> }>;
}

/**
 * What every backend must do. The agent behind it knows these prompts: `[[tool]]` writes tool-out.txt by a command,
 * `[[ticks]]` runs a command of a minute that adds a line to ticks.txt each second, `[[daemon]]` one that leaves its
 * session and writes beat.txt, `[[flood]]` puts out much, `[[garbage]]` bytes that are no text; any other is answered
 * with `ECHO: ` and the prompt.
 */
export function backendSuite(name: string, subject: Subject): void {
  describe(`the backend ${name}`, () => {
    let setup: BackendSetup;
    let session: BackendSession;
    let cleanUp: () => Promise<void>;

    beforeEach(async () => {
      ({ setup, cleanUp } = await subject.prepare());
      session = await setup.open();
    });

    afterEach(async () => {
      await setup.remove();
      await cleanUp();
    });

    const file = (path: string): string => {
      const place = join(setup.workspace, path);
      return existsSync(place) ? readFileSync(place, 'utf8') : '';
    };
    const ticking = () => eventually(() => file('ticks.txt') !== '', 'ticks');

    it('runs a turn and tells it in order', async () => {
      const { events, ...result } = await setup.run(session, 'hello there');
      expect(result).toMatchObject({ terminalStatus: 'completed', failureKind: null, failureMessage: null });
      expect(result.threadId).toEqual(expect.any(String));
      expect(result.turnId).toEqual(expect.any(String));
      expect(result.usage).toEqual({ input: 120, cached: 20, output: 30, reasoning: 10 });
      const types = typesOf(events);
      const order = ['thread-started', 'turn-started', 'assistant_delta', 'assistant_message'];
      expect(order.map((type) => types.indexOf(type))).toEqual(
        order.map((type) => types.indexOf(type)).toSorted((a, b) => a - b),
      );
      expect(types.filter((type) => order.includes(type) && type !== 'assistant_delta')).toEqual(
        order.filter((type) => type !== 'assistant_delta'),
      );
      expect(types.at(-1)).toBe('turn-completed');
      expect(ofType(events, 'assistant_message')).toEqual([
        expect.objectContaining({ text: expect.stringContaining('ECHO: hello there') }),
      ]);
      const deltas = ofType(events, 'assistant_delta').map(({ text }) => text);
      expect(deltas.join('').trim()).toBe(ofType(events, 'assistant_message')[0]?.['text']);
    });

    it('tells a tool call from its begin to its end', async () => {
      const { events, terminalStatus } = await setup.run(session, '[[tool]] please');
      expect(terminalStatus).toBe('completed');
      expect(file('tool-out.txt')).toBe('hello-from-tool\n');
      const [begin] = ofType(events, 'tool_begin');
      const [end] = ofType(events, 'tool_end');
      expect(begin).toMatchObject({ toolName: 'shell', command: expect.stringContaining('echo hello-from-tool') });
      expect(end).toMatchObject({ itemId: begin?.['itemId'], toolName: 'shell', status: 'ok', exitCode: 0 });
      expect(end?.['output']).toContain('hello-from-tool');
      expect(end?.['durationMs']).toEqual(expect.any(Number));
      expect(typesOf(events).indexOf('tool_begin')).toBeLessThan(typesOf(events).indexOf('tool_end'));
    });

    it('goes on with the conversation in the same process and in a new one', async () => {
      const first = await setup.run(session, 'remember PURPLE');
      const threadId = first.threadId ?? null;
      const second = await setup.run(session, 'again', { threadId });
      expect([second.terminalStatus, second.threadId]).toEqual(['completed', threadId]);
      await session.close(5000);
      const later = await setup.open();
      const third = await setup.run(later, 'and again', { threadId });
      expect([third.terminalStatus, third.threadId]).toEqual(['completed', threadId]);
      expect(typesOf(third.events)).toContain('thread-resumed');
      expect(ofType(third.events, 'warning')).toEqual([]);
    });

    it(subject.steers ? 'takes a text into the running turn' : 'says that it cannot take a text', async () => {
      const turn = setup.turn(session, '[[ticks]]', { commandId: 'cmd_a' });
      await ticking();
      expect(await session.steer('for another', { targetTurn: 'cmd_b' })).toEqual({ rejected: 'superseded' });
      const answer = await session.steer('hurry', { targetTurn: 'cmd_a' });
      expect(answer).toEqual(subject.steers ? 'accepted' : { rejected: 'unsupported' });
      await session.interrupt(5000);
      await turn.result;
      expect(await session.steer('too late', { targetTurn: 'cmd_a' })).toEqual({ rejected: 'turn-ended' });
    });

    it.each(['[[ticks]]', '[[daemon]]'])(
      'interrupts %s, leaves nothing of it alive, and takes the next turn',
      async (prompt) => {
        const before = await setup.living();
        const turn = setup.turn(session, prompt);
        const trace = prompt === '[[ticks]]' ? 'ticks.txt' : 'beat.txt';
        await eventually(() => file(trace) !== '', trace);
        expect(await session.interrupt(10_000)).toBe(true);
        const result = await turn.result;
        expect(result).toMatchObject({ terminalStatus: 'cancelled', failureKind: 'cancelled' });
        const types = typesOf(turn.events);
        expect(types.filter((type) => type === 'tool_begin')).toHaveLength(
          types.filter((type) => type === 'tool_end').length,
        );
        expect(types.at(-1)).toBe('turn-interrupted');
        const left = (await setup.living()).filter(({ pid }) => !before.some((known) => known.pid === pid));
        expect(left).toEqual([]);
        const seen = file(trace);
        await delay(1500);
        expect(file(trace)).toBe(seen);
        const next = await setup.run(session, 'after it', { threadId: result.threadId ?? null });
        expect([next.terminalStatus, next.threadId]).toEqual(['completed', result.threadId]);
        expect(ofType(next.events, 'tool_end')).toEqual([]);
        expect(await session.interrupt(1000)).toBe(true);
      },
    );

    it('ends a turn whose signal is aborted, also before it begins', async () => {
      const abort = new AbortController();
      const turn = setup.turn(session, '[[ticks]]', { signal: abort.signal });
      await ticking();
      abort.abort();
      expect(await turn.result).toMatchObject({ terminalStatus: 'cancelled', failureKind: 'cancelled' });
      const early = await setup.run(session, 'hello', { signal: abort.signal });
      expect(early).toMatchObject({ terminalStatus: 'cancelled', failureKind: 'cancelled' });
      expect(ofType(early.events, 'assistant_message')).toEqual([]);
    });

    it('ends a turn whose time is over as turn-timeout', async () => {
      const { events, ...result } = await setup.run(session, '[[ticks]]', { policy: { turnTimeoutMs: 1500 } });
      expect(result).toMatchObject({ terminalStatus: 'failed', failureKind: 'turn-timeout' });
      expect(result.failureMessage).toContain('1500 ms');
      expect(typesOf(events).slice(-2)).toEqual(['error', 'turn-failed']);
    });

    it('ends the turn of a crashed agent as backend-crashed, and takes the next', async () => {
      const turn = setup.turn(session, '[[ticks]]');
      await ticking();
      for (const { pid } of await setup.living()) process.kill(pid, 'SIGKILL');
      expect(await turn.result).toMatchObject({ terminalStatus: 'failed', failureKind: 'backend-crashed' });
      expect(await setup.living()).toEqual([]);
      const next = await setup.run(session, 'after it', { threadId: (await turn.result).threadId ?? null });
      expect(next.terminalStatus).toBe('completed');
    });

    it('ends the turn of a wedged agent as turn-idle-timeout, and takes the next', async () => {
      const turn = setup.turn(session, '[[ticks]]', { policy: { idleEventTimeoutMs: 3000 } });
      await ticking();
      for (const { pid } of await setup.living()) process.kill(pid, 'SIGSTOP');
      expect(await turn.result).toMatchObject({ terminalStatus: 'failed', failureKind: 'turn-idle-timeout' });
      expect(await setup.living()).toEqual([]);
      const next = await setup.run(session, 'after it', { threadId: (await turn.result).threadId ?? null });
      expect(next.terminalStatus).toBe('completed');
    });

    it('says when an interrupt was not heard, and then kills', async () => {
      const turn = setup.turn(session, '[[ticks]]');
      await ticking();
      for (const { pid } of await setup.living()) process.kill(pid, 'SIGSTOP');
      expect(await session.interrupt(500)).toBe(false);
      await session.kill();
      expect(await turn.result).toMatchObject({ terminalStatus: 'cancelled', failureKind: 'cancelled' });
      expect(await setup.living()).toEqual([]);
    });

    it('keeps a flood within bounds', async () => {
      const { events, terminalStatus } = await setup.run(session, '[[flood]]');
      expect(terminalStatus).toBe('completed');
      const bytes = events.reduce((sum, event) => sum + JSON.stringify(event).length, 0);
      expect(bytes).toBeLessThan(2 * TURN_OUTPUT_BYTES);
      const texts = events.flatMap(({ payload }) => [payload['text'], payload['output']]);
      const longest = Math.max(...texts.map((text) => (typeof text === 'string' ? Buffer.byteLength(text) : 0)));
      expect(longest).toBeLessThanOrEqual(EVENT_LIMITS.textBytes);
    });

    it('makes text of bytes that are none', async () => {
      const { events, terminalStatus } = await setup.run(session, '[[garbage]]');
      expect(terminalStatus).toBe('completed');
      expect(JSON.stringify(events)).toContain('\uFFFD');
    });

    it('runs one turn at a time', async () => {
      const turn = setup.turn(session, '[[ticks]]');
      const second = await setup.run(session, 'meanwhile');
      expect(second).toMatchObject({ terminalStatus: 'failed', failureKind: 'infra-failed' });
      await ticking();
      await session.interrupt(5000);
      expect((await turn.result).terminalStatus).toBe('cancelled');
    });

    it('is gone when it is closed, with the turn that ran', async () => {
      const turn = setup.turn(session, '[[ticks]]');
      await ticking();
      await session.close(6000);
      expect((await turn.result).terminalStatus).toBe('cancelled');
      expect(await setup.living()).toEqual([]);
      expect(await setup.run(session, 'too late')).toMatchObject({
        terminalStatus: 'failed',
        failureKind: 'infra-failed',
      });
      await session.close(1000);
    });
  });
}
