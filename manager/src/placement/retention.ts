import type { CLEANUP_ORDER } from '@agentrun/lib/contract';

/** An attempt as retention sees it. */
export interface RetainedAttempt {
  readonly attemptId: string;
  /** The name of its Job, or what would be its name. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Whether it still holds its run, as far as the store knows. */
  readonly active: boolean;
  readonly lastHeartbeatAt: Date | null;
  readonly endedAt: Date | null;
  readonly createdAt: Date;
}

/** `deployment.runner.retention` of the lane. */
export interface RetentionPolicy {
  /** How many attempts are kept, active ones included. */
  readonly maxRunners: number;
  readonly cleanupOrder: typeof CLEANUP_ORDER;
  /** A heartbeat younger than this means that the runner is active. */
  readonly activeHeartbeatMaxAgeMs: number;
  /** All of these must be on an attempt, or retention does not see it. */
  readonly matchLabels: Readonly<Record<string, string>>;
  /** Its name must begin with one of these. */
  readonly jobNamePrefixes: readonly string[];
  readonly ageBasedCleanup: { readonly enabled: boolean; readonly maxAgeHours: number | null };
}

export interface Removal {
  readonly attemptId: string;
  /** `age`: unused for longer than maxAgeHours. `count`: more than maxRunners. */
  readonly reason: 'age' | 'count';
}

const HOUR_MS = 3_600_000;

/**
 * Which attempts to remove, in the order in which to do it: the inactive ones, by when they were last active, oldest
 * first; after them those whose heartbeat stopped although they hold their run.
 *
 * Never chosen is what the labels and prefixes do not match, and an attempt that has not ended and whose last sign of
 * life is younger than `activeHeartbeatMaxAgeMs`; a runner that never beat shows its creation. So more than
 * `maxRunners` can stay.
 *
 * @param input.incoming attempts about to be made, for which room is wanted; default 0.
 */
export function choose(input: {
  readonly attempts: readonly RetainedAttempt[];
  readonly policy: RetentionPolicy;
  /** From the clock of the database, as the other times are. */
  readonly now: Date;
  readonly incoming?: number;
}): Removal[] {
  const { attempts, policy, now, incoming = 0 } = input;
  const matching = attempts.filter((attempt) => matches(attempt, policy));
  const candidates = matching.filter((attempt) => !isProtected(attempt, policy, now)).sort(byLastActivity);
  const { enabled, maxAgeHours } = policy.ageBasedCleanup;
  const limit = enabled && maxAgeHours !== null ? maxAgeHours * HOUR_MS : Number.POSITIVE_INFINITY;
  const isOld = (attempt: RetainedAttempt): boolean => now.getTime() - lastActivity(attempt) > limit;

  const removals: Removal[] = candidates.filter(isOld).map(({ attemptId }) => ({ attemptId, reason: 'age' }));
  const surplus = matching.length - removals.length + incoming - policy.maxRunners;
  const rest = candidates.filter((attempt) => !isOld(attempt)).slice(0, Math.max(0, surplus));
  return [...removals, ...rest.map(({ attemptId }) => ({ attemptId, reason: 'count' }) as const)];
}

function matches({ name, labels }: RetainedAttempt, { matchLabels, jobNamePrefixes }: RetentionPolicy): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value) &&
    jobNamePrefixes.some((prefix) => name.startsWith(prefix))
  );
}

function isProtected(attempt: RetainedAttempt, { activeHeartbeatMaxAgeMs }: RetentionPolicy, now: Date): boolean {
  const sign = attempt.lastHeartbeatAt ?? attempt.createdAt;
  // A time that is no time protects, so that a mistake never ends a runner.
  return attempt.endedAt === null && !(now.getTime() - sign.getTime() >= activeHeartbeatMaxAgeMs);
}

function lastActivity({ createdAt, lastHeartbeatAt, endedAt }: RetainedAttempt): number {
  return Math.max(createdAt.getTime(), lastHeartbeatAt?.getTime() ?? 0, endedAt?.getTime() ?? 0);
}

function byLastActivity(one: RetainedAttempt, other: RetainedAttempt): number {
  const rank = ({ active, endedAt }: RetainedAttempt): number => (active && endedAt === null ? 1 : 0);
  return (
    rank(one) - rank(other) ||
    lastActivity(one) - lastActivity(other) ||
    (one.attemptId < other.attemptId ? -1 : Number(one.attemptId > other.attemptId))
  );
}
