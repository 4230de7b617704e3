import { randomBytes } from 'node:crypto';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StartError } from '../config/start-error.ts';
import type { Binaries } from './embedded-binaries.ts';
import type { Place } from './embedded-place.ts';

/** The owner of the database, and its name. */
export const DATABASE_USER = 'agentrun';
export const DATABASE_NAME = 'agentrun';

/** Names of clusters that `initdb` has not finished; a killed start leaves one behind. */
const UNFINISHED = 'cluster.new-';

/**
 * Makes the cluster if there is none: UTF-8, sorted by code point whatever the locale, password needed by all.
 *
 * @returns whether it was made.
 * @throws StartError `postgres-failed` with what `initdb` says, or `postgres-version` when the cluster that is there
 *   was made by another major version.
 */
export async function prepareCluster(place: Place, binaries: Binaries): Promise<boolean> {
  const made = await majorOf(place.cluster);
  if (made !== null) {
    if (made !== binaries.major) throw otherVersion(place, made, binaries.major);
    return false;
  }
  for (const name of await readdir(place.directory)) {
    if (name.startsWith(UNFINISHED)) await rm(join(place.directory, name), { recursive: true, force: true });
  }
  await makePassword(place);
  const fresh = join(place.directory, `${UNFINISHED}${randomBytes(4).toString('hex')}`);
  const { exitCode, stderr } = await place.launcher.run(join(binaries.bin, 'initdb'), [
    '-D',
    fresh,
    '--encoding=UTF8',
    '--locale=C',
    '-A',
    'scram-sha-256',
    '--data-checksums',
    '--no-instructions',
    `--username=${DATABASE_USER}`,
    `--pwfile=${place.passwordFile}`,
  ]);
  if (exitCode !== 0) {
    await rm(fresh, { recursive: true, force: true });
    throw new StartError(
      'postgres-failed',
      `The database in ${place.directory} could not be made; initdb ended with code ${exitCode}: ${stderr.trim()}`,
      { hint: 'Correct what initdb names, or give another --data-dir, or --database-url.' },
    );
  }
  await rename(fresh, place.cluster);
  return true;
}

/**
 * The password of the cluster, from the file that was made with it.
 *
 * @throws StartError `postgres-failed` when that is gone: the cluster knows no other way in.
 */
export async function readPassword({ passwordFile, cluster }: Place): Promise<string> {
  const kept = await readFile(passwordFile, 'utf8').catch(() => '');
  if (kept.trim() !== '') return kept.trim();
  throw new StartError('postgres-failed', `The password of the database in ${cluster} is not in ${passwordFile}.`, {
    hint: 'Restore that file from a copy, or give another --data-dir.',
  });
}

async function makePassword(place: Place): Promise<void> {
  const fresh = `${place.passwordFile}.new`;
  await rm(fresh, { force: true });
  await writeFile(fresh, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
  await place.launcher.give(fresh);
  await rename(fresh, place.passwordFile);
}

async function majorOf(cluster: string): Promise<number | null> {
  try {
    return Number((await readFile(join(cluster, 'PG_VERSION'), 'utf8')).trim());
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

function otherVersion(place: Place, made: number, present: number): StartError {
  const quoted = (path: string) => `'${path.replaceAll("'", "'\\''")}'`;
  const server = `pg_ctl -D ${quoted(place.cluster)} -o "-p 54329 -c listen_addresses=127.0.0.1 -c unix_socket_directories=''" -w`;
  const dump = `PGPASSWORD="$(cat ${quoted(place.passwordFile)})" pg_dump -h 127.0.0.1 -p 54329 -U ${DATABASE_USER} ${DATABASE_NAME} > agentrun.sql`;
  return new StartError(
    'postgres-version',
    `The database in ${place.cluster} was made by PostgreSQL ${made}; the one that is installed is ${present}, which cannot read it.`,
    {
      hint:
        `With the programs of PostgreSQL ${made}, dump it:\n  ${server} start\n  ${dump}\n  ${server} stop\n` +
        `Then move ${quoted(place.directory)} away, start again, and load agentrun.sql with psql.`,
    },
  );
}
