import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TurnWatch } from '../../../runner/src/backends/turn-watch.ts';

describe('the deadlines of a turn', () => {
  let over: string[];

  beforeEach(() => {
    over = [];
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  const watch = (turnTimeoutMs: number, idleEventTimeoutMs: number, workMs: () => number | null = () => null) =>
    new TurnWatch({ turnTimeoutMs, idleEventTimeoutMs, workMs, onTimeout: (kind) => over.push(kind) });

  it('are its whole time, whatever the agent says', () => {
    const watched = watch(10_000, 3000);
    for (let at = 0; at < 9000; at += 1000) {
      vi.advanceTimersByTime(1000);
      watched.heard();
    }
    expect(over).toEqual([]);
    vi.advanceTimersByTime(1000);
    expect(over).toEqual(['turn-timeout']);
  });

  it('are the silence of its agent, told once', () => {
    const watched = watch(60_000, 3000);
    vi.advanceTimersByTime(2900);
    watched.heard();
    vi.advanceTimersByTime(2900);
    expect(over).toEqual([]);
    vi.advanceTimersByTime(200);
    expect(over).toEqual(['turn-idle-timeout']);
    vi.advanceTimersByTime(120_000);
    expect(over).toEqual(['turn-idle-timeout']);
  });

  it('take work for no silence, and rest for one', () => {
    let used = 0;
    watch(600_000, 10_000, () => used);
    for (let round = 0; round < 20; round += 1) {
      used += 100;
      vi.advanceTimersByTime(2000);
    }
    expect(over).toEqual([]);
    vi.advanceTimersByTime(25_000);
    expect(over).toEqual(['turn-idle-timeout']);
  });

  it('are off once it is stopped, and as long as a year', () => {
    const watched = watch(31_536_000_000, 31_536_000_000);
    vi.advanceTimersByTime(30_000_000_000);
    expect(over).toEqual([]);
    watched.stop();
    vi.advanceTimersByTime(100_000_000_000);
    expect(over).toEqual([]);
  });
});
