import { type LeanConnection, percentile } from './lean-http.ts';
import { openGraphile } from './manager-graphile.ts';
import { type Bench, claim, type HeldRun, heldRuns, inParallel, pendingRuns } from './manager-setup.ts';
import type { Row } from './row.ts';
import { median } from './timed.ts';

const ROUNDS = 5;
const DELIVERIES = 60;
const CLAIMS = 400;
const JOBS = 2000;
const RUNNERS = 12;
const TURN = JSON.stringify({ type: 'turn', payload: { prompt: 'say something about the weather' } });

/** Runs that are claimed, by as many runners as there are connections. */
export async function benchClaim(bench: Bench): Promise<Row[]> {
  const runs = await pendingRuns(bench, CLAIMS);
  const times: number[] = [];
  const begun = performance.now();
  await inParallel(bench.connect(RUNNERS), CLAIMS, async (connection) => {
    const run = runs.pop();
    const before = performance.now();
    if (run !== undefined) await claim(connection, run);
    times.push(performance.now() - before);
  });
  const seconds = (performance.now() - begun) / 1000;
  const note = `${RUNNERS} in flight; p50 ${percentile(times, 0.5).toFixed(1)}, p99 ${percentile(times, 0.99).toFixed(1)} ms`;
  return [{ what: 'claims', value: CLAIMS / seconds, unit: '1/s', note }];
}

/** A turn to a runner that waits, and a job to a worker of graphile-worker, in turns; then as many as go through. */
export async function benchDelivery(bench: Bench): Promise<Row[]> {
  const reference = await openGraphile(bench, RUNNERS);
  try {
    const runs = await heldRuns(bench, RUNNERS);
    const times = { ours: [] as number[], graphile: [] as number[] };
    const rates = { ours: [] as number[], graphile: [] as number[] };
    for (let round = 0; round <= ROUNDS; round += 1) {
      const ours = await deliveries(bench, runs[0] as HeldRun);
      const theirs = await reference.latencies(DELIVERIES);
      const rate = await turnsThrough(bench, runs);
      const theirRate = await reference.throughput(JOBS);
      if (round === 0) continue;
      times.ours.push(...ours);
      times.graphile.push(...theirs);
      rates.ours.push(rate);
      rates.graphile.push(theirRate);
    }
    const note = `from the request of the turn to the answer of the long-poll; ${times.ours.length} one after the other`;
    const graphileNote = 'from add_job to the start of the task, in one process without HTTP';
    return [
      { what: 'delivery of a turn over HTTP, p50', value: percentile(times.ours, 0.5), unit: 'ms', target: 5, note },
      { what: 'delivery of a turn over HTTP, p99', value: percentile(times.ours, 0.99), unit: 'ms', target: 20 },
      { what: 'graphile-worker, p50', value: percentile(times.graphile, 0.5), unit: 'ms', note: graphileNote },
      { what: 'graphile-worker, p99', value: percentile(times.graphile, 0.99), unit: 'ms' },
      {
        what: `turns asked for, fetched, acknowledged, ended`,
        value: median(rates.ours),
        unit: '1/s',
        note: `${RUNNERS} runners, four requests a turn`,
      },
      { what: 'graphile-worker, jobs', value: median(rates.graphile), unit: '1/s', note: `concurrency ${RUNNERS}` },
    ];
  } finally {
    await reference.end();
  }
}

interface Next {
  readonly items: readonly { readonly id: string; readonly seq: number }[];
}

const next = (connection: LeanConnection, { runId, headers }: HeldRun, waitMs: number) =>
  connection.data<Next>({ method: 'GET', path: `/api/v1/runs/${runId}/commands/next?waitMs=${waitMs}`, headers });

const ask = (connection: LeanConnection, { runId }: HeldRun, operator: string) =>
  connection.data<{ id: string }>({
    method: 'POST',
    path: `/api/v1/runs/${runId}/commands`,
    headers: operator,
    body: TURN,
  });

async function finish(connection: LeanConnection, { headers }: HeldRun, id: string): Promise<void> {
  await connection.data({ method: 'POST', path: `/api/v1/commands/${id}/ack`, headers });
  const body = JSON.stringify({ terminalStatus: 'completed' });
  await connection.data({ method: 'PATCH', path: `/api/v1/commands/${id}/status`, headers, body });
}

async function deliveries(bench: Bench, run: HeldRun): Promise<number[]> {
  const [operator, runner] = bench.connect(2) as [LeanConnection, LeanConnection];
  const times: number[] = [];
  for (let number = 0; number < DELIVERIES; number += 1) {
    const waiting = next(runner, run, 25_000);
    // The poll waits when the turn comes.
    await new Promise((resolve) => setTimeout(resolve, 15));
    const begun = performance.now();
    const asked = ask(operator, run, bench.operator);
    const { items } = await waiting;
    times.push(performance.now() - begun);
    await asked;
    await finish(runner, run, items[0]?.id ?? '');
  }
  return times;
}

/** Each runner takes its turns one after the other; the operator asks for the next one when one has ended. */
async function turnsThrough(bench: Bench, runs: readonly HeldRun[]): Promise<number> {
  const [operators, runners] = [bench.connect(runs.length), bench.connect(runs.length)];
  const end = performance.now() + 2000;
  const begun = performance.now();
  let turns = 0;
  await Promise.all(
    runs.map(async (run, index) => {
      const [operator, runner] = [operators[index] as LeanConnection, runners[index] as LeanConnection];
      while (performance.now() < end) {
        const waiting = next(runner, run, 25_000);
        await ask(operator, run, bench.operator);
        const { items } = await waiting;
        await finish(runner, run, items[0]?.id ?? '');
        turns += 1;
      }
    }),
  );
  return turns / ((performance.now() - begun) / 1000);
}
