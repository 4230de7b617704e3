import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { chattyRun } from './chatty-run.ts';
import { type DatabaseProxy, databaseProxy } from './database-proxy.ts';
import { dataOf, openStream, type StreamReader } from './stream-reader.ts';

/** One that runners write to, and one that readers are at; the connections of the second go through a proxy. */
let writer: TestManager;
let reader: TestManager;
let proxy: DatabaseProxy;
beforeAll(async () => {
  writer = await testManager();
  proxy = await databaseProxy(writer.database.url);
  reader = await testManager({ database: { ...writer.database, url: proxy.url }, withoutDuties: true });
});
afterAll(async () => {
  await reader.stop();
  proxy.close();
  await writer.stop();
});

const seqsOf = ({ events }: StreamReader) =>
  events.flatMap(({ event, id }) => (event === undefined ? [Number(id)] : []));
const gapless = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

describe('a reader at another manager', () => {
  it('gets what is written, and the end', async () => {
    const run = await chattyRun(writer, { sessionRef: { sessionId: 'sess_two' } });
    const ofRun = await openStream(reader, `runs/${run.runId}/events`);
    const ofSession = await openStream(reader, 'sessions/sess_two/trace?until=idle');
    for (let said = 0; said < 300; said += 3) await run.say(3);
    await run.end();
    await Promise.all([ofRun.ended, ofSession.ended]);
    const stored = await writer.events(run.runId);
    expect(seqsOf(ofRun)).toEqual(gapless(stored.length));
    expect(ofRun.events.at(-1)?.event).toBe('end');
    expect(ofSession.events.at(-1)?.event).toBe('end');
    // The session is idle with the end of its turn, before the run ends.
    const seen = ofSession.events.slice(0, -1).map(dataOf);
    expect(seen).toEqual(stored.slice(0, seen.length));
    expect(seen.at(-1)?.['payload']).toMatchObject({ phase: 'command-terminal' });
  });

  it('misses nothing while the connections that listen are ended again and again', async () => {
    const run = await chattyRun(writer);
    const stream = await openStream(reader, `runs/${run.runId}/events`);
    const { pool } = writer.running.serving;
    for (let round = 0; round < 15; round += 1) {
      await pool.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'agentrun-mgr-listen'`,
      );
      for (let more = 0; more < 4; more += 1) {
        await run.say(5);
        await sleep(Math.random() * 60);
      }
    }
    await run.end();
    await stream.ended;
    expect(seqsOf(stream)).toEqual(gapless((await writer.events(run.runId)).length));
    expect(reader.log.some((line) => line.includes('listens to other managers was lost'))).toBe(true);
    await expect.poll(() => proxy.listeners).toBe(1);
  });

  it('is told by a look of its own when nothing is heard, and at once when it is heard again', async () => {
    const run = await chattyRun(writer);
    const stream = await openStream(reader, `runs/${run.runId}/events`);
    await expect.poll(() => stream.events.length).toBeGreaterThan(3);
    const before = stream.events.length;
    proxy.listener = 'silent';
    await run.say(5);
    // Nobody tells that the connection is dead; the look comes within five seconds.
    await expect.poll(() => stream.events.length, { timeout: 8000 }).toBe(before + 5);

    await run.say(5);
    proxy.listener = 'open';
    proxy.cut();
    await expect.poll(() => stream.events.length, { timeout: 4000 }).toBe(before + 10);
    await run.end();
    await stream.ended;
    expect(seqsOf(stream)).toEqual(gapless((await writer.events(run.runId)).length));
  });

  it('is heard again by a new connection when the old one is dead and does not tell', async () => {
    proxy.listener = 'silent';
    // The sign of life is asked for after ten seconds, and five later the connection counts as lost.
    const dead = proxy.listeners;
    expect(dead).toBe(1);
    await expect
      .poll(() => reader.log.filter((line) => line.includes('Query read timeout')).length, { timeout: 25_000 })
      .toBeGreaterThan(0);
    proxy.listener = 'open';
    await expect.poll(() => proxy.listeners, { timeout: 10_000 }).toBe(1);
    const run = await chattyRun(writer);
    const stream = await openStream(reader, `runs/${run.runId}/events`);
    await run.say(5);
    await run.end();
    await stream.ended;
    expect(stream.events.at(-1)?.event).toBe('end');
  }, 60_000);
});

describe('the notifications of events', () => {
  it('are at most one for each run in 20 ms, and the last one comes after the last event', async () => {
    const listener = new Client({ connectionString: writer.database.url });
    await listener.connect();
    const runs = await Promise.all([chattyRun(writer), chattyRun(writer)]);
    const heard = new Map(runs.map(({ runId }) => [runId, [] as number[]]));
    listener.on('notification', ({ payload = '' }) => heard.get(payload)?.push(performance.now()));
    await listener.query('LISTEN agentrun_run_events');
    const begun = performance.now();
    const lastSent = new Map<string, number>();
    await Promise.all(
      runs.map(async (run) => {
        for (let more = 0; more < 300; more += 1) {
          lastSent.set(run.runId, performance.now());
          await run.say(1);
        }
      }),
    );
    const lasted = performance.now() - begun;
    for (const [runId, times] of heard) {
      await expect.poll(() => (times.at(-1) ?? 0) > (lastSent.get(runId) ?? 0)).toBe(true);
    }
    await sleep(60);
    for (const times of heard.values()) {
      expect(times.length).toBeGreaterThan(1);
      expect(times.length).toBeLessThanOrEqual(lasted / 20 + 3);
    }
    const quiet = [...heard.values()].map((times) => times.length);
    await sleep(100);
    expect([...heard.values()].map((times) => times.length)).toEqual(quiet);
    for (const run of runs) await run.end();
    await listener.end();
  });
});
