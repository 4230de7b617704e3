import type { FailureKind, TerminalStatus } from '@agentrun/lib/contract';
import type { Sql } from '../db/transaction.ts';

/** A run was made: it is the last one, and its commands come. */
export async function noteRun(sql: Sql, id: string, runId: string): Promise<void> {
  await sql.query({
    name: 'note-run',
    text: `UPDATE agentrun_sessions SET last_run_id = $2, last_command_id = NULL, active_run_id = $2,
        active_command_id = NULL, last_activity_at = now(), updated_at = now() WHERE session_id = $1`,
    values: [id, runId],
  });
}

/** A turn was asked for: the session runs, and its former outcome is gone. Of a steer only the last command changes. */
export async function noteCommand(
  sql: Sql,
  id: string,
  command: { readonly id: string; readonly runId: string; readonly isTurn: boolean; readonly title: string | null },
): Promise<void> {
  await sql.query({
    name: 'note-command',
    text: `UPDATE agentrun_sessions SET last_run_id = $2, last_command_id = $3, active_run_id = $2,
        active_command_id = CASE WHEN $4 AND (active_command_id IS NULL OR active_run_id IS DISTINCT FROM $2)
          THEN $3 ELSE active_command_id END,
        execution_state = 'running',
        terminal_status = CASE WHEN $4 THEN NULL ELSE terminal_status END,
        failure_kind = CASE WHEN $4 THEN NULL ELSE failure_kind END,
        title = coalesce(title, $5), last_activity_at = now(), updated_at = now()
      WHERE session_id = $1 AND execution_state <> 'terminal'`,
    values: [id, command.runId, command.id, command.isTurn, command.title],
  });
}

/** The runner took up a turn: that one is active. */
export async function noteAcknowledged(sql: Sql, id: string, runId: string, commandId: string): Promise<void> {
  await sql.query(
    `UPDATE agentrun_sessions SET active_command_id = $3, last_activity_at = now()
     WHERE session_id = $1 AND active_run_id = $2 AND execution_state <> 'terminal'`,
    [id, runId, commandId],
  );
}

/**
 * A turn ended: its outcome is the session's, and unless another turn of the run waits the session is idle. Nothing
 * happens when another run has become the active one since. Each end moves the expiry.
 */
export async function noteTurnEnd(
  sql: Sql,
  id: string,
  end: {
    readonly runId: string;
    readonly commandId: string;
    readonly terminalStatus: TerminalStatus;
    readonly failureKind: FailureKind | null;
    /** The turn of the run that comes next. */
    readonly nextCommandId: string | null;
  },
): Promise<void> {
  await sql.query({
    name: 'note-turn-end',
    text: `UPDATE agentrun_sessions SET active_command_id = $6,
        execution_state = CASE WHEN $6::text IS NULL THEN 'idle' ELSE 'running' END,
        terminal_status = CASE WHEN $6::text IS NULL THEN $4 END,
        failure_kind = CASE WHEN $6::text IS NULL THEN $5 END,
        last_command_id = CASE WHEN $6::text IS NULL THEN $3 ELSE last_command_id END,
        expires_at = greatest(expires_at, now() + ttl_ms * interval '1 millisecond'),
        last_activity_at = now(), updated_at = now()
      WHERE session_id = $1 AND active_run_id = $2 AND execution_state <> 'terminal'`,
    values: [id, end.runId, end.commandId, end.terminalStatus, end.failureKind, end.nextCommandId],
  });
}

/** A run ended: if it is still the active one, the session is idle. `outcome` null keeps the one of the last turn. */
export async function noteRunEnd(
  sql: Sql,
  id: string,
  runId: string,
  outcome: { readonly terminalStatus: TerminalStatus; readonly failureKind: FailureKind | null } | null,
): Promise<void> {
  await sql.query({
    name: 'note-run-end',
    text: `UPDATE agentrun_sessions SET active_run_id = NULL, active_command_id = NULL, execution_state = 'idle',
        terminal_status = CASE WHEN $3 THEN $4 ELSE terminal_status END,
        failure_kind = CASE WHEN $3 THEN $5 ELSE failure_kind END,
        expires_at = greatest(expires_at, now() + ttl_ms * interval '1 millisecond'),
        last_activity_at = now(), updated_at = now()
      WHERE session_id = $1 AND active_run_id = $2 AND execution_state <> 'terminal'`,
    values: [id, runId, outcome !== null, outcome?.terminalStatus ?? null, outcome?.failureKind ?? null],
  });
}

/** The agent told its thread: only that, and the turn it was told in, changes. */
export async function noteThread(sql: Sql, id: string, threadId: string, turnId: string | null): Promise<void> {
  await sql.query(
    `UPDATE agentrun_sessions SET thread_id = $2,
       metadata = CASE WHEN $3::text IS NULL THEN metadata ELSE metadata || jsonb_build_object('lastTurnId', $3::text) END,
       updated_at = now() WHERE session_id = $1 AND execution_state <> 'terminal'`,
    [id, threadId, turnId],
  );
}

/** Events of a run came; at most one write in five seconds for each session. */
export async function noteActivity(sql: Sql, runId: string): Promise<void> {
  await sql.query({
    name: 'note-activity',
    text: `UPDATE agentrun_sessions SET last_activity_at = now()
      WHERE session_id = (SELECT session_id FROM agentrun_runs WHERE id = $1)
      AND (last_activity_at IS NULL OR last_activity_at < now() - interval '5 seconds')`,
    values: [runId],
  });
}

/** Any number, the same in every manager: versions become visible in their order. */
const VERSION_LOCK = 4_201_702;

/** Raises the version; the last statement of its transaction, since it waits for others that do the same. */
export async function raiseVersion(sql: Sql, id: string): Promise<void> {
  await sql.query({ name: 'version-lock', text: 'SELECT pg_advisory_xact_lock($1)', values: [VERSION_LOCK] });
  await sql.query({
    name: 'raise-version',
    text: `UPDATE agentrun_sessions SET version = nextval('agentrun_session_version_seq') WHERE session_id = $1`,
    values: [id],
  });
}
