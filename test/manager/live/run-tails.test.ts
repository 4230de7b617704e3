import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Batch } from '../../../manager/src/live/event-window.ts';
import { RunTails } from '../../../manager/src/live/run-tails.ts';
import { createWakeups, type Wakeups } from '../../../manager/src/live/wakeups.ts';
import { FakeRun, range, readerOf, TIMES } from './fake-run.ts';

function setup(run: FakeRun, wakeups: Wakeups = createWakeups()) {
  return { wakeups, tails: new RunTails(run.read, wakeups, TIMES) };
}

describe('the readers of a run', () => {
  it('get what is stored and what comes, and know when the run has ended', async () => {
    const run = new FakeRun();
    run.append(1200);
    const { tails, wakeups } = setup(run);
    const readers = [readerOf(tails, 0), readerOf(tails, 700), readerOf(tails, 1200)];
    await expect.poll(() => readers.map(({ seqs }) => seqs.at(-1))).toEqual([1200, 1200, undefined]);
    run.append(3);
    wakeups.wake('run');
    await expect.poll(() => readers.map(({ seqs }) => seqs.at(-1))).toEqual([1203, 1203, 1203]);
    run.append(1);
    run.ended = true;
    wakeups.wake('run');
    expect(await Promise.all(readers.map(({ done }) => done))).toEqual([true, true, true]);
    expect(readers.map(({ seqs }) => seqs)).toEqual([range(1, 1204), range(701, 1204), range(1201, 1204)]);
    expect([tails.size, wakeups.listening]).toEqual([0, 0]);
  });

  it('share what is read: 200 of them, from the beginning and at the end', async () => {
    const run = new FakeRun();
    run.append(300);
    run.delay = () => sleep(1);
    const { tails, wakeups } = setup(run);
    const readers = range(1, 200).map(() => readerOf(tails, 0));
    await expect.poll(() => readers.every(({ seqs }) => seqs.length === 300)).toBe(true);
    for (let more = 0; more < 20; more += 1) {
      run.append(1);
      wakeups.wake('run');
      await sleep(2);
    }
    run.ended = true;
    wakeups.wake('run');
    await Promise.all(readers.map(({ done }) => done));
    for (const { seqs } of readers) expect(seqs).toEqual(range(1, 320));
    expect(run.reads).toBeLessThan(100);
  });

  it('that are behind what is kept read the store, whatever the size of the events', async () => {
    const run = new FakeRun();
    const filler = 'x'.repeat(60_000);
    run.textOf = (seq) => `${seq};`.padEnd(seq % 7 === 0 ? 300_000 : 20_000, filler).concat('\n');
    const { tails, wakeups } = setup(run);
    const seqs = { fast: [] as number[], slow: [] as number[] };
    const parse = ({ bytes }: Batch) => [...bytes.toString().matchAll(/^(\d+);/gm)].map(([, seq]) => Number(seq));
    const signal = new AbortController().signal;
    const fast = tails.follow('run', 0, signal, async (batch) => seqs.fast.push(...parse(batch)) > 0);
    const slow = tails.follow('run', 0, signal, async (batch) => {
      await sleep(3);
      return seqs.slow.push(...parse(batch)) > 0;
    });
    for (let more = 0; more < 60; more += 1) {
      run.append(1 + (more % 5));
      wakeups.wake('run');
      if (more % 3 === 0) await sleep(1);
    }
    run.ended = true;
    wakeups.wake('run');
    expect(await Promise.all([fast, slow])).toEqual([true, true]);
    expect(seqs.fast).toEqual(range(1, 180));
    expect(seqs.slow).toEqual(range(1, 180));
  });

  it('do not miss what nobody woke them for', async () => {
    const run = new FakeRun();
    const { tails } = setup(run);
    const reader = readerOf(tails, 0);
    await sleep(5);
    run.append(2);
    await expect.poll(() => reader.seqs).toEqual([1, 2]);
    run.ended = true;
    expect(await reader.done).toBe(true);
  });

  it('that leave or take no more end at once, and the last one ends the tail', async () => {
    const run = new FakeRun();
    run.append(1);
    const { tails, wakeups } = setup(run);
    const readers = [readerOf(tails, 0), readerOf(tails, 1), readerOf(tails, 0, () => Promise.resolve(false))];
    expect(await readers[2]?.done).toBe(false);
    readers[1]?.leave();
    expect(await readers[1]?.done).toBe(false);
    expect(tails.size).toBe(1);
    readers[0]?.leave();
    expect(await readers[0]?.done).toBe(false);
    expect([tails.size, wakeups.listening]).toEqual([0, 0]);
  });

  it('are told what came while they read that there is nothing', async () => {
    const run = new FakeRun();
    run.append(1);
    let answer = () => {};
    const late = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const nothing = { events: [], ended: false, lastSeq: 0 };
    let reads = 0;
    const read = async (...asked: Parameters<typeof run.read>) => {
      reads += 1;
      // How far the run is, before the event came; and what the reader reads at that time, but learns later.
      if (reads === 1) return nothing;
      if (reads === 2) return await late.then(() => nothing);
      return await run.read(...asked);
    };
    const tails = new RunTails(read, createWakeups(), { ...TIMES, lookMs: 600_000 });
    const reader = readerOf(tails, 0);
    await expect.poll(() => reads).toBe(3);
    answer();
    await expect.poll(() => reader.seqs).toEqual([1]);
    reader.leave();
    expect(await reader.done).toBe(false);
  });

  it('that left before they began ask nothing', async () => {
    const run = new FakeRun();
    const { tails } = setup(run);
    expect(await tails.follow('run', 0, AbortSignal.abort(), () => Promise.resolve(true))).toBe(false);
    expect(run.reads).toBe(0);
  });

  it('that leave while the store is read are gone when it answers', async () => {
    const run = new FakeRun();
    const { tails, wakeups } = setup(run);
    let answer = () => {};
    run.delay = () => new Promise<void>((resolve) => (answer = resolve));
    const reader = readerOf(tails, 0);
    reader.leave();
    run.delay = () => Promise.resolve();
    answer();
    expect(await reader.done).toBe(false);
    expect([tails.size, wakeups.listening]).toEqual([0, 0]);
  });
});

