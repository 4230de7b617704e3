import { PlacementError } from '../placement/placement-error.ts';
import { choose, type RetentionPolicy } from '../placement/retention.ts';
import { listAttemptLives } from '../store/attention.ts';
import type { WithPlacement } from './takeover.ts';

/** Removes what the placement keeps of attempts, as the lane's retention says. Gives the ids. */
export async function retainAttempts(manager: WithPlacement): Promise<string[]> {
  const placed = await manager.placements.list();
  if (placed.length === 0) return [];
  const lives = new Map(
    (
      await listAttemptLives(
        manager.pool,
        placed.map(({ attemptId }) => attemptId),
      )
    ).map((row) => [row.id, row]),
  );
  const now = [...lives.values()][0]?.now ?? new Date();
  const removals = choose({
    policy: policyOf(manager),
    now,
    attempts: placed.map(({ attemptId, name, labels, startedAt }) => {
      const life = lives.get(attemptId);
      // What the store has forgotten ended long ago, by the retention of runs.
      const createdAt = life?.created_at ?? new Date(startedAt ?? 0);
      return {
        attemptId,
        name: name ?? attemptId,
        labels,
        active: life?.active ?? false,
        lastHeartbeatAt: life?.heartbeat_at ?? null,
        endedAt: life === undefined ? createdAt : life.ended_at,
        createdAt,
      };
    }),
  });
  const removed: string[] = [];
  for (const { attemptId } of removals) {
    // One that holds its run without a beat is the reconciler's to end.
    if (lives.get(attemptId)?.active === true) continue;
    try {
      await manager.placements.fence(attemptId, null);
      await manager.placements.remove(attemptId);
      removed.push(attemptId);
    } catch (error) {
      if (!(error instanceof PlacementError)) throw error;
    }
  }
  return removed;
}

function policyOf({ config }: WithPlacement): RetentionPolicy {
  return {
    maxRunners: config.retentionMaxRunners,
    cleanupOrder: config.retentionCleanupOrder,
    activeHeartbeatMaxAgeMs: config.retentionActiveHeartbeatMaxAgeMs,
    matchLabels: config.retentionMatchLabels,
    jobNamePrefixes: config.retentionJobNamePrefixes,
    ageBasedCleanup: {
      enabled: config.retentionAgeBasedCleanupEnabled,
      maxAgeHours: config.retentionMaxAgeHours,
    },
  };
}
