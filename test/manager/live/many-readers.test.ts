import { createHash, type Hash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { type ChattyRun, chattyRun } from './chatty-run.ts';
import { dataOf, openStream } from './stream-reader.ts';

const LONG = process.env['AGENTRUN_TEST_LONG'] === '1';
const READERS = LONG ? 1000 : 200;
const EVENTS = LONG ? 10_000 : 2000;

let manager: TestManager;
beforeAll(async () => {
  manager = await testManager();
});
afterAll(() => manager.stop());

const note = (hash: Hash, seq: unknown, payload: unknown) => hash.update(`${String(seq)} ${JSON.stringify(payload)}\n`);

/** Reads a run to its end, leaving and coming back again and again; gives the digest of all that it got. */
async function unsteadyReader(runId: string, comings: { count: number }): Promise<string> {
  const hash = createHash('sha256');
  let lastId: string | null = null;
  for (;;) {
    let over = false;
    let patience = Math.floor(1 + Math.random() * (EVENTS / 2));
    comings.count += 1;
    const reader = await openStream(manager, `runs/${runId}/events`, {
      lastId,
      onEvent: (event) => {
        if (patience === 0) return;
        if (event.event === 'end') over = true;
        if (event.event !== undefined) return;
        const { seq, payload } = dataOf(event);
        note(hash, seq, payload);
        lastId = event.id ?? null;
        patience -= 1;
        if (patience === 0) reader.leave();
      },
    });
    await reader.ended;
    if (over) return hash.digest('hex');
  }
}

describe('many readers', () => {
  it(`who come and go at random, ${READERS} of them, each end with exactly what is stored, ${EVENTS} events`, async () => {
    const run: ChattyRun = await chattyRun(manager);
    const comings = { count: 0 };
    const readers = Array.from({ length: READERS }, async (_, index) => {
      await sleep(index % 100);
      return await unsteadyReader(run.runId, comings);
    });
    for (let said = 0; said < EVENTS; ) {
      const count = Math.min(EVENTS - said, 1 + Math.floor(Math.random() * 40));
      await run.say(count);
      said += count;
      await sleep(Math.random() * 10);
    }
    await run.end();
    const digests = new Set(await Promise.all(readers));

    const stored = createHash('sha256');
    const { rows } = await manager.running.serving.pool.query<{ seq: number; payload: object }>(
      'SELECT seq, payload FROM agentrun_events WHERE run_id = $1 ORDER BY seq',
      [run.runId],
    );
    expect(rows.length).toBeGreaterThan(EVENTS);
    for (const { seq, payload } of rows) note(stored, seq, payload);
    expect([...digests]).toEqual([stored.digest('hex')]);
    expect(comings.count).toBeGreaterThan(READERS * 1.5);
    const { serving, app } = manager.running;
    await expect.poll(() => [serving.tails.size, app.streams.size]).toEqual([0, 0]);
  }, 900_000);

  it('leave nothing behind: 1,000 come and go, of runs and of sessions', async () => {
    const { serving, app } = manager.running;
    const run = await chattyRun(manager, { sessionRef: { sessionId: 'sess_cycles' } });
    await run.say(50);
    const paths = [`runs/${run.runId}/events`, 'sessions/sess_cycles/trace', 'sessions/sess_cycles/output'];
    const counts = () => ({
      listening: serving.wakeups.listening,
      tails: serving.tails.size,
      streams: app.streams.size,
    });
    const files = () => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0);
    const before = counts();
    const filesBefore = files();
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          const reader = await openStream(manager, paths[index % paths.length] ?? '');
          if (index % 5 === 0) await expect.poll(() => reader.events.length).toBeGreaterThan(0);
          reader.leave();
          await reader.ended;
        }),
      );
    }
    await expect.poll(counts, { timeout: 10_000 }).toEqual(before);
    await expect.poll(() => files() - filesBefore, { timeout: 10_000 }).toBeLessThanOrEqual(16);
    await run.end();
  }, 120_000);
});
