import type {
  ExecutionState,
  FailureKind,
  SessionListState,
  StorageKind,
  TerminalStatus,
} from '@agentrun/lib/contract';
import type { Sql } from '../db/transaction.ts';
import { cursorAt, iso, isoOrNull } from './time.ts';

export interface SessionRow {
  readonly session_id: string;
  readonly tenant_id: string;
  readonly project_id: string;
  readonly backend_profile: string;
  readonly conversation_id: string | null;
  readonly thread_id: string | null;
  readonly title: string | null;
  readonly metadata: Record<string, unknown>;
  readonly summary: Record<string, unknown>;
  readonly version: number;
  readonly execution_state: ExecutionState;
  readonly last_run_id: string | null;
  readonly last_command_id: string | null;
  readonly active_run_id: string | null;
  readonly active_command_id: string | null;
  readonly terminal_status: TerminalStatus | null;
  readonly failure_kind: FailureKind | null;
  readonly last_activity_at: Date | null;
  readonly expires_at: Date | null;
  readonly ttl_ms: number | null;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly storage_kind: StorageKind;
  readonly storage_generation: number;
  readonly storage_pvc_name: string | null;
  readonly storage_namespace: string | null;
  readonly storage_pvc_phase: string | null;
  readonly storage_size_bytes: number | null;
  readonly storage_files_count: number | null;
  readonly storage_sha256: string | null;
  readonly storage_updated_at: Date | null;
  readonly storage_evicted_at: Date | null;
  readonly codex_rollout_subdir: string;
  /** Of the last run, which keeps it. */
  readonly last_event_seq: number;
  /** Whether a run of it is open. */
  readonly is_open: boolean;
}

/** Columns of a session `s`, with what its runs know. */
const COLUMNS = `s.*, coalesce((SELECT last_event_seq FROM agentrun_runs r WHERE r.id = s.last_run_id), 0) AS last_event_seq,
  EXISTS (SELECT 1 FROM agentrun_runs r WHERE r.session_id = s.session_id AND r.terminal_status IS NULL) AS is_open`;

export async function findSession(sql: Sql, id: string): Promise<SessionRow | undefined> {
  const { rows } = await sql.query<SessionRow>({
    name: 'find-session',
    text: `SELECT ${COLUMNS} FROM agentrun_sessions s WHERE session_id = $1`,
    values: [id],
  });
  return rows[0];
}

/**
 * The row, locked until the transaction ends. The lock of a session comes before the one of its run, and leaves
 * references alone, as that one does.
 */
export async function lockSession(sql: Sql, id: string): Promise<SessionRow | undefined> {
  const locked = await sql.query({
    name: 'lock-session',
    text: 'SELECT 1 FROM agentrun_sessions WHERE session_id = $1 FOR NO KEY UPDATE',
    values: [id],
  });
  return locked.rowCount === 0 ? undefined : await findSession(sql, id);
}

export interface NewSession {
  readonly id: string;
  readonly tenantId: string;
  readonly projectId: string;
  readonly backendProfile: string;
  readonly conversationId: string | null;
  readonly threadId: string | null;
  readonly title: string | null;
  readonly metadata: Record<string, unknown>;
  /** When it expires; null is never, undefined is after `ttlMs`. */
  readonly expiresAt: string | null | undefined;
  readonly ttlMs: number;
  readonly codexRolloutSubdir?: string | undefined;
}

/** Inserts a session unless one with this id is there; true when it is new. */
export async function insertSession(sql: Sql, session: NewSession): Promise<boolean> {
  const { rowCount } = await sql.query(
    `INSERT INTO agentrun_sessions (session_id, tenant_id, project_id, backend_profile, conversation_id, thread_id,
       title, metadata, expires_at, ttl_ms, last_activity_at, codex_rollout_subdir)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8,
       CASE WHEN $9::boolean THEN $10::timestamptz ELSE now() + $11::bigint * interval '1 millisecond' END,
       $11, now(), coalesce($12, 'sessions'))
     ON CONFLICT (session_id) DO NOTHING`,
    [
      session.id,
      session.tenantId,
      session.projectId,
      session.backendProfile,
      session.conversationId,
      session.threadId,
      session.title,
      session.metadata,
      session.expiresAt !== undefined,
      session.expiresAt ?? null,
      session.expiresAt === null ? null : session.ttlMs,
      session.codexRolloutSubdir ?? null,
    ],
  );
  return rowCount === 1;
}

