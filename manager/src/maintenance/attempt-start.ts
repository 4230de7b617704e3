import { join } from 'node:path';
import type { LaneConfig } from '../config.ts';
import type { AttemptStart } from '../placement/placement.ts';
import { provideVolume, type WithVolumes } from '../services/session-storage.ts';
import type { AttemptRow } from '../store/attempts.ts';
import { findRunnerJobOfAttempt } from '../store/runner-jobs.ts';
import type { RunRow } from '../store/runs.ts';
import type { VolumeFolders } from '../volumes/volumes.ts';
import type { WithPlacement } from './takeover.ts';

/** A manager that can prepare all that an attempt is started with. */
export type WithStarts = WithPlacement & WithVolumes;

/** The longest and shortest time between two beats of a runner, in milliseconds. */
const HEARTBEAT_MS = { longest: 10_000, shortest: 1000 };

/**
 * A third of the lease, so that two beats may be lost. Where cancels are polled, also a third of the time for a graceful
 * end: the runner hears of a cancel by its next beat.
 */
function heartbeatMs({ staleHeartbeatFencingMs, cancelDeliveryMode, cancelGracefulAbortMs }: LaneConfig): number {
  const tell =
    cancelDeliveryMode === 'poll' ? Math.max(HEARTBEAT_MS.shortest, cancelGracefulAbortMs / 3) : HEARTBEAT_MS.longest;
  return Math.max(1, Math.floor(Math.min(HEARTBEAT_MS.longest, staleHeartbeatFencingMs / 3, tell)));
}

/** All that a placement needs to start an attempt. The volume of the session is made when it is not there. */
export async function attemptStart(
  manager: WithStarts,
  run: RunRow,
  attempt: AttemptRow,
  token: string,
): Promise<AttemptStart> {
  const { config } = manager;
  const { folders, session } = await workspaceOf(manager, run);
  const { subPath } = run.workspace_ref;
  const job = await findRunnerJobOfAttempt(manager.pool, attempt.id);
  const { profile, credential } = await manager.profiles.forAttempt(run.backend_profile);
  const leaseMs = config.staleHeartbeatFencingMs;
  const traceparent = run.trace_sink?.traceparent;
  return {
    attempt: {
      formatVersion: 1,
      attemptId: attempt.id,
      runId: run.id,
      managerUrl: config.internalManagerUrl,
      runnerId: attempt.runner_id,
      backendProfile: run.backend_profile,
      leaseMs,
      heartbeatMs: heartbeatMs(config),
      idleTimeoutMs: config.runnerIdleTimeoutMs,
      cancel: {
        deliveryMode: config.cancelDeliveryMode,
        gracefulAbortMs: config.cancelGracefulAbortMs,
        killEscalationMs: config.cancelKillEscalationMs,
        staleHeartbeatFencingMs: leaseMs,
      },
      retry: {
        maxAttempts: config.retryMaxAttempts,
        initialBackoffMs: config.retryInitialBackoffMs,
        maxBackoffMs: config.retryMaxBackoffMs,
      },
      workspace: { dir: subPath === undefined ? folders.workspace : join(folders.workspace, subPath) },
      home: { dir: folders.home },
      state: { dir: folders.state },
      session,
      sourceCommit: config.sourceCommit,
      ...(traceparent === undefined ? {} : { traceparent }),
    },
    name: job?.job_name ?? attempt.id,
    labels: { ...config.retentionMatchLabels, [`${config.labelDomain}/run-id`]: run.id },
    token,
    profile,
    credential,
  };
}

async function workspaceOf(
  manager: WithStarts,
  run: RunRow,
): Promise<{ folders: VolumeFolders; session: { sessionId: string; generation: number } | null }> {
  if (run.workspace_ref.kind === 'ephemeral' || run.session_id === null) {
    return { folders: await manager.volumes.ephemeral(run.id), session: null };
  }
  const session = await provideVolume(manager, run.session_id);
  return {
    folders: manager.volumes.folders(session.storage_pvc_name ?? ''),
    session: { sessionId: session.session_id, generation: session.storage_generation },
  };
}
