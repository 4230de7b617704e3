import { createHash, type Hash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { managerClient } from '../../helpers/manager-client.ts';
import { type ManagerMain, startManagerMain } from '../../helpers/manager-main.ts';
import { chattyRun } from './chatty-run.ts';
import { dataOf, openStream } from './stream-reader.ts';

const LONG = process.env['AGENTRUN_TEST_LONG'] === '1';
const READERS = LONG ? 1000 : 200;
const EVENTS = LONG ? 10_000 : 2000;

let manager: TestManager;
beforeAll(async () => {
  manager = await testManager();
});
afterAll(() => manager.stop());

/** How many streams a manager has open, by its own count. */
async function openStreams({ url, key }: ManagerMain): Promise<number> {
  const response = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${key}` } });
  return Number(/^agentrun_http_event_streams (\d+)$/m.exec(await response.text())?.[1]);
}

const note = (hash: Hash, seq: unknown, payload: unknown) => hash.update(`${String(seq)} ${JSON.stringify(payload)}\n`);

/** Reads a run to its end, leaving and coming back again and again; gives the digest of all that it got. */
async function unsteadyReader(main: ManagerMain, runId: string, comings: { count: number }): Promise<string> {
  const hash = createHash('sha256');
  let lastId: string | null = null;
  for (;;) {
    let over = false;
    let patience = Math.floor(1 + Math.random() * (EVENTS / 2));
    comings.count += 1;
    const reader = await openStream(main, `runs/${runId}/events`, {
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
    // In a process of its own, so that so many readers here do not take its time.
    const main = await startManagerMain({ databaseUrl: manager.database.url, from: 'source' });
    onTestFinished(() => main.stop());
    const run = await chattyRun(managerClient(main.url, main.key));
    const comings = { count: 0 };
    const readers = Array.from({ length: READERS }, async (_, index) => {
      await sleep(index % 100);
      return await unsteadyReader(main, run.runId, comings);
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
    await expect.poll(() => openStreams(main)).toBe(0);
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
