import { describe, expect, it } from 'vitest';
import { attemptMembers } from '../../../lib/src/processes/attempt-members.ts';
import type { ProcessEntry } from '../../../lib/src/processes/process-entry.ts';

const plain: ProcessEntry = {
  pid: 0,
  ppid: 1,
  pgid: 1,
  sid: 1,
  startTime: '5',
  ended: false,
  command: 'x',
  marked: false,
};
const of = (pid: number, rest: Partial<ProcessEntry> = {}): ProcessEntry => ({ ...plain, pid, ...rest });
const NOTHING = { known: new Set<string>(), session: null };
const pids = (entries: readonly ProcessEntry[], hints = NOTHING as Parameters<typeof attemptMembers>[1]) =>
  attemptMembers(entries, hints).map(({ pid }) => pid);

describe('the members of an attempt', () => {
  it('are the marked ones', () => {
    expect(pids([of(1), of(10, { marked: true }), of(11)])).toEqual([10]);
  });

  it('are their descendants, in whatever order they are listed', () => {
    expect(pids([of(13, { ppid: 12 }), of(12, { ppid: 10 }), of(10, { marked: true })])).toEqual([10, 12, 13]);
  });

  it('are those in a session or group that one of them leads', () => {
    const leader = of(10, { marked: true, sid: 10, pgid: 10 });
    expect(pids([leader, of(20, { sid: 10 }), of(21, { pgid: 10 }), of(22)])).toEqual([10, 20, 21]);
  });

  it('are not those of a session or group that a stranger leads', () => {
    const shell = of(5, { sid: 5, pgid: 5 });
    expect(pids([shell, of(10, { marked: true, sid: 5, pgid: 5 }), of(11, { sid: 5, pgid: 5 })])).toEqual([10]);
  });

  it('follow a chain of sessions, groups and parents', () => {
    const entries = [
      of(10, { marked: true }),
      of(11, { ppid: 10, sid: 11 }),
      of(12, { sid: 11, pgid: 12 }),
      of(13, { pgid: 12 }),
    ];
    expect(pids(entries)).toEqual([10, 11, 12, 13]);
  });

  it('are those that were known before, by pid and start time', () => {
    const known = new Set(['10@5']);
    expect(pids([of(10)], { known, session: null })).toEqual([10]);
    expect(pids([of(10, { startTime: '6' })], { known, session: null })).toEqual([]);
  });

  it('are those of the session that was made for it, while a marked one is in it', () => {
    const hints = { known: new Set<string>(), session: 9 };
    expect(pids([of(10, { marked: true, sid: 9 }), of(11, { sid: 9 })], hints)).toEqual([10, 11]);
    expect(pids([of(10, { marked: true, pgid: 9, sid: null }), of(11, { pgid: 9, sid: null })], hints)).toEqual([
      10, 11,
    ]);
    expect(pids([of(10, { marked: true }), of(11, { sid: 9 })], hints)).toEqual([10]);
  });

  it('are not zombies, though what a zombie led is', () => {
    const zombie = of(10, { ended: true, sid: 10 });
    expect(pids([zombie, of(11, { sid: 10 })], { known: new Set(['10@5']), session: null })).toEqual([11]);
  });

  it('are never the first process of the system, nor the orphans that it took', () => {
    expect(pids([of(1, { sid: 10 }), of(10, { marked: true, sid: 10 }), of(11, { ppid: 1 })])).toEqual([10]);
  });
});
