import { isDeepStrictEqual } from 'node:util';
import type { ExitEvent } from '../placement/placement.ts';
import { findAttempt } from '../store/attempts.ts';
import { closeLeaseOf, listPlacedAttempts } from '../store/attention.ts';
import { notifyRun } from '../store/notify.ts';
import { setJobResult } from '../store/runner-jobs.ts';
import { readHandle } from './read-handle.ts';
import { takeOver, type WithPlacement } from './takeover.ts';

/**
 * A runner ended: what it held is free at once, without waiting for its lease. One that gave its run back before it
 * left holds nothing. The end of what a later start of the same attempt replaced, perhaps by another manager, is no news.
 */
export async function noteExit(
  manager: WithPlacement,
  event: Pick<ExitEvent, 'attemptId' | 'handle' | 'exit' | 'logTail'>,
): Promise<void> {
  const { attemptId, exit } = event;
  const attempt = await findAttempt(manager.pool, attemptId);
  if (attempt?.handle != null && !isDeepStrictEqual(attempt.handle, { ...event.handle })) return;
  const logTail = manager.redact.text(event.logTail);
  await setJobResult(manager.pool, attemptId, { exit, logTail });
  const runId = await closeLeaseOf(manager.pool, attemptId);
  if (runId === undefined) return;
  await notifyRun(manager.pool, runId);
  const how =
    exit === null ? '' : ` (${exit.signal ?? `exit code ${exit.code}`}${exit.reason ? `, ${exit.reason}` : ''})`;
  const last = logTail.trim().split('\n').at(-1)?.trim() ?? '';
  await takeOver(manager, runId, `its runner ended${how}${last === '' ? '' : `: ${last.slice(0, 300)}`}`);
}

/** Looks for runners that ended while no manager saw it. */
export async function reviewExits(manager: WithPlacement): Promise<void> {
  for (const { id, handle: stored } of await listPlacedAttempts(manager.pool)) {
    const handle = readHandle(stored);
    if (handle === null || handle.kind !== manager.placements.kind) continue;
    const observed = await manager.placements.observe(handle);
    if (observed.state === 'gone') await noteExit(manager, { attemptId: id, handle, ...observed });
  }
}
