import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deleteOldRuns } from '../../../manager/src/store/sweep.ts';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { type ChattyRun, chattyRun } from './chatty-run.ts';
import { dataOf, openStream, type StreamReader } from './stream-reader.ts';

let manager: TestManager;
let number = 0;
beforeAll(async () => {
  manager = await testManager();
});
afterAll(() => manager.stop());

const newSession = () => `sess_stream-${(number += 1)}`;
const runOf = (sessionId: string): Promise<ChattyRun> => chattyRun(manager, { sessionRef: { sessionId } });

/** A run of a session that says something and ends. */
async function endedRun(sessionId: string, count = 5): Promise<string> {
  const run = await runOf(sessionId);
  await run.say(count);
  await run.end();
  return run.runId;
}

/** The places of all events of some runs, in order. */
async function placesOf(...runIds: readonly string[]): Promise<string[]> {
  const logs = await Promise.all(runIds.map((runId) => manager.events(runId)));
  return logs.flat().map(({ runId, seq }) => `${runId}.${seq}`);
}

const idsOf = ({ events }: StreamReader) => events.flatMap(({ event, id }) => (event === undefined ? [id] : []));
const namesOf = ({ events }: StreamReader) => events.flatMap(({ event }) => (event === undefined ? [] : [event]));

describe('the stream of a session', () => {
  it('gives the events of its runs in their order, of those that were and those that come', async () => {
    const session = newSession();
    const runs = [await endedRun(session), await endedRun(session)];
    const reader = await openStream(manager, `sessions/${session}/trace`);
    await expect.poll(async () => idsOf(reader)).toEqual(await placesOf(...runs));
    for (let more = 0; more < 3; more += 1) {
      const run = await runOf(session);
      runs.push(run.runId);
      await run.say(3);
      await run.end();
    }
    const all = await placesOf(...runs);
    await expect.poll(() => idsOf(reader)).toEqual(all);
    expect(reader.events.map(dataOf)).toEqual((await Promise.all(runs.map((id) => manager.events(id)))).flat());
    expect(namesOf(reader)).toEqual([]);
    reader.leave();
  });

  it('is told at once of what a run says that was made after it began', async () => {
    const session = newSession();
    await endedRun(session);
    const reader = await openStream(manager, `sessions/${session}/trace`);
    await expect.poll(() => reader.events.length).toBeGreaterThan(5);
    for (let more = 0; more < 5; more += 1) {
      const run = await runOf(session);
      await run.say(1);
      const places = await placesOf(run.runId);
      // Before the stream looks by itself, after five seconds.
      await expect.poll(() => idsOf(reader), { timeout: 4000 }).toEqual(expect.arrayContaining(places) as unknown);
      await run.end();
    }
    reader.leave();
  });

  it('goes on after any place, also at the end of a run and after it', async () => {
    const session = newSession();
    const runs = [await endedRun(session), await endedRun(session), await endedRun(session)];
    const all = await placesOf(...runs);
    for (let at = 0; at < all.length; at += 1) {
      const reader = await openStream(manager, `sessions/${session}/trace?until=idle`, { lastId: all[at] ?? '' });
      await reader.ended;
      expect(idsOf(reader)).toEqual(all.slice(at + 1));
      expect(namesOf(reader)).toEqual(['end']);
    }
  });

  it('has no hole when its reader comes back again and again while runs change', async () => {
    const session = newSession();
    const runs = [await endedRun(session, 1)];
    let expected: string[] | undefined;
    const reading = (async () => {
      const ids: string[] = [];
      let lastId: string | null = null;
      while (ids.length !== expected?.length) {
        const most = 1 + Math.floor(Math.random() * 9);
        const reader: StreamReader = await openStream(manager, `sessions/${session}/trace`, { lastId });
        const isEnough = () => reader.events.length >= most || ids.length + reader.events.length === expected?.length;
        await expect.poll(isEnough, { interval: 2, timeout: 15_000 }).toBe(true);
        reader.leave();
        await reader.ended;
        ids.push(...idsOf(reader).map(String));
        lastId = reader.lastId;
      }
      return ids;
    })();
    for (let more = 0; more < 12; more += 1) runs.push(await endedRun(session, 1 + (more % 4)));
    expected = await placesOf(...runs);
    expect(await reading).toEqual(expected);
  }, 60_000);

  it('with output leaves out what a person does not read, and goes on after it', async () => {
    const session = newSession();
    const run = await runOf(session);
    const { turnId: commandId } = run;
    await run.runner.append([
      { type: 'reasoning', payload: { commandId, text: 'hm' } },
      { type: 'assistant_message', payload: { commandId, text: 'yes' } },
      { type: 'usage', payload: { commandId } },
    ]);
    await run.end();
    const reader = await openStream(manager, `sessions/${session}/output?until=idle`);
    await reader.ended;
    const types = reader.events.filter(({ event }) => event === undefined).map((event) => dataOf(event)['type']);
    expect(types).toEqual(['user_message', 'assistant_message', 'terminal_status']);
    const again = await openStream(manager, `sessions/${session}/output?until=idle`, { lastId: reader.lastId });
    await again.ended;
    expect(idsOf(again)).toEqual([]);
  });

  it('until idle ends with the turn, once, and nothing comes after it', async () => {
    const session = newSession();
    const run = await runOf(session);
    const reader = await openStream(manager, `sessions/${session}/trace?until=idle`);
    await run.say(3);
    await expect.poll(() => reader.events.length).toBeGreaterThan(5);
    await run.runner.report(run.turnId);
    await reader.ended;
    expect(namesOf(reader)).toEqual(['end']);
    expect(reader.events.at(-1)?.event).toBe('end');
    expect(dataOf(reader.events.at(-2) ?? { data: '{}' })['payload']).toMatchObject({ phase: 'command-terminal' });
    expect(dataOf(reader.events.at(-1) ?? { data: '{}' })).toEqual({ sessionId: session, place: reader.lastId });
    await run.end();
  });

  it('until idle of a session without a run ends at once', async () => {
    const session = newSession();
    await manager.ask('POST', 'sessions', { sessionId: session, tenantId: 'tenant', projectId: 'project' });
    const reader = await openStream(manager, `sessions/${session}/trace?until=idle`);
    await reader.ended;
    expect(reader.events.map(({ event }) => event)).toEqual(['end']);
  });

  it('says that there is a gap when the run of the last id was deleted because of its age', async () => {
    const session = newSession();
    const old = await endedRun(session);
    const [lastId = ''] = (await placesOf(old)).slice(2);
    const follower = await openStream(manager, `sessions/${session}/trace`);
    await expect.poll(async () => idsOf(follower)).toEqual(await placesOf(old));
    await deleteOldRuns(manager.running.serving.pool, 0, 1000);
    const run = await runOf(session);
    await run.say(2);
    const reader = await openStream(manager, `sessions/${session}/trace`, { lastId });
    const places = await placesOf(run.runId);
    await expect.poll(() => idsOf(reader)).toEqual(places);
    expect(reader.events[0]).toMatchObject({
      event: 'gap',
      data: JSON.stringify({ after: lastId, reason: 'retention' }),
    });
    expect(namesOf(reader)).toEqual(['gap']);
    // One that was connected all the time has missed nothing but is told as well.
    await expect.poll(() => idsOf(follower).slice(-places.length)).toEqual(places);
    reader.leave();
    follower.leave();
    await run.end();
  });

  it.each([
    ['a place of another session', 'OTHER.1', 400],
    ['what is no place', '12', 400],
  ])('is refused for %s', async (_what, lastId, status) => {
    const [session, other] = [newSession(), newSession()];
    await endedRun(session);
    const id = lastId.replace('OTHER', await endedRun(other));
    const reader = await openStream(manager, `sessions/${session}/trace`, { lastId: id });
    expect(reader.response.statusCode).toBe(status);
  });

  it('is refused for a session that is not there', async () => {
    expect((await openStream(manager, 'sessions/sess_nobody/trace')).response.statusCode).toBe(404);
  });
});

describe('the runs of a session', () => {
  it('that are asked for at once are in the order in which they were made, and none is missed', async () => {
    const session = newSession();
    const reader = await openStream(manager, `sessions/${session}/trace`).catch(() => undefined);
    expect(reader?.response.statusCode).toBe(404);
    await endedRun(session);
    const follower = await openStream(manager, `sessions/${session}/trace`);
    await Promise.all(Array.from({ length: 12 }, () => manager.createRun({ sessionRef: { sessionId: session } })));
    const { items } = await manager.ask<{ items: { id: string }[] }>('GET', `runs?sessionId=${session}&limit=100`);
    expect(items).toHaveLength(13);
    const all = await placesOf(...items.map(({ id }) => id).reverse());
    await expect.poll(() => idsOf(follower)).toEqual(all);
    follower.leave();
  });
});
