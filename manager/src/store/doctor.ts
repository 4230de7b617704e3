import type { Violation } from '@agentrun/lib/contract';
import type { Sql } from '../db/transaction.ts';

interface Rule {
  readonly name: string;
  /** Selects `run_id`, `session_id` and `message` of each violation; $1 is the slack, $2 the length of a lease, in ms. */
  readonly sql: string;
}

/** Runs whose log is counted: the open ones, and the newest that ended. */
const COUNTED = `(SELECT id, session_id, last_event_seq, terminal_status FROM agentrun_runs WHERE terminal_status IS NULL
  UNION ALL (SELECT id, session_id, last_event_seq, terminal_status FROM agentrun_runs
    WHERE terminal_status IS NOT NULL ORDER BY ended_at DESC LIMIT 1000))`;

const SLACK = `$1 * interval '1 millisecond'`;

const RULES: readonly Rule[] = [
  {
    name: 'open-run-is-watched',
    sql: `SELECT id AS run_id, session_id, 'open and ' || status || ', but nobody looks at it: its time came at '
        || coalesce(look_at, lease_expires_at)::text AS message
      FROM agentrun_runs WHERE terminal_status IS NULL AND NOT (
        (claimed_by IS NOT NULL AND lease_expires_at + ${SLACK} > clock_timestamp())
        OR (claimed_by IS NULL AND look_at + ${SLACK} > clock_timestamp()))`,
  },
  {
    name: 'running-has-a-turn',
    sql: `SELECT r.id AS run_id, session_id, 'is ' || r.status || ' with ' || count(c.id) || ' turns under way' AS message
      FROM agentrun_runs r LEFT JOIN agentrun_commands c
        ON c.run_id = r.id AND c.type = 'turn' AND c.state = 'acknowledged'
      WHERE r.terminal_status IS NULL GROUP BY r.id
      HAVING (r.status = 'running' AND count(c.id) <> 1) OR (r.status IN ('pending', 'claimed') AND count(c.id) > 0)`,
  },
  {
    name: 'ended-run-has-no-open-command',
    sql: `SELECT r.id AS run_id, session_id, 'has ended, but command ' || c.id || ' is ' || c.state AS message
      FROM agentrun_commands c JOIN agentrun_runs r ON r.id = c.run_id
      WHERE c.terminal_status IS NULL AND r.terminal_status IS NOT NULL`,
  },
  {
    name: 'events-have-no-hole',
    sql: `SELECT r.id AS run_id, session_id, 'counts ' || last_event_seq || ' events and has ' || count(e.seq)
        || ', the last ' || coalesce(max(e.seq), 0) AS message
      FROM ${COUNTED} r LEFT JOIN agentrun_events e ON e.run_id = r.id
      GROUP BY r.id, session_id, last_event_seq
      HAVING count(e.seq) <> last_event_seq OR coalesce(max(e.seq), 0) <> last_event_seq`,
  },
  {
    name: 'ended-run-tells-its-end-last',
    sql: `SELECT r.id AS run_id, session_id, 'has ended, but its last event is ' || coalesce(e.type, 'none') AS message
      FROM ${COUNTED} r LEFT JOIN agentrun_events e ON e.run_id = r.id AND e.seq = r.last_event_seq
      WHERE r.terminal_status IS NOT NULL AND e.type IS DISTINCT FROM 'terminal_status'`,
  },
  {
    name: 'commands-have-no-hole',
    sql: `SELECT r.id AS run_id, session_id, 'counts ' || last_command_seq || ' commands and has ' || count(c.seq) AS message
      FROM agentrun_runs r LEFT JOIN agentrun_commands c ON c.run_id = r.id
      WHERE r.terminal_status IS NULL GROUP BY r.id HAVING count(c.seq) <> last_command_seq`,
  },
  {
    name: 'session-points-at-its-open-run',
    sql: `SELECT r.id AS run_id, s.session_id, 'session has active run ' || coalesce(s.active_run_id, 'none')
        || ', its open run is ' || coalesce(r.id, 'none') AS message
      FROM agentrun_sessions s LEFT JOIN agentrun_runs r
        ON r.session_id = s.session_id AND r.terminal_status IS NULL
      WHERE (s.active_run_id IS NOT NULL OR r.id IS NOT NULL) AND s.active_run_id IS DISTINCT FROM r.id`,
  },
  {
    name: 'running-session-has-a-turn',
    sql: `SELECT s.active_run_id AS run_id, s.session_id, 'session is running without an open turn' AS message
      FROM agentrun_sessions s WHERE s.execution_state = 'running' AND NOT EXISTS (
        SELECT 1 FROM agentrun_commands c WHERE c.run_id = s.active_run_id AND c.terminal_status IS NULL)`,
  },
  {
    name: 'cancel-comes-to-an-end',
    sql: `SELECT id AS run_id, session_id, 'is cancelling since ' || cancel_requested_at::text AS message
      FROM agentrun_runs WHERE terminal_status IS NULL
        AND cancel_requested_at + $2 * interval '1 millisecond' + ${SLACK} < clock_timestamp()`,
  },
  {
    name: 'attempt-ends-with-its-run',
    sql: `SELECT r.id AS run_id, session_id, 'has ended, but attempt ' || a.id || ' is ' || a.status AS message
      FROM agentrun_attempts a JOIN agentrun_runs r ON r.id = a.run_id AND r.attempt_id = a.id
      WHERE r.terminal_status IS NOT NULL AND a.ended_at IS NULL`,
  },
  {
    name: 'promises-are-kept',
    sql: `SELECT o.run_id, session_id, o.kind || ' of attempt ' || o.attempt_id || ' is due since ' || o.due_at::text
        || coalesce(': ' || o.last_error, '') AS message
      FROM agentrun_outbox o JOIN agentrun_runs r ON r.id = o.run_id
      WHERE o.due_at + ${SLACK} < clock_timestamp()`,
  },
];

/** The names of all rules. */
export const RULE_NAMES: readonly string[] = RULES.map(({ name }) => name);

/**
 * Every violation of what must always hold, at most 1000 of each rule. `slackMs` is how late a look may be, `leaseMs` the
 * length of a lease.
 */
export async function findViolations(sql: Sql, slackMs: number, leaseMs: number): Promise<Violation[]> {
  const found: Violation[] = [];
  for (const { name, sql: text } of RULES) {
    const { rows } = await sql.query<{ run_id: string | null; session_id: string | null; message: string }>(
      // Each names both parameters, so that one list of values fits all.
      `SELECT * FROM (${text}) violations WHERE $1::bigint IS NOT NULL AND $2::bigint IS NOT NULL LIMIT 1000`,
      [slackMs, leaseMs],
    );
    found.push(
      ...rows.map((row) => ({ rule: name, runId: row.run_id, sessionId: row.session_id, message: row.message })),
    );
  }
  return found;
}
