import type {
  CancelReceipts,
  CreateRun,
  ExecutionPolicy,
  FailureKind,
  ResourceBundleRef,
  RunStatus,
  SessionRef,
  TerminalStatus,
  WorkspaceRef,
} from '@agentrun/lib/contract';
import type { Sql } from '../db/transaction.ts';
import { cursorAt, iso, isoOrNull } from './time.ts';

/** A row of agentrun_runs, with `lease_live` judged by the clock of the database. */
export interface RunRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly project_id: string;
  readonly provider_id: string;
  readonly backend_profile: string;
  readonly workspace_ref: WorkspaceRef;
  readonly execution_policy: ExecutionPolicy;
  readonly resource_bundle_ref: ResourceBundleRef | null;
  readonly trace_sink: NonNullable<CreateRun['traceSink']> | null;
  readonly metadata: Record<string, unknown>;
  readonly session_id: string | null;
  readonly session_ref: SessionRef | null;
  readonly status: RunStatus;
  readonly terminal_status: TerminalStatus | null;
  readonly failure_kind: FailureKind | null;
  readonly failure_message: string | null;
  readonly diagnosis: Record<string, unknown> | null;
  readonly cancel_requested_at: Date | null;
  readonly cancel_reason: string | null;
  readonly cancel_receipts: CancelReceipts;
  readonly claimed_by: string | null;
  readonly attempt_id: string | null;
  readonly lease_epoch: number;
  readonly lease_expires_at: Date | null;
  readonly heartbeat_at: Date | null;
  readonly producer_seq: number;
  readonly attempt_count: number;
  readonly lost_attempts: number;
  readonly placed: boolean;
  readonly look_at: Date | null;
  readonly started_at: Date | null;
  readonly ended_at: Date | null;
  readonly last_event_seq: number;
  readonly last_event_at: Date | null;
  readonly last_command_seq: number;
  readonly event_bytes: number;
  readonly dropped_events: number;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly lease_live: boolean;
  /** The clock of the database when the row was read. */
  readonly read_at: Date;
}

const COLUMNS = `*, (lease_expires_at IS NOT NULL AND lease_expires_at > clock_timestamp()) AS lease_live,
  clock_timestamp() AS read_at`;

export async function findRun(sql: Sql, id: string): Promise<RunRow | undefined> {
  return (
    await sql.query<RunRow>({
      name: 'find-run',
      text: `SELECT ${COLUMNS} FROM agentrun_runs WHERE id = $1`,
      values: [id],
    })
  ).rows[0];
}

/**
 * The row, locked until the transaction ends; read after the wait for the lock, so the lease is judged by then. The lock
 * leaves references alone: the second update of a row in a transaction checks its foreign keys, and with a stronger lock
 * that check would wait for the session after the run, against the order of locks.
 */
export async function lockRun(sql: Sql, id: string): Promise<RunRow | undefined> {
  const { rows } = await sql.query<RunRow>({
    name: 'lock-run',
    // What is outside is read when the lock is held.
    text: `SELECT ${COLUMNS} FROM (SELECT * FROM agentrun_runs WHERE id = $1 FOR NO KEY UPDATE) AS locked`,
    values: [id],
  });
  return rows[0];
}

export type NewRun = Pick<
  RunRow,
  | 'id'
  | 'tenant_id'
  | 'project_id'
  | 'provider_id'
  | 'backend_profile'
  | 'workspace_ref'
  | 'execution_policy'
  | 'resource_bundle_ref'
  | 'trace_sink'
  | 'metadata'
  | 'session_id'
  | 'session_ref'
>;

/** Inserts a pending run; it is looked at again after its `pendingTimeoutMs`. */
export async function insertRun(sql: Sql, run: NewRun): Promise<void> {
  await sql.query({
    name: 'insert-run',
    text: `INSERT INTO agentrun_runs (id, tenant_id, project_id, provider_id, backend_profile, workspace_ref,
        execution_policy, resource_bundle_ref, trace_sink, metadata, session_id, session_ref, look_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, clock_timestamp() + $13 * interval '1 millisecond')`,
    values: [
      run.id,
      run.tenant_id,
      run.project_id,
      run.provider_id,
      run.backend_profile,
      run.workspace_ref,
      run.execution_policy,
      run.resource_bundle_ref,
      run.trace_sink,
      run.metadata,
      run.session_id,
      run.session_ref,
      run.execution_policy.pendingTimeoutMs,
    ],
  });
}

