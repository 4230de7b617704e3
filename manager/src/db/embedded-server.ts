import { closeSync, openSync } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';

import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../config/free-port.ts';
import { StartError } from '../config/start-error.ts';
import type { Binaries } from './embedded-binaries.ts';
import type { Place } from './embedded-place.ts';
import { type Postmaster, postmasterFile, readPostmaster, servesCluster } from './embedded-postmaster.ts';

/** A server that takes connections. */
export interface RunningServer {
  readonly pid: number;
  readonly port: number;
}

/** Fit for a laptop: little memory, few segments on the disk; nothing that could lose an answered write. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '100',
  shared_buffers: '64MB',
  max_wal_size: '256MB',
  min_wal_size: '32MB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_parallel_workers_per_gather: '0',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // The details of an error quote rows, and rows hold prompts.
  log_error_verbosity: 'terse',
};

/** How it is asked to end, and for how many seconds; together well below the time that a manager has to end. */
const STOPS = [
  ['fast', 8],
  ['immediate', 4],
] as const;

/** Crash recovery may take long on a slow disk; a server that is dead is seen at once. */
const READY_TIMEOUT_MS = 120_000;
const POLL_MS = 20;
const STARTS = 10;
const LOG_LIMIT = 8 * 1024 * 1024;

/**
 * The server of this cluster that runs already, left by a manager that was killed; null when none does. One that is
 * stopping is waited for. What a dead server left behind is cleared.
 *
 * @throws StartError `postgres-failed` when a server runs and does not become ready.
 */
export async function findRunning(place: Place): Promise<RunningServer | null> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  for (;;) {
    const found = await readPostmaster(place.cluster);
    if (found === null) return null;
    if (!(await servesCluster(found.pid, place.cluster))) {
      // PostgreSQL itself refuses to start while any process has this id.
      await rm(postmasterFile(place.cluster), { force: true });
      return null;
    }
    if (found.status === 'ready' && found.port !== null) return { pid: found.pid, port: found.port };
    if (performance.now() > deadline) throw neverReady(place, found);
    await delay(POLL_MS);
  }
}

/**
 * Starts the server on a free port of 127.0.0.1, in a session of its own: it outlives a manager that is killed.
 *
 * @throws StartError `postgres-failed` with the end of its log.
 */
export async function startServer(
  place: Place,
  binaries: Binaries,
  settings: Readonly<Record<string, string>>,
): Promise<RunningServer> {
  await turnLog(place);
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort('127.0.0.1', 0);
    const outcome = await startOnce(place, binaries, { ...SETTINGS, ...settings, port: String(port) });
    if ('pid' in outcome) return outcome;
    // The port was taken meanwhile, or the children of a server that was killed have not gone yet.
    const passing = /could not bind|in use|pre-existing shared memory/i.test(outcome.log);
    if (!passing || attempt === STARTS) {
      throw new StartError(
        'postgres-failed',
        `PostgreSQL in ${place.cluster} ended while it started; its log says: ${outcome.log.trim()}`,
        { hint: `Read ${place.logFile}.` },
      );
    }
    await delay(200);
  }
}

async function startOnce(
  place: Place,
  binaries: Binaries,
  settings: Readonly<Record<string, string>>,
): Promise<RunningServer | { log: string }> {
  const log = openSync(place.logFile, 'a', 0o600);
  const from = (await stat(place.logFile)).size;
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = place.launcher.startDetached(join(binaries.bin, 'postgres'), ['-D', place.cluster, ...args], log);
  closeSync(log);
  const end: { reason?: string } = {};
  child.once('error', (error) => {
    end.reason = error.message;
  });
  child.once('exit', (code, signal) => {
    end.reason ??= `ended with ${signal ?? `code ${code}`}`;
  });
  child.unref();
  const deadline = performance.now() + READY_TIMEOUT_MS;
  for (;;) {
    const found = await readPostmaster(place.cluster);
    if (found?.pid === child.pid && found?.status === 'ready' && found.port !== null) {
      return { pid: found.pid, port: found.port };
    }
    if (end.reason !== undefined) return { log: `${end.reason}\n${await tailOf(place.logFile, from)}` };
    if (performance.now() > deadline) {
      child.kill('SIGQUIT');
      throw neverReady(place, found);
    }
    await delay(POLL_MS);
  }
}

/**
 * Stops the server: connections are closed, everything is written. One that does not end within eight
 * seconds is stopped at once; its next start then recovers from its log, and nothing is lost.
 *
 * @throws StartError `postgres-failed` when it still runs.
 */
export async function stopServer(place: Place, binaries: Binaries): Promise<void> {
  for (const [mode, seconds] of STOPS) {
    const { stderr } = await place.launcher.run(join(binaries.bin, 'pg_ctl'), [
      'stop',
      '-D',
      place.cluster,
      '-m',
      mode,
      '-w',
      '-t',
      String(seconds),
    ]);
    const left = await readPostmaster(place.cluster);
    if (left === null || !(await servesCluster(left.pid, place.cluster))) return;
    if (mode === 'immediate') {
      throw new StartError(
        'postgres-failed',
        `PostgreSQL in ${place.cluster} (process ${left.pid}) did not stop: ${stderr.trim()}`,
      );
    }
  }
}

/** Keeps one older log beside the present one. */
async function turnLog({ logFile, launcher }: Place): Promise<void> {
  const size = await stat(logFile).then(
    ({ size }) => size,
    () => null,
  );
  if (size !== null && size > LOG_LIMIT) await rename(logFile, `${logFile}.1`);
  else if (size !== null) return;
  closeSync(openSync(logFile, 'a', 0o600));
  await launcher.give(logFile);
}

async function tailOf(file: string, from: number): Promise<string> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const start = Math.max(from, size - 4096);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

function neverReady(place: Place, found: Postmaster | null): StartError {
  return new StartError(
    'postgres-failed',
    `PostgreSQL in ${place.cluster} (process ${found?.pid ?? 'unknown'}) is not ready after ${READY_TIMEOUT_MS / 1000} s.`,
    { hint: `Read ${place.logFile}; end that process before you start again.` },
  );
}
