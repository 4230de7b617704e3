import { EVENT_TYPES, type EventInput } from '@agentrun/lib/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';
import { delta, eventScenes } from './event-scenes.ts';
import { refusedPlace, underWay } from './scenes.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await testManager();
});
afterAll(() => manager.stop());

const deltas = (count: number, first = 1) => Array.from({ length: count }, (_, index) => delta(`${first + index}`));
const { texts, assertGapless } = eventScenes(() => manager);

describe('an append', () => {
  it('stores a batch in its order with one range of numbers', async () => {
    const { runId, runner } = await underWay(manager);
    const { lastSeq } = await manager.run(runId);
    expect((await runner.append(deltas(500), 1)).data).toEqual({
      firstSeq: lastSeq + 1,
      lastSeq: lastSeq + 500,
      count: 500,
    });
    expect(await texts(runId)).toEqual(deltas(500).map(({ payload }) => payload?.['text']));
    await assertGapless(runId);
  });

  it('takes one event in the single form, and gives it a payload when it has none', async () => {
    const { runId, runner } = await underWay(manager);
    const path = `runs/${runId}/events`;
    const first = await runner.send('POST', path, { type: 'usage' });
    expect(first).toMatchObject({ status: 200, data: { count: 1 } });
    await runner.send('POST', path, { type: 'warning', payload: { message: 'm' } });
    expect((await manager.events(runId)).slice(-2)).toMatchObject([
      { type: 'usage', payload: {} },
      { type: 'warning', payload: { message: 'm' } },
    ]);
    expect(first.data['firstSeq']).toBe(first.data['lastSeq']);
  });

  it('without a number always appends, and the numbers go on from there', async () => {
    const { runId, runner } = await underWay(manager);
    await runner.append(deltas(2));
    await runner.append(deltas(2));
    expect(await texts(runId)).toEqual(['1', '2', '1', '2']);
    expect((await runner.append(deltas(1, 5), 5)).data.count).toBe(1);
  });

  it('knows every type of the contract, and no other', async () => {
    const { runId, runner } = await underWay(manager);
    const allowed = EVENT_TYPES.filter((type) => type !== 'terminal_status');
    expect((await runner.append(allowed.map((type) => ({ type })))).data.count).toBe(allowed.length);
    expect(await runner.send('POST', `runs/${runId}/events`, { type: 'thought' })).toMatchObject({
      status: 400,
      error: { details: { errors: [{ path: 'body.type' }] } },
    });
  });

  it.each([
    [{}, 'body'],
    [{ events: [] }, 'body.events'],
    [{ type: 'usage', events: [{ type: 'usage' }] }, 'body'],
    [{ events: Array.from({ length: 501 }, () => ({ type: 'usage' })) }, 'body.events'],
    [{ events: [{ type: 'usage' }, { type: 'usage', seq: 1 }] }, 'body.events[1].seq'],
    [{ events: [{ payload: {} }] }, 'body.events[0].type'],
    [{ type: 'usage', payload: [] }, 'body.payload'],
  ])('refuses %#: the field is named', async (body, path) => {
    const { runId, runner } = await underWay(manager);
    const { status, error } = await runner.send('POST', `runs/${runId}/events`, body);
    expect(status).toBe(400);
    expect(refusedPlace(error)).toBe(path);
  });

  it('refuses what the manager alone writes, all of the batch', async () => {
    const { runId, runner } = await underWay(manager);
    const before = (await manager.run(runId)).lastSeq;
    const forged: EventInput[] = [
      { type: 'terminal_status' },
      { type: 'backend_status', payload: { phase: 'command-terminal' } },
    ];
    for (const event of forged) {
      expect(await runner.append([delta('x'), event], 1)).toMatchObject({
        status: 400,
        failureKind: 'schema-invalid',
        error: { details: { errors: [{ path: 'body.events[1].type' }] } },
      });
      expect(await runner.send('POST', `runs/${runId}/events`, event)).toMatchObject({
        status: 400,
        error: { details: { errors: [{ path: 'body.type' }] } },
      });
    }
    expect((await manager.run(runId)).lastSeq).toBe(before);
  });
});