/** The run of a session that has not ended; there is at most one. */
export async function findOpenRunOfSession(sql: Sql, sessionId: string): Promise<RunRow | undefined> {
  const { rows } = await sql.query<RunRow>({
    name: 'open-run-of-session',
    text: `SELECT ${COLUMNS} FROM agentrun_runs WHERE session_id = $1 AND terminal_status IS NULL`,
    values: [sessionId],
  });
  return rows[0];
}

/** The first run of a session, or the one that was made after another; undefined when there is none. */
export async function nextRunOfSession(sql: Sql, sessionId: string, after: string | null): Promise<string | undefined> {
  const { rows } = await sql.query<{ id: string }>({
    name: 'next-run-of-session',
    text: `SELECT id FROM agentrun_runs WHERE session_id = $1 AND ($2::text IS NULL
        OR (created_at, id) > (SELECT created_at, id FROM agentrun_runs WHERE id = $2))
      ORDER BY created_at, id LIMIT 1`,
    values: [sessionId, after],
  });
  return rows[0]?.id;
}

export interface RunPage {
  readonly status?: RunStatus | 'open' | undefined;
  readonly sessionId?: string | undefined;
  readonly backendProfile?: string | undefined;
  readonly tenantId?: string | undefined;
  readonly projectId?: string | undefined;
  readonly before?: { readonly at: string; readonly id: string } | undefined;
  readonly limit: number;
}

/** Newest first. `cursor_at` has the microseconds that the wire has not. */
export async function listRuns(sql: Sql, page: RunPage): Promise<(RunRow & { cursor_at: string })[]> {
  const values: unknown[] = [page.limit];
  const where = ['true'];
  const equal = (column: string, value: string | undefined) => {
    if (value !== undefined) where.push(`${column} = $${values.push(value)}`);
  };
  equal('session_id', page.sessionId);
  equal('backend_profile', page.backendProfile);
  equal('tenant_id', page.tenantId);
  equal('project_id', page.projectId);
  if (page.status === 'open') where.push('terminal_status IS NULL');
  else equal('status', page.status);
  if (page.before !== undefined) {
    where.push(`(created_at, id) < ($${values.push(page.before.at)}::timestamptz, $${values.push(page.before.id)})`);
  }
  const { rows } = await sql.query<RunRow & { cursor_at: string }>(
    `SELECT ${COLUMNS}, ${cursorAt('created_at')}
     FROM agentrun_runs WHERE ${where.join(' AND ')} ORDER BY created_at DESC, id DESC LIMIT $1`,
    values,
  );
  return rows;
}

/** The run as everybody may see it; the caller redacts. */
export function runRecord(row: RunRow) {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    projectId: row.project_id,
    providerId: row.provider_id,
    backendProfile: row.backend_profile,
    workspaceRef: row.workspace_ref,
    executionPolicy: row.execution_policy,
    sessionRef: row.session_ref,
    resourceBundleRef: row.resource_bundle_ref,
    traceSink: row.trace_sink,
    metadata: row.metadata,
    status: row.status,
    terminalStatus: row.terminal_status,
    failureKind: row.failure_kind,
    failureMessage: row.failure_message,
    claimedBy: row.claimed_by,
    leaseExpiresAt: isoOrNull(row.lease_expires_at),
    leaseEpoch: row.lease_epoch,
    attemptId: row.attempt_id,
    attemptCount: row.attempt_count,
    lastSeq: row.last_event_seq,
    cancelRequestedAt: isoOrNull(row.cancel_requested_at),
    cancelReason: row.cancel_reason,
    cancelReceipts: row.cancel_receipts,
    diagnosis: row.diagnosis,
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
  };
}
export type RunRecord = ReturnType<typeof runRecord>;
