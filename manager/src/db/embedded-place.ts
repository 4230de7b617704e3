import { chmod, lstat, mkdir, mkdtemp, readlink, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { StartError } from '../config/start-error.ts';
import { type Launcher, launchAsNobody, launchAsSelf, launchInUserNamespace } from './embedded-launch.ts';

/** Where a database lives, and how its programs are run. */
export interface Place {
  /** Holds `cluster/`, `password`, `server.log` and perhaps `binaries/`. Mode 0700. */
  readonly directory: string;
  readonly cluster: string;
  readonly passwordFile: string;
  readonly logFile: string;
  readonly launcher: Launcher;
}

/** Where things are looked for; the defaults are those of a usual system. */
export interface PlaceOptions {
  readonly searchPath: string;
  /** For databases whose data folder the user nobody may not enter. */
  readonly systemDirectory: string;
}

/** The name of the link in the data folder that leads to a database elsewhere. */
const ELSEWHERE = 'elsewhere';

/**
 * The place of the database of a data folder: its `postgres` folder. Root cannot run PostgreSQL, so for root the
 * programs run in a user namespace there; where that is forbidden, the place is a folder of the user nobody below
 * `systemDirectory`, found again by the link `postgres/elsewhere`.
 *
 * @throws StartError `postgres-owner` when the database that is there belongs to a user that cannot be used now.
 */
export async function findPlace(dataDir: string, { searchPath, systemDirectory }: PlaceOptions): Promise<Place> {
  const home = join(dataDir, 'postgres');
  await mkdir(home, { recursive: true, mode: 0o700 });
  const here = { searchPath, workingDirectory: home };
  const owner = await ownerOf(join(home, 'cluster'));
  const me = process.geteuid?.() ?? 0;
  if (owner !== null && owner !== me) {
    throw new StartError(
      'postgres-owner',
      `The database in ${home} belongs to the user with id ${owner}, and this process runs as ${me}.`,
    );
  }
  if (me !== 0) return placeIn(home, launchAsSelf(here));
  const known = await readlink(join(home, ELSEWHERE)).catch(() => null);
  const inNamespace = known === null ? await launchInUserNamespace(here) : null;
  if (inNamespace !== null) return placeIn(home, inNamespace);
  if (owner !== null) {
    throw new StartError(
      'postgres-owner',
      `The database in ${home} was made by root in a user namespace, and this system does not allow one now.`,
      { hint: 'Allow user namespaces and have "unshare" of util-linux in the PATH, or give another --data-dir.' },
    );
  }
  const elsewhere = known ?? (await makeElsewhere(home, { searchPath, systemDirectory }));
  return placeIn(elsewhere, await launchAsNobody({ searchPath, workingDirectory: elsewhere }));
}

/** A new name each time: an old database there may belong to a data folder that was moved. */
async function makeElsewhere(home: string, { searchPath, systemDirectory }: PlaceOptions): Promise<string> {
  await mkdir(systemDirectory, { recursive: true });
  // Nobody must get through, whatever the umask of this process; others need not see what is there.
  await chmod(systemDirectory, 0o711);
  const directory = await mkdtemp(join(systemDirectory, 'postgres-'));
  const nobody = await launchAsNobody({ searchPath, workingDirectory: directory });
  await nobody.give(directory);
  await symlink(directory, join(home, ELSEWHERE));
  return directory;
}

async function ownerOf(path: string): Promise<number | null> {
  const link = await lstat(path).catch(() => null);
  return link === null ? null : (await stat(path)).uid;
}

function placeIn(directory: string, launcher: Launcher): Place {
  return {
    directory,
    cluster: join(directory, 'cluster'),
    passwordFile: join(directory, 'password'),
    logFile: join(directory, 'server.log'),
    launcher,
  };
}
