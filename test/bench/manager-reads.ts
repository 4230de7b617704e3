import { type LeanConnection, percentile } from './lean-http.ts';
import { type Bench, pendingRuns } from './manager-setup.ts';
import type { Row } from './row.ts';
import { median } from './timed.ts';

const EVENTS = 100_000;
const PAGE = 200;
const ROUNDS = 300;
const SESSIONS = 100_000;

/** A page of a long run, at its beginning, its middle and its end, in turns. */
export async function benchDeepPage(bench: Bench): Promise<Row[]> {
  const [run] = await pendingRuns(bench, 1);
  const [connection] = bench.connect(1);
  if (run === undefined || connection === undefined) throw new Error('there is no run');
  await bench.sql.query(
    `INSERT INTO agentrun_events (run_id, seq, type, payload, epoch)
     SELECT $1, n, 'assistant_delta', jsonb_build_object('commandId', 'cmd_1', 'text', repeat('a few words ', 8)), 1
     FROM generate_series((SELECT last_event_seq FROM agentrun_runs WHERE id = $1) + 1, $2) n`,
    [run.runId, EVENTS],
  );
  await bench.sql.query('UPDATE agentrun_runs SET last_event_seq = $2 WHERE id = $1', [run.runId, EVENTS]);
  await bench.sql.query('VACUUM ANALYZE agentrun_events');
  const depths = { first: 0, middle: EVENTS / 2, last: EVENTS - PAGE };
  const times = { first: [] as number[], middle: [] as number[], last: [] as number[] };
  for (let round = -20; round < ROUNDS; round += 1) {
    for (const depth of ['first', 'middle', 'last'] as const) {
      const path = `/api/v1/runs/${run.runId}/events?afterSeq=${depths[depth]}&limit=${PAGE}`;
      const ms = await timeOf(connection, path, bench.operator);
      if (round >= 0) times[depth].push(ms);
    }
  }
  const row = (depth: keyof typeof times): Row => ({
    what: `page of ${PAGE} events, ${depth} of ${EVENTS / 1000}k, p50`,
    value: percentile(times[depth], 0.5),
    unit: 'ms',
    note: `p99 ${percentile(times[depth], 0.99).toFixed(1)} ms`,
  });
  const toFirst = (depth: 'middle' | 'last') =>
    median(times[depth].map((ms, round) => ms / (times.first[round] ?? Number.NaN)));
  const note = 'the median of what was asked for in turns';
  return [
    row('first'),
    row('middle'),
    row('last'),
    {
      what: 'the deepest page to the first',
      value: Math.max(toFirst('middle'), toFirst('last')),
      unit: 'times',
      target: 1.5,
      note,
    },
  ];
}

/** Pages of very many sessions in each of the states that can be asked for. */
export async function benchSessionList(bench: Bench): Promise<Row[]> {
  await fillSessions(bench);
  const [connection] = bench.connect(1);
  if (connection === undefined) throw new Error('there is no connection');
  const states = ['default', 'all', 'running', 'idle', 'terminal', 'unread'];
  const queries = states.map((state) => `state=${state}${state === 'unread' ? '&readerId=reader' : ''}`);
  const places = [''];
  let cursor: string | null = null;
  for (let page = 1; page <= 500; page += 1) {
    const after: string = cursor === null ? '' : `&cursor=${cursor}`;
    const answer: { cursor: string | null } = await connection.data({
      method: 'GET',
      path: `/api/v1/sessions?limit=100${after}`,
      headers: bench.operator,
    });
    ({ cursor } = answer);
    if (cursor !== null && (page === 1 || page === 500)) places.push(`&cursor=${cursor}`);
  }
  const all: number[] = [];
  const rows: Row[] = [];
  for (const query of queries) {
    const times: number[] = [];
    for (let round = -5; round < ROUNDS / 3; round += 1) {
      for (const place of places) {
        const ms = await timeOf(connection, `/api/v1/sessions?limit=50&${query}${place}`, bench.operator);
        if (round >= 0) times.push(ms);
      }
    }
    all.push(...times);
    rows.push({
      what: `50 of ${SESSIONS / 1000}k sessions, ${query.split('&')[0] ?? ''}, p99`,
      value: percentile(times, 0.99),
      unit: 'ms',
      note: `p50 ${percentile(times, 0.5).toFixed(1)} ms; the first page, one near it, one after 50k`,
    });
  }
  const note = 'all states and pages';
  return [
    ...rows,
    { what: `50 of ${SESSIONS / 1000}k sessions, p50`, value: percentile(all, 0.5), unit: 'ms', note },
    { what: `50 of ${SESSIONS / 1000}k sessions, p99`, value: percentile(all, 0.99), unit: 'ms', target: 20, note },
  ];
}

async function timeOf(connection: LeanConnection, path: string, headers: string): Promise<number> {
  const begun = performance.now();
  const { status, text } = await connection.ask({ method: 'GET', path, headers });
  const ms = performance.now() - begun;
  if (status !== 200) throw new Error(`GET ${path}: ${status} ${text}`);
  return ms;
}

/** One in 500 runs, one in 20 was evicted, the others are idle, most of them with an outcome; one reader knows most. */
async function fillSessions({ sql }: Bench): Promise<void> {
  await sql.query(
    `INSERT INTO agentrun_sessions (session_id, tenant_id, project_id, backend_profile, title, execution_state,
       terminal_status, last_run_id, active_run_id, storage_kind, created_at, updated_at, last_activity_at, expires_at)
     SELECT 'sess_bench_' || n, 'bench', 'bench', 'codex', 'session ' || n,
       CASE WHEN n % 500 = 0 THEN 'running' WHEN n % 20 = 1 THEN 'terminal' ELSE 'idle' END,
       CASE WHEN n % 500 = 0 OR n % 5 = 2 THEN NULL WHEN n % 7 = 3 THEN 'failed' ELSE 'completed' END,
       'run_bench_' || n, CASE WHEN n % 500 = 0 THEN 'run_bench_' || n END,
       CASE WHEN n % 20 = 1 THEN 'evicted' ELSE 'pvc' END,
       at, at, at, now() + interval '30 days'
     FROM (SELECT n, now() - (n * 37 % ${SESSIONS}) * interval '20 seconds' AS at
           FROM generate_series(1, ${SESSIONS}) n) times`,
  );
  await sql.query(
    `INSERT INTO agentrun_runs (id, tenant_id, project_id, provider_id, backend_profile, workspace_ref,
       execution_policy, session_id, status, terminal_status, ended_at, look_at, last_event_seq, created_at)
     SELECT replace(session_id, 'sess_', 'run_'), 'bench', 'bench', 'bench', 'codex', '{"kind":"session"}', '{}',
       session_id, state, CASE state WHEN 'completed' THEN state END, CASE state WHEN 'completed' THEN now() END,
       now() + interval '1 day', 40, created_at
     FROM (SELECT *, CASE execution_state WHEN 'running' THEN 'pending' ELSE 'completed' END AS state
           FROM agentrun_sessions WHERE session_id LIKE 'sess\\_bench\\_%') sessions`,
  );
  await sql.query(
    `INSERT INTO agentrun_session_read_cursors (session_id, reader_id, session_version)
     SELECT session_id, 'reader', version FROM agentrun_sessions WHERE version % 50 <> 0`,
  );
  await sql.query('VACUUM ANALYZE');
}
