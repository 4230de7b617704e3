import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isWriterGone, newMark, ownWriter, writerOfMark } from '../../../lib/src/output/writer.ts';

const HOUR_MS = 3_600_000;

describe('the mark of a writer', () => {
  it('names this process and is new each time', () => {
    expect(writerOfMark(newMark())).toEqual(ownWriter());
    expect(ownWriter().pid).toBe(process.pid);
    expect(newMark()).not.toBe(newMark());
  });

  it.each(['', 'x', '01234567-1-2', '01234567-0-2-01234567', '0123456g-1-2-01234567', '01234567-1-2-01234567-x'])(
    'is not read from %j',
    (text) => expect(writerOfMark(text)).toBeNull(),
  );
});

describe('isWriterGone', () => {
  it('is false for this process, however old the mark', () => {
    expect(isWriterGone(ownWriter(), 0)).toBe(false);
    if (ownWriter().start !== 0) expect(isWriterGone(ownWriter(), 100 * HOUR_MS)).toBe(false);
  });

  it('is true for a process that has ended', async () => {
    const child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' });
    const { pid = 0 } = child;
    await once(child, 'exit');
    expect(isWriterGone({ ...ownWriter(), pid }, 0)).toBe(true);
  });

  it.skipIf(!existsSync('/proc/self/stat'))('is true when the process id was given to another process', () => {
    expect(isWriterGone({ ...ownWriter(), start: ownWriter().start + 1 }, 0)).toBe(true);
  });

  it('goes by age for another machine, and where the start time is not known', () => {
    const foreign = { ...ownWriter(), host: '00000000' };
    expect([1000, HOUR_MS + 1].map((age) => isWriterGone(foreign, age))).toEqual([false, true]);
    expect([1000, 61_000].map((age) => isWriterGone(foreign, age, 60_000))).toEqual([false, true]);
    const unknown = { ...ownWriter(), start: 0 };
    expect([1000, HOUR_MS + 1].map((age) => isWriterGone(unknown, age))).toEqual([false, true]);
  });
});
