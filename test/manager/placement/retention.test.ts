import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { choose, type RetainedAttempt, type RetentionPolicy } from '../../../manager/src/placement/retention.ts';

const NOW = new Date('2026-11-20T12:00:00Z');
const HOUR = 3_600_000;
const ago = (ms: number): Date => new Date(NOW.getTime() - ms);

const POLICY: RetentionPolicy = {
  maxRunners: 2,
  cleanupOrder: 'oldest-inactive-last-active-first',
  activeHeartbeatMaxAgeMs: 60_000,
  matchLabels: { component: 'runner' },
  jobNamePrefixes: ['agentrun-'],
  ageBasedCleanup: { enabled: false, maxAgeHours: null },
};
const ended = (attemptId: string, endedAgo: number, rest: Partial<RetainedAttempt> = {}): RetainedAttempt => ({
  attemptId,
  name: `agentrun-${attemptId}`,
  labels: { component: 'runner' },
  active: false,
  lastHeartbeatAt: ago(endedAgo),
  endedAt: ago(endedAgo),
  createdAt: ago(endedAgo + HOUR),
  ...rest,
});
const running = (attemptId: string, heartbeatAgo: number, rest: Partial<RetainedAttempt> = {}): RetainedAttempt =>
  ended(attemptId, heartbeatAgo, { active: true, endedAt: null, ...rest });
const chosen = (attempts: readonly RetainedAttempt[], policy: Partial<RetentionPolicy> = {}, incoming = 0): string[] =>
  choose({ attempts, policy: { ...POLICY, ...policy }, now: NOW, incoming }).map(({ attemptId }) => attemptId);

describe('retention', () => {
  it('removes what is above the maximum, the longest inactive first', () => {
    expect(chosen([ended('b', 2 * HOUR), ended('a', HOUR), ended('d', 4 * HOUR), ended('c', 3 * HOUR)])).toEqual([
      'd',
      'c',
    ]);
  });

  it('counts the active ones, and never removes them', () => {
    const active = ['x', 'y', 'z'].map((id) => running(id, 1000));
    expect(chosen([...active, ended('a', 1), ended('b', 2)])).toEqual(['b', 'a']);
  });

  it('removes one that lost its heartbeat after all that have ended', () => {
    expect(chosen([running('stale', 10 * HOUR), ended('a', 1), ended('b', 2)], { maxRunners: 0 })).toEqual([
      'b',
      'a',
      'stale',
    ]);
  });

  it('takes the creation of a runner that never beat for its sign of life', () => {
    const fresh = running('fresh', 0, { lastHeartbeatAt: null, createdAt: ago(1000) });
    const silent = running('silent', 0, { lastHeartbeatAt: null, createdAt: ago(HOUR) });
    expect(chosen([fresh, silent], { maxRunners: 0 })).toEqual(['silent']);
  });

  it('takes one that has ended for inactive, however young its last heartbeat is', () => {
    expect(chosen([ended('a', 1)], { maxRunners: 0 })).toEqual(['a']);
  });

  it('holds the exact age of a heartbeat for inactive', () => {
    expect(chosen([running('a', 59_999), running('b', 60_000)], { maxRunners: 0 })).toEqual(['b']);
  });

  it('protects an attempt whose times are none', () => {
    expect(chosen([running('a', 0, { lastHeartbeatAt: new Date(Number.NaN) })], { maxRunners: 0 })).toEqual([]);
  });

  it('makes room for what is about to start', () => {
    const attempts = [ended('a', 1), ended('b', 2)];
    expect([chosen(attempts), chosen(attempts, {}, 1)]).toEqual([[], ['b']]);
  });

  it('sees only what has all labels and one of the prefixes', () => {
    const attempts = [
      ended('a', 1, { labels: {} }),
      ended('b', 1, { labels: { component: 'manager' } }),
      ended('c', 1, { name: 'other-c' }),
      ended('d', 1, { labels: { component: 'runner', more: '1' }, name: 'second-d' }),
    ];
    expect(chosen(attempts, { maxRunners: 0, jobNamePrefixes: ['agentrun-', 'second-'] })).toEqual(['d']);
    expect(chosen(attempts, { maxRunners: 0, matchLabels: { toString: 'x' } })).toEqual([]);
  });

  it('removes by age whatever the count, when it is enabled', () => {
    const attempts = [
      ended('young', HOUR),
      ended('old', 3 * HOUR),
      running('busy', 1000, { createdAt: ago(99 * HOUR) }),
    ];
    const age = { ageBasedCleanup: { enabled: true, maxAgeHours: 2 } };
    expect(choose({ attempts, policy: { ...POLICY, maxRunners: 10, ...age }, now: NOW })).toEqual([
      { attemptId: 'old', reason: 'age' },
    ]);
    expect(choose({ attempts, policy: { ...POLICY, maxRunners: 1, ...age }, now: NOW })).toEqual([
      { attemptId: 'old', reason: 'age' },
      { attemptId: 'young', reason: 'count' },
    ]);
    expect(chosen(attempts, { maxRunners: 10, ageBasedCleanup: { enabled: false, maxAgeHours: 2 } })).toEqual([]);
    expect(chosen(attempts, { maxRunners: 10, ageBasedCleanup: { enabled: true, maxAgeHours: null } })).toEqual([]);
  });
});

