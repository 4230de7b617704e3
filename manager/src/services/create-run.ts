import {
  type CreateRun,
  EXECUTION_POLICY_DEFAULTS,
  type ExecutionPolicy,
  SESSION_TTL_MS,
  type SessionRef,
} from '@agentrun/lib/contract';
import type { Sql } from '../db/transaction.ts';
import { Failure } from '../failure.ts';
import { newId } from '../ids.ts';
import { invalidField } from '../invalid-field.ts';
import { lockOpenCommands } from '../store/commands.ts';
import { addEvents } from '../store/events.ts';
import { notifyRun } from '../store/notify.ts';
import { findOpenRunOfSession, findRun, insertRun, lockRun, type RunRow } from '../store/runs.ts';
import { noteRun, raiseVersion } from '../store/session-notes.ts';
import { insertSession, lockSession, type SessionRow } from '../store/sessions.ts';
import { closeRun, failed } from './ending.ts';
import { lastTurnOutcome } from './last-turn.ts';
import type { Manager } from './manager.ts';

/** A run as it was asked for, with its policy whole. */
export type RunInput = Omit<CreateRun, 'executionPolicy' | 'idempotencyKey'> & {
  readonly executionPolicy: ExecutionPolicy;
};

/**
 * Looks at what the schema cannot: the profile, and that the policy is one. Everything is checked before anything is
 * written.
 */
export async function runInput(manager: Manager, body: CreateRun): Promise<RunInput> {
  if (!(await manager.profiles.has(body.backendProfile))) {
    throw invalidField('body.backendProfile', 'names no profile', body.backendProfile);
  }
  if (body.workspaceRef.kind === 'session' && !body.sessionRef) {
    throw invalidField('body.workspaceRef.kind', 'is "session", but body.sessionRef names none', 'session');
  }
  const { idempotencyKey: _key, ...rest } = body;
  return { ...rest, executionPolicy: { ...EXECUTION_POLICY_DEFAULTS, ...defined(body.executionPolicy ?? {}) } };
}

function defined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Partial<T>;
}

/**
 * Makes a pending run within a transaction. Its session is made if it is new; an open run of the session that has nothing
 * left to do is ended first.
 *
 * @throws Failure `session-busy` when the session has an open run with open commands, `session-store-evicted`, or
 *   `conflict` when the session belongs to another tenant, project or profile.
 */
export async function createRunIn(manager: Manager, sql: Sql, input: RunInput): Promise<RunRow> {
  const session = input.sessionRef ? await sessionFor(sql, input, input.sessionRef) : undefined;
  if (session !== undefined) await makeRoom(manager, sql, session);
  const id = newId('run');
  const sessionRef = session === undefined ? null : refOf(session, input.sessionRef ?? null);
  await insertRun(sql, {
    id,
    tenant_id: input.tenantId,
    project_id: input.projectId,
    provider_id: input.providerId,
    backend_profile: input.backendProfile,
    workspace_ref: input.workspaceRef,
    execution_policy: input.executionPolicy,
    resource_bundle_ref: input.resourceBundleRef ?? null,
    trace_sink: input.traceSink ?? null,
    metadata: input.metadata ?? {},
    session_id: session?.session_id ?? null,
    session_ref: sessionRef,
  });
  if (session !== undefined) {
    await noteRun(sql, session.session_id, id);
    await notifyRun(sql, session.session_id);
  }
  await addEvents(sql, id, [
    {
      type: 'backend_status',
      payload: manager.redact.json({
        phase: 'run-created',
        backendProfile: input.backendProfile,
        sessionRef,
        resourceBundleRef: bundleSummary(input.resourceBundleRef),
      }),
    },
  ]);
  return (await findRun(sql, id)) as RunRow;
}

/** The session of a run, locked; made if it is new. */
export async function sessionFor(sql: Sql, input: RunInput, ref: SessionRef): Promise<SessionRow> {
  const isNew = await insertSession(sql, {
    id: ref.sessionId,
    tenantId: input.tenantId,
    projectId: input.projectId,
    backendProfile: input.backendProfile,
    conversationId: ref.conversationId ?? null,
    threadId: ref.threadId ?? null,
    title: typeof ref.metadata?.['title'] === 'string' ? ref.metadata['title'].slice(0, 256) : null,
    metadata: ref.metadata ?? {},
    expiresAt: ref.expiresAt,
    ttlMs: SESSION_TTL_MS,
  });
  const session = await lockSession(sql, ref.sessionId);
  if (session === undefined) throw new Error(`session ${ref.sessionId} vanished`);
  if (isNew) {
    await raiseVersion(sql, ref.sessionId);
    return session;
  }
  assertBoundary(session, input);
  return session;
}

/** A session is of one tenant, one project and one profile, and takes no run once its volume is gone. */
export function assertBoundary(
  session: SessionRow,
  input: { readonly tenantId: string; readonly projectId: string; readonly backendProfile?: string },
): void {
  const differs = [
    session.tenant_id === input.tenantId ? undefined : 'tenantId',
    session.project_id === input.projectId ? undefined : 'projectId',
    input.backendProfile === undefined || session.backend_profile === input.backendProfile
      ? undefined
      : 'backendProfile',
  ].filter((name) => name !== undefined);
  if (differs.length > 0) {
    throw new Failure('conflict', `session ${session.session_id} has another ${differs.join(' and ')}`, {
      details: { sessionId: session.session_id, differs },
    });
  }
  assertUsable(session);
}

export function assertUsable(session: SessionRow): void {
  if (session.storage_kind !== 'evicted') return;
  throw new Failure('session-store-evicted', `the volume of session ${session.session_id} was evicted`, {
    details: { sessionId: session.session_id },
  });
}

async function makeRoom(manager: Manager, sql: Sql, session: SessionRow): Promise<void> {
  const seen = await findOpenRunOfSession(sql, session.session_id);
  if (seen === undefined) return;
  const open = await lockRun(sql, seen.id);
  if (open === undefined || open.terminal_status !== null) return;
  const commands = await lockOpenCommands(sql, open.id);
  if (commands.length > 0 || open.status === 'cancelling') {
    throw new Failure('session-busy', `session ${session.session_id} has the open run ${open.id}`, {
      details: { sessionId: session.session_id, runId: open.id, status: open.status, openCommands: commands.length },
    });
  }
  const outcome =
    (await lastTurnOutcome(sql, open.id)) ??
    failed('cancelled', 'cancelled', 'a new run of the session took its place');
  await closeRun(manager, sql, open, outcome, outcome, true);
}

function refOf(session: SessionRow, given: SessionRef | null): SessionRef {
  return {
    sessionId: session.session_id,
    conversationId: session.conversation_id ?? given?.conversationId ?? null,
    threadId: session.thread_id ?? given?.threadId ?? null,
    metadata: { ...session.metadata, ...given?.metadata },
  };
}

function bundleSummary(bundle: CreateRun['resourceBundleRef']): object | null {
  if (!bundle) return null;
  return {
    repositories: (bundle.repositories ?? []).map(({ commit, path }) => ({ commit, path })),
    files: bundle.files?.length ?? 0,
    prompts: bundle.prompts?.length ?? 0,
    skills: bundle.skills?.length ?? 0,
    hasInstructions: bundle.instructions !== undefined,
    valuesPrinted: false,
  };
}
