import { setTimeout as sleep } from 'node:timers/promises';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RunTails } from '../../../manager/src/live/run-tails.ts';
import { createWakeups } from '../../../manager/src/live/wakeups.ts';
import { FakeRun, type Reader, range, readerOf, TIMES } from './fake-run.ts';

/** What happens to a run and its readers, step by step. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('append' as const), count: fc.integer({ min: 1, max: 150 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('join' as const),
      back: fc.integer({ min: 0, max: 400 }),
      slow: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('leave' as const), which: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('trouble' as const), reads: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pause' as const), ms: fc.integer({ min: 0, max: 3 }) }) },
);

describe('whatever happens', () => {
  it('every reader has gotten all events after its number, each once and in order, when the run has ended', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 30 }),
        fc.infiniteStream(fc.nat(9)),
        fc.boolean(),
        async (steps, dice, loseNews) => {
          const roll = () => dice.next().value ?? 0;
          const run = new FakeRun();
          const wakeups = createWakeups();
          // Where no news is lost nobody needs to look by himself.
          const lookMs = loseNews ? TIMES.lookMs : 600_000;
          const tails = new RunTails(run.read, wakeups, { ...TIMES, lookMs });
          let faults = 0;
          run.delay = () => (roll() < 3 ? sleep(0) : Promise.resolve());
          run.fault = () => (faults-- > 0 ? new Error('the connection was reset') : undefined);
          run.textOf = (seq) => `${seq};`.padStart(seq % 97 === 0 ? 5000 : 10, '0');
          const wake = () => {
            if (!loseNews || roll() > 2) wakeups.wake('run');
          };
          const readers: (Reader & { from: number; left: boolean; broke: boolean })[] = [];
          for (const each of steps) {
            if (each.do === 'append') {
              run.append(each.count);
              wake();
            } else if (each.do === 'join') {
              const from = Math.max(0, run.events.length - each.back);
              const slow = async () => {
                if (each.slow) await sleep(roll() % 3);
                return true;
              };
              const reader = { ...readerOf(tails, from, slow), from, left: false, broke: false };
              // A reader that is behind sees trouble at once, and comes back with its number.
              reader.done.catch(() => {
                reader.broke = true;
              });
              readers.push(reader);
            } else if (each.do === 'leave') {
              const reader = readers[each.which % Math.max(1, readers.length)];
              if (reader !== undefined) reader.left = true;
              reader?.leave();
            } else if (each.do === 'trouble') faults = each.reads;
            else await sleep(each.ms);
          }
          run.ended = true;
          wake();
          await Promise.allSettled(readers.map(({ done }) => done));
          for (const { from, seqs, left, broke } of readers) {
            const last = left || broke ? (seqs.at(-1) ?? from) : run.events.length;
            expect(seqs).toEqual(range(from + 1, last));
          }
          expect([tails.size, wakeups.listening]).toEqual([0, 0]);
        },
      ),
      { numRuns: process.env['AGENTRUN_TEST_LONG'] === '1' ? 3000 : 150 },
    );
  }, 120_000);
});
