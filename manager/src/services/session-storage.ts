import { inTransaction, type Sql } from '../db/transaction.ts';
import { Failure } from '../failure.ts';
import { findOpenRunOfSession } from '../store/runs.ts';
import { raiseVersion } from '../store/session-notes.ts';
import {
  listExpired,
  listGivenUp,
  nextGeneration,
  type StoragePatch,
  setEvicted,
  setStorage,
} from '../store/session-storage.ts';
import { lockSession, type SessionRow, sessionRecord } from '../store/sessions.ts';
import { isoOrNull } from '../store/time.ts';
import type { Volumes } from '../volumes/volumes.ts';
import { assertUsable } from './create-run.ts';
import type { Manager } from './manager.ts';
import { noSession, sessionRow } from './sessions.ts';

/** A manager that makes volumes. */
export type WithVolumes = Manager & { readonly volumes: Volumes };

/** What is known of the volume of a session, as the contract names it. */
export function storageSummary(row: SessionRow) {
  return {
    pvcName: row.storage_pvc_name,
    namespace: row.storage_namespace,
    pvcPhase: row.storage_pvc_phase,
    storageSizeBytes: row.storage_size_bytes,
    storageFilesCount: row.storage_files_count,
    storageSha256: row.storage_sha256,
    storageUpdatedAt: isoOrNull(row.storage_updated_at),
    codexRolloutSubdir: row.codex_rollout_subdir,
    valuesPrinted: false as const,
  };
}
export type StorageSummary = ReturnType<typeof storageSummary>;

/**
 * Makes the volume of a session that has none. Repeated after a failure it makes the next generation: what the first one
 * left is not taken for a volume that was used.
 *
 * @throws Failure `unavailable`, `session-store-evicted`
 */
export async function provideVolume(manager: WithVolumes, id: string): Promise<SessionRow> {
  const generation = await inTransaction(manager.pool, async (sql) => {
    const row = (await lockSession(sql, id)) ?? noSession(id);
    assertUsable(row);
    return row.storage_kind === 'pvc' ? null : await nextGeneration(sql, id);
  });
  if (generation !== null) {
    const { name, namespace, phase } = await manager.volumes.create(id, generation);
    const isTaken = await inTransaction(manager.pool, async (sql) => {
      const row = (await lockSession(sql, id)) ?? noSession(id);
      if (row.storage_kind === 'pvc') return false;
      await patchStorageIn(sql, id, { pvcName: name, namespace, pvcPhase: phase });
      return true;
    });
    // Another request made one meanwhile, and nothing is on ours.
    if (!isTaken) await manager.volumes.evict(name);
  }
  return await sessionRow(manager.pool, id);
}

/** The summary, with the sizes measured now where there is a volume. */
export async function lookAtStorage(manager: WithVolumes, id: string): Promise<StorageSummary> {
  const row = await sessionRow(manager.pool, id);
  if (row.storage_kind !== 'pvc' || row.storage_pvc_name === null) return storageSummary(row);
  const contents = await manager.volumes.measure(row.storage_pvc_name);
  if (contents === null) return { ...storageSummary(row), pvcPhase: 'Lost' };
  return {
    ...storageSummary(row),
    pvcPhase: contents.phase,
    storageSizeBytes: contents.sizeBytes,
    storageFilesCount: contents.filesCount,
  };
}

/**
 * Notes what a runner tells of the volume.
 *
 * @throws Failure `session-store-evicted` when it is out of use, `conflict` for another volume than the session's
 */
export async function patchStorage(manager: Manager, id: string, patch: StoragePatch): Promise<SessionRow> {
  return await inTransaction(manager.pool, (sql) => patchStorageIn(sql, id, patch));
}

/** The same within a transaction, for a runner that holds a run of the session. */
export async function patchStorageIn(sql: Sql, id: string, patch: StoragePatch): Promise<SessionRow> {
  const row = (await lockSession(sql, id)) ?? noSession(id);
  assertUsable(row);
  if (row.storage_kind === 'pvc' && row.storage_pvc_name !== patch.pvcName) {
    throw new Failure('conflict', `session ${id} has the volume ${row.storage_pvc_name}, not ${patch.pvcName}`, {
      details: { pvcName: row.storage_pvc_name },
    });
  }
  await setStorage(sql, id, patch);
  await raiseVersion(sql, id);
  return await sessionRow(sql, id);
}

/**
 * Gives the volume of a session up; the session takes no more turns. Again changes nothing.
 *
 * @throws Failure `session-busy` while a run of it is open
 */
export async function evictSession(manager: WithVolumes, id: string) {
  const row = await inTransaction(manager.pool, async (sql) => {
    const locked = (await lockSession(sql, id)) ?? noSession(id);
    if (locked.storage_kind === 'evicted') return locked;
    const open = await findOpenRunOfSession(sql, id);
    if (open !== undefined) {
      throw new Failure('session-busy', `session ${id} has the open run ${open.id}`, {
        details: { sessionId: id, runId: open.id, status: open.status },
      });
    }
    await setEvicted(sql, id);
    await raiseVersion(sql, id);
    return await sessionRow(sql, id);
  });
  // First the record, then the volume: a volume without a session is found by the sweep, lost work by nobody.
  if (row.storage_pvc_name !== null) await manager.volumes.evict(row.storage_pvc_name);
  manager.wakeups.wake(id);
  const session = manager.redact.json(sessionRecord(row));
  return { action: 'session-storage-deleted' as const, session, valuesPrinted: false as const };
}

/** What one sweep did. `couldNotLook` says why volumes could not be listed; null when they could. */
export interface SweepReport {
  readonly scanned: number;
  readonly evicted: readonly string[];
  readonly skipped: number;
  readonly failed: readonly { readonly sessionId: string; readonly message: string }[];
  readonly purged: readonly string[];
  readonly couldNotLook: string | null;
  readonly valuesPrinted: false;
}

const AT_ONCE = 200;
/** How long an evicted volume is kept. */
const KEEP_MS = 24 * 3_600_000;

/** Evicts sessions whose time is over, but none with an open run; and deletes what was evicted a day ago. */
export async function sweepSessions(manager: WithVolumes): Promise<SweepReport> {
  const expired = await listExpired(manager.pool, AT_ONCE);
  const evicted: string[] = [];
  const failed: { sessionId: string; message: string }[] = [];
  for (const { session_id: sessionId, is_open: isOpen } of expired) {
    if (isOpen) continue;
    try {
      await evictSession(manager, sessionId);
      evicted.push(sessionId);
    } catch (error) {
      failed.push({ sessionId, message: error instanceof Error ? manager.redact.text(error.message) : 'unknown' });
    }
  }
  const swept = await sweepVolumes(manager);
  const skipped = expired.filter(({ is_open: isOpen }) => isOpen).length;
  return { scanned: expired.length, evicted, skipped, failed, ...swept, valuesPrinted: false };
}

async function sweepVolumes(manager: WithVolumes): Promise<Pick<SweepReport, 'purged' | 'couldNotLook'>> {
  try {
    const names = await manager.volumes.list();
    for (const name of await listGivenUp(manager.pool, names)) await manager.volumes.evict(name);
    return { purged: await manager.volumes.purge(KEEP_MS), couldNotLook: null };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { purged: [], couldNotLook: manager.redact.text(error.message) };
  }
}