const time = fc.integer({ min: -HOUR, max: 100 * HOUR }).map(ago);
const anyAttempt: fc.Arbitrary<RetainedAttempt> = fc.record({
  attemptId: fc.uuid(),
  name: fc.constantFrom('agentrun-x', 'second-y', 'foreign-z'),
  labels: fc.constantFrom({ component: 'runner' }, { component: 'runner', other: '1' }, { component: 'manager' }, {}),
  active: fc.boolean(),
  lastHeartbeatAt: fc.option(time),
  endedAt: fc.option(time),
  createdAt: time,
});
const anyAttempts = fc.uniqueArray(anyAttempt, { selector: ({ attemptId }) => attemptId, maxLength: 40 });
const anyPolicy: fc.Arbitrary<RetentionPolicy> = fc.record({
  maxRunners: fc.integer({ min: 1, max: 20 }),
  cleanupOrder: fc.constant(POLICY.cleanupOrder),
  activeHeartbeatMaxAgeMs: fc.integer({ min: 1, max: 10 * HOUR }),
  matchLabels: fc.constantFrom({ component: 'runner' }, { component: 'runner', other: '1' }),
  jobNamePrefixes: fc.constantFrom(['agentrun-'], ['agentrun-', 'second-']),
  ageBasedCleanup: fc.record({ enabled: fc.boolean(), maxAgeHours: fc.option(fc.integer({ min: 1, max: 90 })) }),
});

const isMatch = ({ name, labels }: RetainedAttempt, policy: RetentionPolicy): boolean =>
  policy.jobNamePrefixes.some((prefix) => name.startsWith(prefix)) &&
  Object.entries(policy.matchLabels).every(([key, value]) => (labels as Record<string, string>)[key] === value);
const isLive = ({ endedAt, lastHeartbeatAt, createdAt }: RetainedAttempt, policy: RetentionPolicy): boolean =>
  endedAt === null && NOW.getTime() - (lastHeartbeatAt ?? createdAt).getTime() < policy.activeHeartbeatMaxAgeMs;
const lastSeen = ({ endedAt, lastHeartbeatAt, createdAt }: RetainedAttempt): number =>
  Math.max(...[endedAt, lastHeartbeatAt, createdAt].flatMap((date) => (date === null ? [] : [date.getTime()])));

describe('for any attempts and any policy, retention', () => {
  const holds = (check: (attempts: RetainedAttempt[], policy: RetentionPolicy, removed: Set<string>) => void): void => {
    fc.assert(
      fc.property(anyAttempts, anyPolicy, (attempts, policy) => {
        check(attempts, policy, new Set(choose({ attempts, policy, now: NOW }).map(({ attemptId }) => attemptId)));
      }),
      { numRuns: 500 },
    );
  };

  it('never chooses an active one, nor one that it does not see', () => {
    holds((attempts, policy, removed) => {
      for (const attempt of attempts.filter(({ attemptId }) => removed.has(attemptId))) {
        expect(isMatch(attempt, policy)).toBe(true);
        expect(isLive(attempt, policy)).toBe(false);
      }
    });
  });

  it('leaves at most the maximum, or only active ones', () => {
    holds((attempts, policy, removed) => {
      const kept = attempts.filter((attempt) => isMatch(attempt, policy) && !removed.has(attempt.attemptId));
      expect(kept.length <= policy.maxRunners || kept.every((attempt) => isLive(attempt, policy))).toBe(true);
    });
  });

  it('removes no more than it must', () => {
    holds((attempts, policy, removed) => {
      const matching = attempts.filter((attempt) => isMatch(attempt, policy));
      const { enabled, maxAgeHours } = policy.ageBasedCleanup;
      const isOld = (attempt: RetainedAttempt): boolean =>
        enabled && maxAgeHours !== null && NOW.getTime() - lastSeen(attempt) > maxAgeHours * HOUR;
      const byCount = matching.filter((attempt) => removed.has(attempt.attemptId) && !isOld(attempt));
      expect(byCount.length).toBeLessThanOrEqual(Math.max(0, matching.length - policy.maxRunners));
    });
  });

  it('keeps none that was inactive for longer than one that it removes', () => {
    holds((attempts, policy, removed) => {
      const open = attempts.filter((attempt) => isMatch(attempt, policy) && !isLive(attempt, policy));
      const inactive = open.filter(({ active, endedAt }) => !active || endedAt !== null);
      const gone = inactive.filter(({ attemptId }) => removed.has(attemptId)).map(lastSeen);
      const kept = inactive.filter(({ attemptId }) => !removed.has(attemptId)).map(lastSeen);
      expect(Math.max(...gone)).toBeLessThanOrEqual(Math.min(...kept));
    });
  });

  it('gives the same answer for every order of the attempts, each once', () => {
    fc.assert(
      fc.property(anyAttempts, anyPolicy, (attempts, policy) => {
        const removals = choose({ attempts, policy, now: NOW });
        expect(choose({ attempts: [...attempts].reverse(), policy, now: NOW })).toEqual(removals);
        expect(new Set(removals.map(({ attemptId }) => attemptId)).size).toBe(removals.length);
      }),
    );
  });
});
