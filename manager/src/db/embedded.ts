import { realpath } from 'node:fs/promises';
import { Client } from 'pg';
import { StartError } from '../config/start-error.ts';
import { type Binaries, findBinaries } from './embedded-binaries.ts';
import { DATABASE_NAME, DATABASE_USER, prepareCluster, readPassword } from './embedded-cluster.ts';
import { findPlace, type Place } from './embedded-place.ts';
import { findRunning, type RunningServer, startServer, stopServer } from './embedded-server.ts';

/** A PostgreSQL that this manager runs. */
export interface EmbeddedPostgres {
  /** `postgres://user:password@127.0.0.1:port/agentrun`; holds the password, so it is never printed. */
  readonly url: string;
  /** Process id of the server. */
  readonly pid: number;
  /** `created`: the first start; `started`: the data was there; `adopted`: it ran already. */
  readonly origin: 'created' | 'started' | 'adopted';
  readonly logFile: string;
  /** Stops the server after its last writes, within twelve seconds; calls after the first wait for the same end. */
  stop(): Promise<void>;
}

/** All have defaults. */
export interface EmbeddedOptions {
  /** The folder of `initdb`, `pg_ctl` and `postgres`; default that of the npm package for this platform. */
  readonly binDirectory?: string;
  /** Settings of the server, over those of the manager. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Where `unshare` and `id` are looked up, as in PATH; default the usual folders. */
  readonly searchPath?: string;
  /** Where root keeps databases that cannot run in the data folder; default `/var/lib/agentrun`. */
  readonly systemDirectory?: string;
}

const SEARCH_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin';

/**
 * Runs PostgreSQL for a data folder, and makes the database `agentrun` in it. A server that runs there already, because
 * its manager was killed, is adopted.
 *
 * The caller holds the lock of the data folder until `stop` has ended.
 *
 * @throws StartError with a code that begins with `postgres-`.
 */
export async function startEmbedded(dataDir: string, options: EmbeddedOptions = {}): Promise<EmbeddedPostgres> {
  const place = await findPlace(dataDir, {
    searchPath: options.searchPath ?? SEARCH_PATH,
    systemDirectory: options.systemDirectory ?? '/var/lib/agentrun',
  });
  const binaries = await findBinaries(place.directory, place.launcher, options.binDirectory ?? null);
  const created = await prepareCluster(place, binaries);
  const password = await readPassword(place);
  const running = await findRunning(place);
  const server = running ?? (await startServer(place, binaries, options.settings ?? {}));
  const urlOf = (database: string) =>
    `postgres://${DATABASE_USER}:${password}@127.0.0.1:${server.port}/${encodeURIComponent(database)}`;
  try {
    await prepareDatabase(place, server, urlOf('postgres'));
  } catch (error) {
    if (running === null) await stopServer(place, binaries);
    throw error;
  }
  return {
    url: urlOf(DATABASE_NAME),
    pid: server.pid,
    origin: running === null ? (created ? 'created' : 'started') : 'adopted',
    logFile: place.logFile,
    stop: once(place, binaries),
  };
}

function once(place: Place, binaries: Binaries): () => Promise<void> {
  let stopping: Promise<void> | undefined;
  return () => {
    stopping ??= stopServer(place, binaries);
    return stopping;
  };
}

/** Makes the database, and shows by the way that this is our server: no other takes this password. */
async function prepareDatabase(place: Place, server: RunningServer, url: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  try {
    await client.connect();
    const { rows } = await client.query<{ directory: string; present: boolean }>(
      `SELECT current_setting('data_directory') AS directory,
              EXISTS (SELECT FROM pg_database WHERE datname = $1) AS present`,
      [DATABASE_NAME],
    );
    const [row] = rows;
    if (row === undefined || (await realpath(row.directory)) !== (await realpath(place.cluster))) {
      throw new Error(`it serves ${row?.directory}`);
    }
    if (!row.present) await client.query(`CREATE DATABASE ${client.escapeIdentifier(DATABASE_NAME)}`);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StartError(
      'postgres-failed',
      `The PostgreSQL of ${place.cluster} (process ${server.pid}, port ${server.port}) cannot be used: ${reason}`,
      { hint: `Read ${place.logFile}.`, cause },
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}
