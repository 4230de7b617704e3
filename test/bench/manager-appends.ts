import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LeanConnection } from './lean-http.ts';
import { findPgbench, pgbenchAppends } from './manager-pgbench.ts';
import { type Bench, type HeldRun, heldRuns } from './manager-setup.ts';
import type { Row, Skipped } from './row.ts';
import { median } from './timed.ts';

const ROUNDS = 5;
const SECONDS = 3;
/** As many as the manager has connections to its database. */
const CONNECTIONS = 12;

/** What an agent says in a quarter of a second. */
const EVENT = {
  type: 'assistant_delta',
  payload: {
    commandId: 'cmd_0123456789abcdef',
    itemId: 'item_12',
    text: 'a few words that a model has said, '.repeat(3),
  },
};

/** Appends over HTTP, and by pgbench with the same statement and as many connections, in turns. */
export async function benchAppends(bench: Bench): Promise<(Row | Skipped)[]> {
  const program = findPgbench();
  const rows: (Row | Skipped)[] = [];
  if (program === null) rows.push({ skipped: 'pgbench: it is neither in PATH nor in /usr/lib/postgresql' });
  const connections = bench.connect(CONNECTIONS);
  const folder = mkdtempSync(join(tmpdir(), 'agentrun-bench-'));
  for (const [count, runCount] of [
    [1, 1],
    [1, 16],
    [50, 1],
    [50, 16],
  ] as const) {
    const events = Array.from({ length: count }, () => EVENT);
    const body = JSON.stringify({ events });
    const [ours, theirs] = [await heldRuns(bench, runCount), await heldRuns(bench, runCount)];
    const rates = { ours: [] as number[], pgbench: [] as number[] };
    for (let round = 0; round <= ROUNDS; round += 1) {
      const rate = await appendFor(connections, ours, body);
      const reference =
        program === null
          ? Number.NaN
          : await pgbenchAppends({
              program,
              databaseUrl: bench.databaseUrl,
              folder,
              runs: theirs,
              events: JSON.stringify(events.map(({ type, payload }) => [type, payload])),
              count,
              connections: CONNECTIONS,
              seconds: SECONDS,
            });
      // A run holds 64 MiB and then drops what can be missed.
      await bench.sql.query('UPDATE agentrun_runs SET event_bytes = 0 WHERE event_bytes > 0');
      // The first round fills the caches.
      if (round === 0) continue;
      rates.ours.push(rate * count);
      rates.pgbench.push(reference * count);
    }
    rows.push(...rowsOf(count, runCount, rates, program !== null));
  }
  rmSync(folder, { recursive: true, force: true });
  return rows;
}

function rowsOf(
  count: number,
  runCount: number,
  { ours, pgbench }: { readonly ours: readonly number[]; readonly pgbench: readonly number[] },
  hasReference: boolean,
): Row[] {
  const what = `append ${count === 1 ? 'one event' : `${count} events`} at once, ${runCount === 1 ? 'one run' : `${runCount} runs`}`;
  const range = (values: readonly number[]) =>
    `${Math.round(Math.min(...values))} to ${Math.round(Math.max(...values))}`;
  const note = `events; ${CONNECTIONS} in flight; ${range(ours)} in ${ROUNDS} rounds of ${SECONDS} s`;
  const rate: Row = { what: `${what}, HTTP`, value: median(ours), unit: '1/s', note };
  const rows: Row[] = [count === 1 ? rate : { ...rate, atLeast: 40_000 }];
  if (!hasReference) return rows;
  const ratio = median(ours.map((value, index) => value / (pgbench[index] ?? Number.NaN)));
  const share: Row = { what: `${what}, HTTP to pgbench`, value: ratio, unit: 'times' };
  return [
    ...rows,
    { what: `${what}, pgbench`, value: median(pgbench), unit: '1/s', note: range(pgbench) },
    count === 1 ? { ...share, atLeast: 0.3 } : share,
  ];
}

/** Requests per second. */
async function appendFor(
  connections: readonly LeanConnection[],
  runs: readonly HeldRun[],
  body: string,
): Promise<number> {
  const begun = performance.now();
  const end = begun + SECONDS * 1000;
  let sent = 0;
  await Promise.all(
    connections.map(async (connection) => {
      while (performance.now() < end) {
        const { runId, headers } = runs[sent % runs.length] as HeldRun;
        sent += 1;
        const path = `/api/v1/runs/${runId}/events`;
        const { status, text } = await connection.ask({ method: 'POST', path, headers, body });
        if (status !== 200 || text.includes('"dropped"')) throw new Error(`an append was answered ${status}: ${text}`);
      }
    }),
  );
  return sent / ((performance.now() - begun) / 1000);
}
