import type { RunModel } from './run-model.ts';
import type { RealRun, Services } from './run-system.ts';

/** What of a run can be told from outside, in the words of the model. */
export interface Seen {
  readonly status: string;
  readonly terminal: string | null;
  readonly epoch: number;
  readonly attempt: number | null;
  readonly holder: string | null;
  readonly live: boolean;
  readonly cancelRequested: boolean;
  readonly lost: number;
  readonly commands: readonly string[];
  readonly stored: number;
  readonly fenced: number;
}

const line = (type: string, state: string, terminal: string | null, target: number | null, cancel: boolean) =>
  `${type} ${state} ${terminal ?? ''} ${target ?? ''} ${cancel ? 'cancel' : ''}`;

/** What the database says; the numbers of the commands of `run` are renewed. */
export async function observe({ pool }: Services, run: RealRun): Promise<Seen> {
  const { rows } = await pool.query<Omit<Seen, 'commands'> & { attempt_id: string | null }>(
    `SELECT status, terminal_status AS terminal, lease_epoch AS epoch, attempt_id, claimed_by AS holder,
       coalesce(lease_expires_at > clock_timestamp(), false) AS live, cancel_requested_at IS NOT NULL AS "cancelRequested",
       lost_attempts AS lost,
       (SELECT count(*) FROM agentrun_events WHERE run_id = r.id AND epoch IS NOT NULL) AS stored,
       (SELECT coalesce(sum(count), 0)::bigint FROM agentrun_fenced_writes WHERE run_id = r.id) AS fenced
     FROM agentrun_runs r WHERE id = $1`,
    [run.runId],
  );
  const commands = await pool.query<{
    id: string;
    type: string;
    state: string;
    terminal_status: string | null;
    target_command_id: string | null;
    cancelled: boolean;
  }>(
    `SELECT id, type, state, terminal_status, target_command_id, cancel_requested_at IS NOT NULL AS cancelled
     FROM agentrun_commands WHERE run_id = $1 ORDER BY seq`,
    [run.runId],
  );
  const [row] = rows;
  if (row === undefined) throw new Error(`run ${run.runId} is not there`);
  run.commands = commands.rows.map(({ id }) => id);
  const { attempt_id: attemptId, ...rest } = row;
  const attempt = run.attempts.findIndex(({ id }) => id === attemptId);
  const { status, terminal, epoch, holder, live, cancelRequested, lost, stored, fenced } = rest;
  return {
    status,
    terminal,
    epoch,
    attempt: attemptId === null ? null : attempt,
    holder,
    live,
    cancelRequested,
    lost,
    stored,
    fenced,
    commands: commands.rows.map((command) => {
      const target = run.commands.indexOf(command.target_command_id ?? '') + 1;
      const state = command.terminal_status === null ? command.state : 'ended';
      return line(command.type, state, command.terminal_status, target || null, command.cancelled);
    }),
  };
}

/** The same, as the model says it. */
export function expected(model: RunModel): Seen {
  const { status, terminal, epoch, attempt, holder, live, cancelRequested, lost, stored, fenced } = model;
  return {
    status,
    terminal,
    epoch,
    attempt,
    holder,
    live,
    cancelRequested,
    lost,
    stored,
    fenced,
    commands: model.commands.map((command) =>
      line(command.type, command.state, command.terminal, command.target, command.cancelRequested),
    ),
  };
}

/** What must be true of a run, whatever happened: every end is told once, and its session shows the turn that it is at. */
export async function faultsOf({ pool }: Services, run: RealRun): Promise<string[]> {
  const { rows } = await pool.query<{ fault: string }>(
    `SELECT 'command ' || c.seq || ' has ' || count(e.seq) || ' ends' AS fault
     FROM agentrun_commands c LEFT JOIN agentrun_events e ON e.run_id = c.run_id
       AND e.payload ->> 'phase' = 'command-terminal' AND e.payload ->> 'commandId' = c.id
     WHERE c.run_id = $1 GROUP BY c.id HAVING count(e.seq) <> (c.terminal_status IS NOT NULL)::int
     UNION ALL
     SELECT 'the run has ' || count(e.seq) || ' ends' FROM agentrun_runs r
     LEFT JOIN agentrun_events e ON e.run_id = r.id AND e.type = 'terminal_status'
     WHERE r.id = $1 GROUP BY r.id HAVING count(e.seq) <> (r.terminal_status IS NOT NULL)::int
     UNION ALL
     SELECT 'event ' || seq || ' of epoch ' || epoch || ' comes after epoch ' || former FROM (
       SELECT seq, epoch, max(epoch) OVER (ORDER BY seq) AS former FROM agentrun_events WHERE run_id = $1) e
     WHERE epoch < former
     UNION ALL
     SELECT 'the session is ' || s.execution_state || ' with ' || coalesce('turn ' || c.seq || ' ' || c.state, 'no turn')
       || ', while turns ' || coalesce(t.turns, 'none') || ' are open'
     FROM agentrun_runs r JOIN agentrun_sessions s USING (session_id)
     LEFT JOIN agentrun_commands c ON c.id = s.active_command_id
     CROSS JOIN LATERAL (
       SELECT string_agg(seq || ' ' || state, ', ' ORDER BY seq) AS turns, bool_or(state = 'acknowledged') AS taken
       FROM agentrun_commands WHERE run_id = r.id AND type = 'turn' AND terminal_status IS NULL) t
     WHERE r.id = $1 AND NOT CASE
       WHEN t.turns IS NULL THEN s.execution_state = 'idle' AND s.active_command_id IS NULL
       ELSE s.execution_state = 'running' AND c.type = 'turn' AND c.terminal_status IS NULL
         AND (c.state = 'acknowledged') = t.taken END`,
    [run.runId],
  );
  return rows.map(({ fault }) => fault);
}