export interface SessionPage {
  readonly state: SessionListState;
  readonly backendProfile?: string | undefined;
  readonly readerId?: string | undefined;
  readonly before?: { readonly updatedAt: string; readonly sessionId: string } | undefined;
  readonly limit: number;
}

const OF_STATE: Readonly<Record<SessionListState, string>> = {
  all: 'true',
  default: `s.execution_state <> 'terminal'`,
  running: `s.execution_state = 'running'`,
  idle: `s.execution_state = 'idle'`,
  terminal: `s.execution_state = 'idle' AND s.terminal_status IS NOT NULL`,
  unread: `s.execution_state <> 'terminal' AND (c.session_version IS NULL OR c.session_version < s.version)`,
};

/** Newest change first. `cursor_at` has the microseconds that the wire has not. */
export async function listSessions(
  sql: Sql,
  page: SessionPage,
): Promise<(SessionRow & { cursor_at: string; read_version: number | null })[]> {
  const values: unknown[] = [page.readerId ?? '', page.limit];
  const where = [OF_STATE[page.state]];
  if (page.backendProfile !== undefined) where.push(`s.backend_profile = $${values.push(page.backendProfile)}`);
  if (page.before !== undefined) {
    const [at, id] = [values.push(page.before.updatedAt), values.push(page.before.sessionId)];
    // Rows of the same time are in the order of their id, against the order of the time.
    where.push(`s.updated_at <= $${at}::timestamptz AND (s.updated_at < $${at}::timestamptz OR s.session_id > $${id})`);
  }
  const { rows } = await sql.query<SessionRow & { cursor_at: string; read_version: number | null }>(
    `SELECT ${COLUMNS}, c.session_version AS read_version,
       ${cursorAt('s.updated_at')}
     FROM agentrun_sessions s
     LEFT JOIN agentrun_session_read_cursors c ON c.session_id = s.session_id AND c.reader_id = $1
     WHERE ${where.join(' AND ')}
     ORDER BY s.updated_at DESC, s.session_id LIMIT $2`,
    values,
  );
  return rows;
}

export async function readVersion(sql: Sql, id: string, readerId: string): Promise<number | null> {
  const { rows } = await sql.query<{ session_version: number }>(
    'SELECT session_version FROM agentrun_session_read_cursors WHERE session_id = $1 AND reader_id = $2',
    [id, readerId],
  );
  return rows[0]?.session_version ?? null;
}

/** Marks the session as read at its version of now; undefined when there is none. */
export async function markRead(sql: Sql, id: string, readerId: string) {
  const { rows } = await sql.query<{ session_version: number; read_at: Date }>(
    `INSERT INTO agentrun_session_read_cursors (session_id, reader_id, session_version)
     SELECT session_id, $2, version FROM agentrun_sessions WHERE session_id = $1
     ON CONFLICT (session_id, reader_id) DO UPDATE
       SET session_version = greatest(excluded.session_version, agentrun_session_read_cursors.session_version),
         read_at = now()
     RETURNING session_version, read_at`,
    [id, readerId],
  );
  const row = rows[0];
  return row && { sessionId: id, readerId, sessionVersion: row.session_version, readAt: iso(row.read_at) };
}

export function sessionRecord(row: SessionRow) {
  return {
    sessionId: row.session_id,
    tenantId: row.tenant_id,
    projectId: row.project_id,
    backendProfile: row.backend_profile,
    conversationId: row.conversation_id,
    threadId: row.thread_id,
    version: row.version,
    executionState: row.execution_state,
    lastRunId: row.last_run_id,
    lastCommandId: row.last_command_id,
    activeRunId: row.active_run_id,
    activeCommandId: row.active_command_id,
    lastEventSeq: row.last_event_seq,
    terminalStatus: row.terminal_status,
    failureKind: row.failure_kind,
    title: row.title,
    summary: row.summary,
    metadata: row.metadata,
    lastActivityAt: isoOrNull(row.last_activity_at),
    expiresAt: isoOrNull(row.expires_at),
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
    storageKind: row.storage_kind,
    storagePvcName: row.storage_pvc_name,
    storageNamespace: row.storage_namespace,
    storageSha256: row.storage_sha256,
    storagePvcPhase: row.storage_pvc_phase,
    storageSizeBytes: row.storage_size_bytes,
    storageFilesCount: row.storage_files_count,
    storageUpdatedAt: isoOrNull(row.storage_updated_at),
    storageEvictedAt: isoOrNull(row.storage_evicted_at),
    codexRolloutSubdir: row.codex_rollout_subdir,
  };
}