describe('an append that is sent again', () => {
  it('is known wholly: nothing is stored twice', async () => {
    const { runId, runner } = await underWay(manager);
    await runner.append(deltas(3), 1);
    const { lastSeq } = await manager.run(runId);
    expect((await runner.append(deltas(3), 1)).data).toEqual({ firstSeq: null, lastSeq, count: 0, duplicate: true });
    expect((await runner.append(deltas(1, 2), 2)).data).toMatchObject({ duplicate: true });
    expect(await texts(runId)).toEqual(['1', '2', '3']);
  });

  it('is known in part: its tail is stored', async () => {
    const { runId, runner } = await underWay(manager);
    await runner.append(deltas(3), 1);
    const { lastSeq } = await manager.run(runId);
    expect((await runner.append(deltas(4, 2), 2)).data).toEqual({
      firstSeq: lastSeq + 1,
      lastSeq: lastSeq + 2,
      count: 2,
    });
    expect(await texts(runId)).toEqual(['1', '2', '3', '4', '5']);
    await assertGapless(runId);
  });

  it('begins beyond what is known: a gap, with the number that is expected', async () => {
    const { runId, runner } = await underWay(manager);
    await runner.append(deltas(3), 1);
    expect(await runner.append(deltas(1, 5), 5)).toMatchObject({
      status: 409,
      failureKind: 'event-gap',
      error: { details: { expected: 4, received: 5 } },
    });
    expect(await runner.append(deltas(1), 2_147_483_647)).toMatchObject({ status: 409, failureKind: 'event-gap' });
    for (const seq of ['0', '-1', '1.5', 'x', '2147483648', '9'.repeat(30)]) {
      const answer = await runner.send('POST', `runs/${runId}/events`, { events: deltas(1) }, { 'producer-seq': seq });
      expect(answer).toMatchObject({ status: 400, failureKind: 'schema-invalid' });
    }
    expect(await texts(runId)).toEqual(['1', '2', '3']);
  });

  it('counts anew in each epoch', async () => {
    const { runId, runner } = await underWay(manager);
    await runner.append(deltas(3), 1);
    await runner.claim();
    expect((await runner.append(deltas(2, 4), 1)).data.count).toBe(2);
    expect(await texts(runId)).toEqual(['1', '2', '3', '4', '5']);
  });

  it('at once with itself many times is stored once', async () => {
    const { runId, runner } = await underWay(manager);
    const answers = await Promise.all(Array.from({ length: 12 }, () => runner.append(deltas(20), 1)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(answers.filter(({ data }) => data.count === 20)).toHaveLength(1);
    expect(await texts(runId)).toHaveLength(20);
    await assertGapless(runId);
  });

  it('beside writes of everybody else leaves no hole in the log', async () => {
    const { runId, runner, turn } = await underWay(manager);
    await Promise.all([
      ...Array.from({ length: 20 }, () => runner.append(deltas(5))),
      ...Array.from({ length: 10 }, (_, index) => manager.turn(runId, `turn ${index}`)),
      runner.beat(),
      manager.ask('POST', `commands/${turn.id}/cancel`),
      runner.report(turn.id),
    ]);
    await assertGapless(runId);
  });
});

describe('events of an attempt that does not hold the run', () => {
  it('are refused after its lease was taken up anew, and after the end', async () => {
    const { runId, runner } = await underWay(manager);
    const former = runner.epoch;
    await runner.claim();
    const late = await runner.send(
      'POST',
      `runs/${runId}/events`,
      { events: deltas(1) },
      { 'runner-epoch': String(former) },
    );
    expect(late).toMatchObject({
      status: 403,
      failureKind: 'lease-fenced',
      error: { details: { currentEpoch: former + 1, yourEpoch: former } },
    });
    await runner.finish('failed');
    expect(await runner.append(deltas(1))).toMatchObject({ status: 403, failureKind: 'lease-fenced' });
    expect((await manager.events(runId)).at(-1)?.type).toBe('terminal_status');
  });

  it('are stored as late where the lane permits that, and nothing else is', async () => {
    const lax = await testManager({ config: { lateWriteFencingEnabled: false } });
    try {
      const { runId, runner, turn } = await underWay(lax);
      const former = runner.epoch;
      await runner.claim();
      const old = { 'runner-epoch': String(former) };
      expect(await runner.send('POST', `runs/${runId}/events`, { events: deltas(2) }, old)).toMatchObject({
        status: 200,
        data: { count: 2 },
      });
      const events = await lax.events(runId);
      expect(events.slice(-2)).toMatchObject([
        { late: true, epoch: former, payload: { text: '1' } },
        { late: true, epoch: former, payload: { text: '2' } },
      ]);
      expect(
        await runner.send('PATCH', `commands/${turn.id}/status`, { terminalStatus: 'completed' }, old),
      ).toMatchObject({ status: 403 });
      await runner.finish('failed');
      expect(await runner.send('POST', `runs/${runId}/events`, { events: deltas(1) }, old)).toMatchObject({
        status: 403,
      });
    } finally {
      await lax.stop();
    }
  });
});

describe('the list of events', () => {
  it('has 100 unless it is told otherwise, in order, after a number', async () => {
    const { runId, runner } = await underWay(manager);
    await runner.append(deltas(300), 1);
    const list = async (query: string) =>
      (await manager.ask<{ items: { seq: number }[] }>('GET', `runs/${runId}/events${query}`)).items.map(
        ({ seq }) => seq,
      );
    const range = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);
    expect(await list('')).toEqual(range(1, 100));
    expect(await list('?limit=')).toEqual(range(1, 100));
    expect(await list('?afterSeq=100&limit=3')).toEqual(range(101, 3));
    expect(await list('?afterSeq=2147483647')).toEqual([]);
    for (const query of [
      'limit=0',
      'limit=501',
      'limit=abc',
      'limit=-1',
      'afterSeq=-1',
      'afterSeq=2147483648',
      'afterSeq=1e3x',
      'after=1',
    ]) {
      expect(await manager.request('GET', `runs/${runId}/events?${query}`)).toMatchObject({
        status: 400,
        failureKind: 'schema-invalid',
      });
    }
    expect(await manager.request('GET', 'runs/run_none/events')).toMatchObject({
      status: 404,
      failureKind: 'not-found',
    });
  });
});
