import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bench, type HeldRun, heldRuns } from './manager-setup.ts';
import type { Row, Skipped } from './row.ts';

const RUNNERS = 1000;
const WINDOW_MS = 20_000;
const BEAT_MS = 10_000;
/** Of /proc, by the interface of Linux. */
const TICKS_PER_SECOND = 100;

/** What runners cost that wait for their next turn, beating as they do. */
export async function benchIdle(bench: Bench): Promise<(Row | Skipped)[]> {
  if (process.platform !== 'linux') return [{ skipped: 'the cost of waiting runners: it is read from /proc' }];
  const runs = await heldRuns(bench, RUNNERS);
  const leaving = { now: false };
  const connections = bench.connect(RUNNERS);
  const beating = bench.connect(4);
  const polls = runs.map(async ({ runId, headers }, index) => {
    while (!leaving.now) {
      await connections[index]?.ask({
        method: 'GET',
        path: `/api/v1/runs/${runId}/commands/next?waitMs=25000`,
        headers,
      });
    }
  });
  const beats = beating.map(async (connection, index) => {
    const mine = runs.filter((_, number) => number % beating.length === index);
    for (let turn = 0; !leaving.now; turn += 1) {
      const { runId, runnerId, headers } = mine[turn % mine.length] as HeldRun;
      const body = JSON.stringify({ runnerId });
      await connection.data({ method: 'PATCH', path: `/api/v1/runs/${runId}/lease`, headers, body });
      await sleep(BEAT_MS / mine.length);
    }
  });
  await sleep(6000);
  const before = cpuOf(bench);
  const begun = performance.now();
  await sleep(WINDOW_MS);
  const after = cpuOf(bench);
  const seconds = (performance.now() - begun) / 1000;
  const { rss } = await bench.manager.memory();
  leaving.now = true;
  await Promise.all(beats);
  for (const connection of connections) connection.close();
  void polls;
  const share = (seen: 'manager' | 'postgres') => ((after[seen] - before[seen]) / seconds) * 100;
  const note = `of a core, over ${WINDOW_MS / 1000} s; each polls, and beats every ${BEAT_MS / 1000} s`;
  return [
    { what: `${RUNNERS} waiting runners, manager`, value: share('manager'), unit: '%', note },
    { what: `${RUNNERS} waiting runners, PostgreSQL`, value: share('postgres'), unit: '%', note: 'of a core' },
    { what: `${RUNNERS} waiting runners, memory of the manager`, value: rss / 2 ** 20, unit: 'MB', target: 250 },
    {
      what: 'the most memory of the manager in all of this',
      value: Number(/VmHWM:\s*(\d+) kB/.exec(statusOf(bench.manager.pid))?.[1]) / 1024,
      unit: 'MB',
      target: 250,
    },
  ];
}

/** Seconds of a processor that were used until now. */
function cpuOf({ manager, postgresPid }: Bench): { manager: number; postgres: number } {
  return {
    manager: secondsOf(manager.pid),
    postgres: [postgresPid, ...childrenOf(postgresPid)].reduce((sum, pid) => sum + secondsOf(pid), 0),
  };
}

function secondsOf(pid: number): number {
  // What stands before the last bracket is the name of the program, which may hold blanks.
  const fields = (readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1) ?? '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && parentOf(pid) === parent);
}

function parentOf(pid: number): number | null {
  try {
    return Number(/^PPid:\s*(\d+)$/m.exec(statusOf(pid))?.[1]);
  } catch {
    return null;
  }
}

const statusOf = (pid: number): string => readFileSync(`/proc/${pid}/status`, 'latin1');