describe('a store that fails', () => {
  const gone = () => Object.assign(new Error('there is no run'), { kind: 'not-found' });

  it('for a while holds readers at the end up, and nothing is lost', async () => {
    const run = new FakeRun();
    const { tails, wakeups } = setup(run);
    const reader = readerOf(tails, 0);
    await expect.poll(() => run.reads).toBeGreaterThan(2);
    run.fault = () => new Error('the database is starting');
    run.append(3);
    wakeups.wake('run');
    await sleep(20);
    expect(reader.seqs).toEqual([]);
    run.fault = () => undefined;
    run.ended = true;
    expect(await reader.done).toBe(true);
    expect(reader.seqs).toEqual([1, 2, 3]);
  });

  it('fails the readers of a run that is gone, those that wait and one that is about to', async () => {
    const run = new FakeRun();
    run.append(1);
    const { tails, wakeups } = setup(run);
    let go = () => {};
    const busy = readerOf(tails, 0, () => new Promise((resolve) => (go = () => resolve(true))));
    const waiting = readerOf(tails, 1);
    await expect.poll(() => busy.seqs).toEqual([1]);
    run.fault = gone;
    wakeups.wake('run');
    await expect(waiting.done).rejects.toThrow('there is no run');
    go();
    await expect(busy.done).rejects.toThrow('there is no run');
    expect([tails.size, wakeups.listening]).toEqual([0, 0]);
  });

  it('does not keep a later reader from following', async () => {
    const run = new FakeRun();
    const { tails, wakeups } = setup(run);
    const busy = readerOf(tails, 0, () => new Promise(() => {}));
    run.append(1);
    wakeups.wake('run');
    await expect.poll(() => busy.seqs).toEqual([1]);
    const waiting = readerOf(tails, 1);
    run.fault = gone;
    wakeups.wake('run');
    await expect(waiting.done).rejects.toThrow();
    run.fault = () => undefined;
    const later = readerOf(tails, 0);
    await expect.poll(() => later.seqs).toEqual([1]);
    run.ended = true;
    wakeups.wake('run');
    expect(await later.done).toBe(true);
  });

  it('for long fails the readers in the end', async () => {
    const run = new FakeRun();
    const { tails, wakeups } = setup(run);
    const reader = readerOf(tails, 0);
    await expect.poll(() => run.reads).toBeGreaterThan(2);
    run.fault = () => new Error('no database');
    await expect(reader.done).rejects.toThrow('no database');
    expect([tails.size, wakeups.listening]).toEqual([0, 0]);
  });
});
