import { DROPPABLE_EVENT_TYPES, EVENT_LIMITS, EVENT_TYPES } from '@agentrun/lib/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { delta, eventScenes } from './event-scenes.ts';
import { underWay } from './scenes.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await testManager();
});
afterAll(() => manager.stop());

const { texts, assertGapless } = eventScenes(() => manager);

describe('a long text', () => {
  it('is cut to its head and its tail, whole characters, and says how much is missing', async () => {
    const { runId, runner } = await underWay(manager);
    const long = `HEAD${'🦀'.repeat(40_000)}TAIL`;
    await runner.append([{ type: 'tool_output', payload: { text: long, itemId: 'i', other: 'short' } }], 1);
    const [event] = (await manager.events(runId)).filter(({ type }) => type === 'tool_output');
    const { text, truncatedBytes, ...rest } = (event?.payload ?? {}) as { text: string; truncatedBytes: number };
    expect(rest).toEqual({ itemId: 'i', other: 'short' });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(EVENT_LIMITS.textBytes);
    expect(text).toMatch(/^HEAD(?:🦀)+\n… \d+ bytes …\n(?:🦀)+TAIL$/u);
    const kept = Buffer.byteLength(text.replace(/\n… \d+ bytes …\n/, ''));
    expect(truncatedBytes).toBe(Buffer.byteLength(long) - kept);
  });

  it('of the longest length that is allowed stays whole', async () => {
    const { runId, runner } = await underWay(manager);
    const text = 'x'.repeat(EVENT_LIMITS.textBytes);
    await runner.append([{ type: 'tool_output', payload: { text } }], 1);
    expect((await manager.events(runId)).at(-1)?.payload).toEqual({ text });
  });

  it('is one of several that are cut, and the bytes are added up', async () => {
    const { runId, runner } = await underWay(manager);
    const big = 'x'.repeat(EVENT_LIMITS.textBytes + 1000);
    await runner.append([{ type: 'tool_output', payload: { stdout: big, stderr: big } }], 1);
    const payload = (await manager.events(runId)).at(-1)?.payload as { stdout: string; truncatedBytes: number };
    expect(payload.truncatedBytes).toBeGreaterThanOrEqual(2000);
    expect(payload.stdout.length).toBeLessThanOrEqual(EVENT_LIMITS.textBytes);
  });
});

describe('what is too large', () => {
  it('is an event of more than 256 KiB: the batch is refused, and the event is named', async () => {
    const { runId, runner } = await underWay(manager);
    const list = Array.from({ length: 300 }, () => 'x'.repeat(1000));
    const answer = await runner.append([delta('a'), { type: 'tool_output', payload: { list } }], 1);
    expect(answer).toMatchObject({
      status: 413,
      failureKind: 'too-large',
      error: { details: { index: 1, limitBytes: EVENT_LIMITS.eventBytes } },
    });
    expect(await texts(runId)).toEqual([]);
    expect((await runner.append([delta('a')], 1)).data.count).toBe(1);
  });

  it('counts in bytes, not in characters', async () => {
    const { runner } = await underWay(manager);
    const list = Array.from({ length: 100 }, () => '字'.repeat(1000));
    expect(await runner.append([{ type: 'tool_output', payload: { list } }], 1)).toMatchObject({ status: 413 });
  });

  it('is a body of more than 4 MiB, and one that is just below is taken', async () => {
    const { runner } = await underWay(manager);
    const events = (count: number) =>
      Array.from({ length: count }, () => ({ type: 'tool_output', payload: { text: 'x'.repeat(65_000) } }) as const);
    expect(await runner.append(events(65), 1)).toMatchObject({
      status: 413,
      failureKind: 'too-large',
      error: { details: { limitBytes: EVENT_LIMITS.bodyBytes } },
    });
    expect((await runner.append(events(64), 1)).data.count).toBe(64);
  });
});

describe('the budget of a run', () => {
  it('drops what can be missed when it is used up, with one warning, and goes on counting', async () => {
    const { runId, runner, turn } = await underWay(manager);
    await manager.running.serving.pool.query('UPDATE agentrun_runs SET event_bytes = $2 WHERE id = $1', [
      runId,
      EVENT_LIMITS.runBytes - 100,
    ]);
    const all = EVENT_TYPES.filter((type) => type !== 'terminal_status');
    const batch = all.map((type) => ({ type, payload: { commandId: turn.id, text: 'x'.repeat(20) } }));
    const first = await runner.append(batch, 1);
    expect(first.data).toMatchObject({
      count: all.length - DROPPABLE_EVENT_TYPES.length,
      dropped: DROPPABLE_EVENT_TYPES.length,
    });
    const second = await runner.append(batch, 1 + batch.length);
    expect(second.data).toMatchObject({ dropped: DROPPABLE_EVENT_TYPES.length });
    expect((await runner.append([delta('x')], 1 + 2 * batch.length)).data).toMatchObject({
      count: 0,
      dropped: 1,
      firstSeq: null,
    });
    expect((await runner.append(batch, 1)).data).toMatchObject({ duplicate: true });

    const events = await manager.events(runId);
    const warnings = events.filter(({ payload }) => payload?.['phase'] === 'event-budget-used-up');
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.payload).toMatchObject({ limitBytes: EVENT_LIMITS.runBytes });
    const stored = new Set(
      events.filter(({ payload }) => payload?.['text'] === 'x'.repeat(20)).map(({ type }) => type),
    );
    for (const type of DROPPABLE_EVENT_TYPES) expect(stored).not.toContain(type);
    expect(stored).toContain('assistant_message');
    await assertGapless(runId);
    expect((await manager.ask<{ output: { text: string } }>('GET', `runs/${runId}/result`)).output.text).toContain(
      'x'.repeat(20),
    );
  });

  it('counts bytes of UTF-8', async () => {
    const { runId, runner } = await underWay(manager);
    const bytes = async () =>
      (await manager.running.serving.pool.query('SELECT event_bytes FROM agentrun_runs WHERE id = $1', [runId])).rows[0]
        .event_bytes as number;
    const before = await bytes();
    await runner.append([delta('字'.repeat(1000))], 1);
    expect((await bytes()) - before).toBeGreaterThanOrEqual(3000);
  });
});
