import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { chattyRun } from './chatty-run.ts';
import { dataOf, openStream, type StreamReader } from './stream-reader.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await testManager();
});
afterAll(() => manager.stop());

const idsOf = ({ events }: StreamReader) => events.map(({ id }) => id);
const pathOf = (runId: string, query = '') => `runs/${runId}/events${query}`;

/** What is left of readers. */
const left = () => {
  const { serving, app } = manager.running;
  return [serving.tails.size, app.streams.size];
};

describe('the stream of a run', () => {
  it('gives what is stored, then what comes, each with its number as id, and ends once with the run', async () => {
    const run = await chattyRun(manager);
    await run.say(250);
    const reader = await openStream(manager, pathOf(run.runId));
    expect(reader.response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    await expect.poll(() => reader.events.length).toBeGreaterThan(250);
    for (let more = 0; more < 10; more += 1) await run.say(7);
    await run.end();
    await reader.ended;

    const stored = await manager.events(run.runId);
    expect(reader.events.slice(0, -1).map(dataOf)).toEqual(stored);
    expect(idsOf(reader).slice(0, -1)).toEqual(stored.map(({ seq }) => String(seq)));
    const last = stored.at(-1)?.seq ?? 0;
    expect(reader.events.at(-1)).toEqual({
      id: String(last),
      event: 'end',
      data: JSON.stringify({ runId: run.runId, lastSeq: last }),
    });
    expect(reader.events.filter(({ event }) => event !== undefined)).toHaveLength(1);
    expect(reader.response.complete).toBe(true);
    await expect.poll(left).toEqual([0, 0]);
  });

  it('of a run that ended before is whole, and ends', async () => {
    const run = await chattyRun(manager);
    await run.say(3);
    await run.end();
    const reader = await openStream(manager, pathOf(run.runId));
    await reader.ended;
    expect(reader.events.slice(0, -1).map(dataOf)).toEqual(await manager.events(run.runId));
    expect(reader.events.at(-1)?.event).toBe('end');

    const again = await openStream(manager, pathOf(run.runId), { lastId: reader.lastId });
    await again.ended;
    expect(again.events.map(({ event, id }) => [event, id])).toEqual([['end', reader.lastId]]);
  });

  it('begins after the last id, else after afterSeq', async () => {
    const run = await chattyRun(manager);
    await run.say(20);
    await run.end();
    const first = async (query: string, lastId: string | null) => {
      const reader = await openStream(manager, pathOf(run.runId, query), { lastId });
      await reader.ended;
      return reader.events[0]?.id;
    };
    expect(await first('?afterSeq=11', null)).toBe('12');
    expect(await first('', '4')).toBe('5');
    expect(await first('?afterSeq=11', '4')).toBe('5');
  });

  it('holds long events of every kind of text', async () => {
    const run = await chattyRun(manager);
    const text = 'ä"\\\n\r\n\u2028\u2029😀data: x\n\nid: 9\n'.repeat(2000);
    await run.runner.append([{ type: 'assistant_message', payload: { commandId: run.turnId, text } }], 1);
    await run.end();
    const reader = await openStream(manager, pathOf(run.runId));
    await reader.ended;
    expect(reader.events.slice(0, -1).map(dataOf)).toEqual(await manager.events(run.runId));
    const said = reader.events.map(dataOf).find(({ type }) => type === 'assistant_message');
    expect(said?.['payload']).toMatchObject({ text });
  });

  it.each([
    ['a run that is not there', 'runs/run_nobody/events', null, 404],
    ['an id that no stream has given', 'runs/RUN/events', 'x.7', 400],
    ['a number that is none', 'runs/RUN/events?afterSeq=-1', null, 400],
  ])('is refused as a problem for %s', async (_what, path, lastId, status) => {
    const { id } = await manager.createRun();
    const { response } = await openStream(manager, path.replace('RUN', id), { lastId });
    expect(response.statusCode).toBe(status);
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
  });

  it('answers HEAD with its headers, and follows nothing', async () => {
    const run = await chattyRun(manager);
    const reader = await openStream(manager, pathOf(run.runId), { method: 'HEAD' });
    await reader.ended;
    expect(reader.response.statusCode).toBe(200);
    expect(reader.response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    await expect.poll(left).toEqual([0, 0]);
    expect(manager.log.filter((line) => line.includes('broke off'))).toEqual([]);
    await run.end();
  });

  it('is closed with its last id when the run is deleted', async () => {
    const run = await chattyRun(manager);
    const reader = await openStream(manager, pathOf(run.runId));
    await expect.poll(() => reader.events.length).toBeGreaterThan(3);
    const { lastId } = reader;
    await run.runner.finish('failed');
    reader.leave();
    const late = await openStream(manager, pathOf(run.runId), { lastId });
    await late.ended;
    expect(late.events.at(-1)?.event).toBe('end');
    await run.end();
    await manager.running.serving.pool.query('DELETE FROM agentrun_runs WHERE id = $1', [run.runId]);
    expect((await openStream(manager, pathOf(run.runId), { lastId })).response.statusCode).toBe(404);

    const open = await chattyRun(manager);
    const follower = await openStream(manager, pathOf(open.runId));
    await expect.poll(() => follower.events.length).toBeGreaterThan(3);
    const seen = follower.lastId;
    await manager.running.serving.pool.query('DELETE FROM agentrun_runs WHERE id = $1', [open.runId]);
    manager.running.serving.wakeups.wake(open.runId);
    await follower.ended;
    expect(follower.events.at(-1)).toMatchObject({ event: 'close' });
    expect(dataOf(follower.events.at(-1) ?? { data: '{}' })).toEqual({ reason: 'failed', lastId: seen });
    await open.end();
  });
});

describe('a manager that stops', () => {
  it('closes the streams with their last ids, and another one goes on', async () => {
    const stopping = await testManager({ database: manager.database, withoutDuties: true });
    const run = await chattyRun(manager);
    await run.say(10);
    const reader = await openStream(stopping, pathOf(run.runId));
    await expect.poll(() => reader.events.length).toBeGreaterThan(10);
    const { lastId } = reader;
    await stopping.stop();
    await reader.ended;
    expect(reader.retries.at(-1)).toBe(1000);
    expect(reader.events.at(-1)?.event).toBe('close');
    expect(dataOf(reader.events.at(-1) ?? { data: '{}' })).toEqual({ reason: 'drain', lastId });
    await run.say(2);
    await run.end();
    const next = await openStream(manager, pathOf(run.runId), { lastId });
    await next.ended;
    expect(next.events[0]?.id).toBe(String(Number(lastId) + 1));
  });
});
