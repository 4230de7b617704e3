import { execFileSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { freePort } from '../../manager/src/config/free-port.ts';
import { startEmbedded } from '../../manager/src/db/embedded.ts';
import { findBinaries } from '../../manager/src/db/embedded-binaries.ts';
import { findPlace } from '../../manager/src/db/embedded-place.ts';
import { readPostmaster, servesCluster } from '../../manager/src/db/embedded-postmaster.ts';
import type { TestDatabase } from './postgres.ts';

/** A PostgreSQL for one test file, which can be ended, started again at the same address, and made to hang. */
export interface FaultyPostgres extends TestDatabase {
  /** `fast` closes every connection and writes everything; `immediate` is a crash. */
  stop(mode: 'fast' | 'immediate'): Promise<void>;
  /** Starts it again, and waits until it takes connections. */
  start(): Promise<void>;
  /** Stops the time of the server and of every one of its processes; connections stay open and nobody answers. */
  hang(): void;
  resume(): void;
  /** Ends some connection of a manager again and again; gives how many. */
  terminateSome(how: {
    readonly forMs: number;
    readonly everyMs: number;
    readonly pick: (limit: number) => number;
  }): Promise<number>;
}

const SIGNALS = { fast: 'SIGINT', immediate: 'SIGQUIT' } as const;
const SEARCH_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Makes and starts it, as safe as it is in use: what it has answered is on the disk. */
export async function faultyPostgres(): Promise<FaultyPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'agentrun-faulty-postgres-'));
  const made = await startEmbedded(folder);
  await made.stop();
  const place = await findPlace(folder, { searchPath: SEARCH_PATH, systemDirectory: '/var/lib/agentrun' });
  const { bin } = await findBinaries(place.directory, place.launcher, null);
  const port = await freePort('127.0.0.1', 0);
  const url = Object.assign(new URL(made.url), { port: String(port) }).href;
  let pid = 0;

  const start = async (): Promise<void> => {
    const log = openSync(place.logFile, 'a', 0o600);
    const settings = {
      listen_addresses: '127.0.0.1',
      port: String(port),
      unix_socket_directories: '',
      max_connections: '100',
      shared_buffers: '64MB',
      log_error_verbosity: 'terse',
    };
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = place.launcher.startDetached(join(bin, 'postgres'), ['-D', place.cluster, ...args], log);
    closeSync(log);
    child.unref();
    for (;;) {
      const found = await readPostmaster(place.cluster);
      if (found?.pid === child.pid && found?.status === 'ready') break;
      if (child.exitCode !== null) throw new Error(`PostgreSQL ended at its start; see ${place.logFile}`);
      await sleep(20);
    }
    pid = child.pid ?? 0;
  };
  const family = (): number[] =>
    execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
      .split('\n')
      .map((line) => line.trim().split(/\s+/).map(Number))
      .filter(([, parent]) => parent === pid)
      .map(([child]) => child ?? 0);
  const signal = (name: NodeJS.Signals) => {
    for (const each of [pid, ...family()]) {
      try {
        process.kill(each, name);
      } catch {
        // It has just ended.
      }
    }
  };
  const stop = async (mode: 'fast' | 'immediate'): Promise<void> => {
    process.kill(pid, SIGNALS[mode]);
    while (await servesCluster(pid, place.cluster)) await sleep(20);
  };

  await start();
  return {
    url,
    name: 'agentrun',
    stop,
    start,
    hang: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    terminateSome: async ({ forMs, everyMs, pick }) => {
      const client = new Client({ connectionString: url, application_name: 'test-faults' });
      await client.connect();
      let ended = 0;
      for (const end = performance.now() + forMs; performance.now() < end; await sleep(everyMs)) {
        const { rows } = await client.query<{ pid: number }>(
          `SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'agentrun-mgr%' ORDER BY pid`,
        );
        const chosen = rows[pick(Math.max(1, rows.length))];
        if (chosen === undefined) continue;
        await client.query('SELECT pg_terminate_backend($1)', [chosen.pid]);
        ended += 1;
      }
      await client.end();
      return ended;
    },
    drop: async () => {
      signal('SIGCONT');
      await stop('immediate').catch(() => undefined);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
