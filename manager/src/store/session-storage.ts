import type { Sql } from '../db/transaction.ts';
import type { SessionRow } from './sessions.ts';

/** Counts a generation up for a volume that is about to be made. */
export async function nextGeneration(sql: Sql, id: string): Promise<number> {
  const { rows } = await sql.query<{ storage_generation: number }>(
    `UPDATE agentrun_sessions SET storage_generation = storage_generation + 1
     WHERE session_id = $1 AND storage_kind = 'none' RETURNING storage_generation`,
    [id],
  );
  return rows[0]?.storage_generation ?? 0;
}

export interface StoragePatch {
  readonly pvcName: string;
  readonly namespace: string;
  readonly pvcPhase?: string | null | undefined;
  readonly sizeBytes?: number | null | undefined;
  readonly filesCount?: number | null | undefined;
  readonly sha256?: string | null | undefined;
  readonly updatedAt?: string | undefined;
  readonly codexRolloutSubdir?: string | undefined;
}

/** Writes what is known of the volume; what is undefined stays. False for a session whose volume was evicted. */
export async function setStorage(sql: Sql, id: string, patch: StoragePatch): Promise<boolean> {
  const given = (value: unknown) => value !== undefined;
  const { rowCount } = await sql.query(
    `UPDATE agentrun_sessions SET storage_kind = 'pvc', storage_pvc_name = $2, storage_namespace = $3,
       storage_pvc_phase = CASE WHEN $4 THEN $5 ELSE storage_pvc_phase END,
       storage_size_bytes = CASE WHEN $6 THEN $7::bigint ELSE storage_size_bytes END,
       storage_files_count = CASE WHEN $8 THEN $9::int ELSE storage_files_count END,
       storage_sha256 = CASE WHEN $10 THEN $11 ELSE storage_sha256 END,
       storage_updated_at = coalesce($12::timestamptz, now()),
       codex_rollout_subdir = coalesce($13, codex_rollout_subdir), updated_at = now()
     WHERE session_id = $1 AND storage_kind <> 'evicted'`,
    [
      id,
      patch.pvcName,
      patch.namespace,
      given(patch.pvcPhase),
      patch.pvcPhase ?? null,
      given(patch.sizeBytes),
      patch.sizeBytes ?? null,
      given(patch.filesCount),
      patch.filesCount ?? null,
      given(patch.sha256),
      patch.sha256 ?? null,
      patch.updatedAt ?? null,
      patch.codexRolloutSubdir ?? null,
    ],
  );
  return rowCount === 1;
}

/** The volume is out of use, for ever; the caller holds the lock of a session without an open run. */
export async function setEvicted(sql: Sql, id: string): Promise<void> {
  await sql.query(
    `UPDATE agentrun_sessions SET storage_kind = 'evicted', execution_state = 'terminal', storage_pvc_phase = NULL,
       storage_evicted_at = now(), active_run_id = NULL, active_command_id = NULL, updated_at = now()
     WHERE session_id = $1 AND storage_kind <> 'evicted'`,
    [id],
  );
}

/** Sessions whose time is over, longest first. Those with an open run are counted by `is_open`. */
export async function listExpired(sql: Sql, limit: number): Promise<Pick<SessionRow, 'session_id' | 'is_open'>[]> {
  const { rows } = await sql.query<Pick<SessionRow, 'session_id' | 'is_open'>>(
    `SELECT session_id, EXISTS (
         SELECT 1 FROM agentrun_runs r WHERE r.session_id = s.session_id AND r.terminal_status IS NULL) AS is_open
     FROM agentrun_sessions s WHERE storage_kind = 'pvc' AND expires_at <= now() ORDER BY expires_at LIMIT $1`,
    [limit],
  );
  return rows;
}

/** Which of these volumes belong to a session that has given them up. */
export async function listGivenUp(sql: Sql, names: readonly string[]): Promise<string[]> {
  const { rows } = await sql.query<{ storage_pvc_name: string }>(
    `SELECT storage_pvc_name FROM agentrun_sessions WHERE storage_kind = 'evicted' AND storage_pvc_name = ANY ($1)`,
    [names],
  );
  return rows.map(({ storage_pvc_name }) => storage_pvc_name);
}
