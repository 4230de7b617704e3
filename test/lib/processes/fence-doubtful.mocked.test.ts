import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fence } from '../../../lib/src/processes/index.ts';
import type { Listing, ProcessEntry } from '../../../lib/src/processes/process-entry.ts';

// What a real system does too seldom to wait for: a process that does not die, a pid that changes hands in between.
const source = vi.hoisted(() => ({
  bootId: () => 'boot',
  find: () => null,
  list: vi.fn<(mark: string, found: (entry: ProcessEntry) => void) => Promise<Listing>>(),
  isStill: vi.fn<(entry: ProcessEntry, mark: string) => boolean>(),
}));
vi.mock('../../../lib/src/processes/process-source.ts', () => ({ processSource: source }));

const agent: ProcessEntry = {
  pid: 4711,
  ppid: 1,
  pgid: 4711,
  sid: 4711,
  startTime: '100',
  ended: false,
  command: 'agent',
  marked: true,
};
const shows = (entries: readonly ProcessEntry[], couldNotLook: string | null = null): void => {
  source.list.mockImplementation((_mark, found) => {
    for (const entry of entries) found(entry);
    return Promise.resolve({ entries, couldNotLook, passing: false });
  });
};

let signals: string[];
let answer: (signal: string) => void;

beforeEach(() => {
  signals = [];
  answer = () => {};
  source.isStill.mockReset().mockReturnValue(true);
  vi.spyOn(process, 'kill').mockImplementation((pid, signal) => {
    answer(String(signal));
    signals.push(`${signal} ${pid}`);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

const refuse = (code: string): never => {
  throw Object.assign(new Error(code), { code });
};

describe('fence', () => {
  it('names a process that does not die, at the deadline', async () => {
    shows([agent]);
    const result = await fence('att_1', { deadlineMs: 50 });
    expect(result).toMatchObject({ gone: false, couldNotLook: null, survivors: [{ pid: 4711, command: 'agent' }] });
    expect(result.killed).toBe(0);
    expect(signals).toContain('SIGKILL 4711');
  });

  it('gives up at once when it may signal none of them', async () => {
    shows([agent]);
    answer = () => refuse('EPERM');
    const result = await fence('att_1', { deadlineMs: 3_600_000 });
    expect(result).toMatchObject({ gone: false, survivors: [{ pid: 4711, command: 'agent' }], rounds: 1 });
  });

  it('makes a full round even without time', async () => {
    shows([agent]);
    answer = (signal) => {
      if (signal === 'SIGKILL') shows([]);
    };
    expect(await fence('att_1', { deadlineMs: 0 })).toEqual({ gone: true, killed: 1, rounds: 1 });
  });

  it('never signals a pid that is another process by now', async () => {
    shows([agent]);
    source.isStill.mockReturnValue(false);
    await fence('att_1', { deadlineMs: 30 });
    expect(signals).toEqual([]);
  });

  it('lets a process go on that it stopped by mistake, and does not kill it', async () => {
    shows([agent]);
    // Still the agent when it is about to be stopped; another one right after.
    source.isStill.mockReturnValueOnce(true).mockReturnValue(false);
    await fence('att_1', { deadlineMs: 30 });
    expect(signals).toEqual(['SIGSTOP 4711', 'SIGCONT 4711']);
  });

  it('stops all of them before it kills the first', async () => {
    const child = { ...agent, pid: 4712, ppid: 4711, marked: false };
    let looks = 0;
    source.list.mockImplementation(() => {
      looks += 1;
      const entries = signals.some((signal) => signal.startsWith('SIGKILL'))
        ? []
        : looks < 2
          ? [agent]
          : [agent, child];
      return Promise.resolve({ entries, couldNotLook: null, passing: false });
    });
    expect(await fence('att_1', { deadlineMs: 5000 })).toEqual({ gone: true, killed: 2, rounds: 1 });
    expect(signals).toEqual(['SIGSTOP 4711', 'SIGSTOP 4712', 'SIGKILL 4711', 'SIGKILL 4712']);
  });

  it('needs two looks in a row that find nothing', async () => {
    const found = [[], [agent], [agent], [], [], []];
    source.list.mockImplementation(() =>
      Promise.resolve({ entries: found.shift() ?? [], couldNotLook: null, passing: false }),
    );
    expect(await fence('att_1', { deadlineMs: 5000 })).toEqual({ gone: true, killed: 1, rounds: 1 });
    expect(found).toHaveLength(1);
  });

  it('does not count a look that may have missed a process, and looks again', async () => {
    const clean: Listing = { entries: [], couldNotLook: null, passing: false };
    const blind: Listing = { entries: [], couldNotLook: 'too many open files', passing: true };
    const looks = [clean, blind, blind, clean, clean, clean];
    source.list.mockImplementation(() => Promise.resolve(looks.shift() ?? clean));
    expect(await fence('att_1', { deadlineMs: 5000 })).toEqual({ gone: true, killed: 0, rounds: 0 });
    expect(looks).toHaveLength(1);
  });

  it.each([
    ['at the deadline when it may pass', 50, true],
    ['at once when it stays so', 3_600_000, false],
  ])('never says gone while it cannot look: %s', async (_when, deadlineMs, passing) => {
    source.list.mockResolvedValue({ entries: [], couldNotLook: 'it is dark', passing });
    const result = await fence('att_1', { deadlineMs });
    expect(result).toEqual({ gone: false, survivors: [], couldNotLook: 'it is dark', killed: 0, rounds: 0 });
  });

  it('never signals itself, though it carries the mark', async () => {
    shows([{ ...agent, pid: process.pid, pgid: process.pid, sid: process.pid }]);
    expect(await fence('att_1', { deadlineMs: 1000 })).toEqual({ gone: true, killed: 0, rounds: 0 });
    expect(signals).toEqual([]);
  });
});
