import { type CreateSession, SESSION_TTL_MS, type SessionListState } from '@agentrun/lib/contract';
import { inTransaction, type Sql } from '../db/transaction.ts';
import { Failure } from '../failure.ts';
import { newId } from '../ids.ts';
import { invalidField } from '../invalid-field.ts';
import { decodeTimeCursor, pageOf } from '../page-cursor.ts';
import { raiseVersion } from '../store/session-notes.ts';
import {
  findSession,
  insertSession,
  listSessions,
  markRead,
  readVersion,
  type SessionRow,
  sessionRecord,
} from '../store/sessions.ts';
import { assertBoundary } from './create-run.ts';
import type { Manager } from './manager.ts';

/** A session as a reader sees it; `readVersion` null has never read it. */
function sessionSummary(manager: Manager, row: SessionRow, readVersionOfReader: number | null) {
  const unread = readVersionOfReader === null || readVersionOfReader < row.version;
  const hasFailed = row.terminal_status === 'failed' || row.terminal_status === 'blocked';
  const attentionState =
    row.is_open && row.execution_state === 'running' ? 'active-session' : attention(unread, hasFailed);
  return manager.redact.json({
    ...sessionRecord(row),
    attentionState,
    active: row.is_open,
    unread,
    sessionPath: `/api/v1/sessions/${encodeURIComponent(row.session_id)}`,
  });
}
export type SessionSummary = ReturnType<typeof sessionSummary>;

function attention(unread: boolean, hasFailed: boolean): 'failed' | 'unread' | 'quiet' {
  if (!unread) return 'quiet';
  return hasFailed ? 'failed' : 'unread';
}

export interface SessionQuery {
  readonly state: SessionListState;
  readonly backendProfile?: string | undefined;
  readonly readerId?: string | undefined;
  readonly cursor?: string | undefined;
  readonly limit: number;
}

/**
 * A page of sessions, newest change first; the cursor is null on the last one.
 *
 * @throws Failure `schema-invalid` for a profile that is not known
 */
export async function pageOfSessions(manager: Manager, query: SessionQuery) {
  if (query.backendProfile !== undefined && !(await manager.profiles.has(query.backendProfile))) {
    throw invalidField('query.backendProfile', 'names no profile', query.backendProfile);
  }
  const { cursor, ...rest } = query;
  const before = cursor === undefined ? undefined : decodeTimeCursor(cursor);
  const rows = await listSessions(manager.pool, {
    ...rest,
    limit: query.limit + 1,
    before: before && { updatedAt: before.at, sessionId: before.id },
  });
  const { page, cursor: next } = pageOf(rows, query.limit, (row) => row.session_id);
  return {
    items: page.map((row) => sessionSummary(manager, row, row.read_version)),
    count: page.length,
    cursor: next,
    filters: { state: query.state, backendProfile: query.backendProfile ?? null, readerId: query.readerId ?? null },
  };
}

/** @throws Failure `not-found` */
export async function sessionRow(sql: Sql, id: string): Promise<SessionRow> {
  return (await findSession(sql, id)) ?? noSession(id);
}

export function noSession(id: string): never {
  throw new Failure('not-found', `there is no session ${id}`);
}

export async function summaryOf(manager: Manager, id: string, readerId: string | undefined): Promise<SessionSummary> {
  const row = await sessionRow(manager.pool, id);
  const read = readerId === undefined ? null : await readVersion(manager.pool, id, readerId);
  return sessionSummary(manager, row, read);
}

export async function readSession(manager: Manager, id: string, readerId: string) {
  return (await markRead(manager.pool, id, readerId)) ?? noSession(id);
}

/**
 * The row of a session, made if it is new. Its volume is made after, so that a failure leaves a session whose creation
 * can be asked for again.
 *
 * @throws Failure `conflict` for a session of another tenant, project or profile; `session-store-evicted`.
 */
export async function ensureSession(
  manager: Manager,
  input: Omit<CreateSession, 'idempotencyKey'>,
): Promise<{ readonly row: SessionRow; readonly isNew: boolean }> {
  const backendProfile = input.backendProfile ?? 'codex';
  if (!(await manager.profiles.has(backendProfile))) {
    throw invalidField('body.backendProfile', 'names no profile', backendProfile);
  }
  const id = input.sessionId ?? newId('sess');
  return await inTransaction(manager.pool, async (sql) => {
    const isNew = await insertSession(sql, {
      id,
      tenantId: input.tenantId,
      projectId: input.projectId,
      backendProfile,
      conversationId: input.conversationId ?? null,
      threadId: null,
      title: null,
      metadata: input.metadata ?? {},
      expiresAt: input.expiresAt,
      ttlMs: SESSION_TTL_MS,
      codexRolloutSubdir: input.codexRolloutSubdir,
    });
    const row = await sessionRow(sql, id);
    if (!isNew) {
      const { tenantId, projectId } = input;
      assertBoundary(row, { tenantId, projectId, ...(input.backendProfile === undefined ? {} : { backendProfile }) });
    } else await raiseVersion(sql, id);
    return { row, isNew };
  });
}
