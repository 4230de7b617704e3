import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ManagerClient, managerClient } from '../../helpers/manager-client.ts';
import { type ManagerMain, startManagerMain } from '../../helpers/manager-main.ts';
import { type TestDatabase, testDatabase } from '../../helpers/postgres.ts';
import { chattyRun } from './chatty-run.ts';
import { dataOf, openStream } from './stream-reader.ts';

const MB = 1024 * 1024;
const STALLED = 20;
const FAST = 20;
const EVENTS = 6000;
const SIZE = 4000;

let database: TestDatabase;
let main: ManagerMain;
let client: ManagerClient;
beforeAll(async () => {
  database = await testDatabase();
  main = await startManagerMain({ databaseUrl: database.url, from: 'source', nodeOptions: ['--expose-gc'] });
  client = managerClient(main.url, main.key);
});
afterAll(async () => {
  await main.stop();
  await database.drop();
});

const held = async () => {
  const { heapUsed, external } = await main.memory(true);
  return heapUsed + external;
};

describe('readers that stop to read', () => {
  it(`cost a bounded memory, delay nobody, and are closed with their last ids: ${STALLED} beside ${FAST} fast ones`, async () => {
    const run = await chattyRun(client);
    const path = `runs/${run.runId}/events`;
    await run.say(10);
    const before = await held();
    const stalled = await Promise.all(Array.from({ length: STALLED }, () => openStream(client, path)));
    for (const reader of stalled) reader.pause();
    let received = 0;
    const fast = await Promise.all(
      Array.from({ length: FAST }, () => openStream(client, path, { onEvent: () => void (received += 1) })),
    );
    // More than the sockets hold, and 20 MB in all.
    for (let said = 0; said < EVENTS; said += 50) await run.say(50, SIZE);
    await expect.poll(() => received, { timeout: 30_000 }).toBeGreaterThanOrEqual(FAST * EVENTS);
    // The fast ones have all of it while the others still wait, or were closed.
    expect(await held()).toBeLessThan(before + 60 * MB);

    await expect.poll(async () => await openStreams(), { timeout: 40_000, interval: 250 }).toBe(FAST);
    expect(await held()).toBeLessThan(before + 15 * MB);
    for (const reader of fast) reader.leave();

    // What a stalled reader gets when it goes on: no hole, and where to come back to.
    const [late] = stalled;
    if (late === undefined) throw new Error('there is none');
    late.resume();
    await late.ended;
    const ids = late.events.filter(({ event }) => event === undefined).map(({ id }) => Number(id));
    expect(ids).toEqual(ids.map((_, index) => index + 1));
    const close = late.events.find(({ event }) => event === 'close');
    // It may have been cut off before the close reached it.
    if (close !== undefined) expect(dataOf(close)).toEqual({ reason: 'slow-reader', lastId: String(ids.at(-1)) });
    await run.end();
    const back = await openStream(client, path, { lastId: late.lastId });
    await back.ended;
    expect(back.events[0]?.id).toBe(String(Number(late.lastId) + 1));
    expect(back.events.at(-1)?.event).toBe('end');
  }, 180_000);
});

async function openStreams(): Promise<number> {
  const response = await fetch(`${main.url}/metrics`, { headers: { authorization: `Bearer ${main.key}` } });
  return Number(/^agentrun_http_event_streams (\d+)$/m.exec(await response.text())?.[1]);
}
