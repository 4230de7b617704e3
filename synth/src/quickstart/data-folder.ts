import { lstat, mkdir, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type ProcessIdentity, processIdentity, processState } from '@agentrun/lib/processes';
import { clientError } from '../client/client-error.ts';
import { endLeftovers } from './leftovers.ts';

/** What the quickstart keeps in the data folder, beside what the manager does. */
export interface QuickstartFolder {
  /** The data folder, absolute. */
  readonly path: string;
  /** The bare repository that stands for the server with the GitOps branch. */
  readonly remote: string;
  /** A repository of its own for lanes that no clean clone holds. */
  readonly lanes: string;
  /** The manager's environment, as read back from the branch. */
  readonly environment: string;
  readonly log: string;
  /** Whether there was an earlier start. */
  readonly isKnown: boolean;
}

/** Says that the folder is a data folder of AgentRun, which may be removed as a whole. */
const MARKER = join('quickstart', 'data.json');
const MARK = { formatVersion: 1, what: 'data of the AgentRun quickstart' };
/** What a manager makes in its data folder. */
const OWN =
  /^(?:postgres|secrets|profiles|aipods|sessions|runs|attempts|evicted|quickstart|client\.json(?:\..*)?|manager\.lock\.\d+|\.lock-.*)$/;
const LOCK = /^manager\.lock\.(\d+)$/;
/** A manager that cannot be looked up, as one in another container, touches its lock more often than this. */
const FOREIGN_LOCK_MS = 35_000;

/**
 * Takes a folder as data folder: a new or empty one, or one that holds nothing but a manager's data.
 *
 * @throws ClientError `data-folder-foreign`, or `data-folder-busy` while a manager runs there
 */
export async function takeDataFolder(path: string): Promise<QuickstartFolder> {
  await mkdir(path, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown reason';
    throw clientError('data-folder-foreign', `the data folder ${path} cannot be made: ${reason}`);
  });
  await assertOwn(path);
  await assertFree(path);
  const isKnown = await isMarked(path);
  const own = join(path, 'quickstart');
  await mkdir(own, { recursive: true, mode: 0o700 });
  if (!isKnown) await writeFile(join(path, MARKER), `${JSON.stringify(MARK)}\n`, { mode: 0o600 });
  return {
    path,
    remote: join(own, 'gitops.git'),
    lanes: join(own, 'lanes'),
    environment: join(own, 'mgr.yaml'),
    log: join(own, 'manager.log'),
    isKnown,
  };
}

/**
 * Removes a data folder, with a database that lies elsewhere for it, and ends what a killed manager left running. Only a
 * folder that a quickstart marked, that holds nothing else, and in which no manager runs.
 *
 * @returns false when there is none
 * @throws ClientError `data-folder-foreign`, `data-folder-busy` or `processes-left`; nothing is removed then
 */
export async function resetDataFolder(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return false;
  if (!found.isDirectory()) throw clientError('data-folder-foreign', `${path} is no folder`);
  const names = await readdir(path);
  if (names.length === 0) return false;
  if (!(await isMarked(path))) {
    throw clientError(
      'data-folder-foreign',
      `${path} was not made by the quickstart, so it is not removed`,
      'Remove it yourself if nothing in it is needed, or give another --data-dir.',
    );
  }
  await assertOwn(path);
  await assertFree(path);
  await endLeftovers(path);
  const elsewhere = await databaseElsewhere(path);
  if (elsewhere !== null) await rm(elsewhere, { recursive: true, force: true });
  for (const name of names) {
    if (name !== 'quickstart') await rm(join(path, name), { recursive: true, force: true });
  }
  // The mark goes last: a reset that was broken off can be made again.
  for (const name of await readdir(join(path, 'quickstart'))) {
    if (name !== basename(MARKER)) await rm(join(path, 'quickstart', name), { recursive: true, force: true });
  }
  await rm(path, { recursive: true, force: true });
  return true;
}

/** The folder to which `postgres/elsewhere` leads, where it is one that a manager made; null for none. */
async function databaseElsewhere(path: string): Promise<string | null> {
  const target = await readlink(join(path, 'postgres', 'elsewhere')).catch(() => null);
  if (target === null || !/^postgres-[A-Za-z0-9]+$/.test(basename(target))) return null;
  return basename(dirname(target)) === 'agentrun' ? target : null;
}

async function isMarked(path: string): Promise<boolean> {
  try {
    const value = JSON.parse(await readFile(join(path, MARKER), 'utf8')) as { what?: unknown } | null;
    return value?.what === MARK.what;
  } catch {
    return false;
  }
}

async function assertOwn(path: string): Promise<void> {
  const foreign = (await readdir(path)).find((name) => !OWN.test(name));
  if (foreign === undefined) return;
  throw clientError('data-folder-foreign', `${path} holds ${foreign}, which is not of a data folder`);
}

/** @throws ClientError `data-folder-busy` */
async function assertFree(path: string): Promise<void> {
  const pid = await managerIn(path);
  if (pid === null) return;
  const hint = `Use it (npx agentrun sessions), end it (kill -INT ${pid}), or give another --data-dir.`;
  throw clientError('data-folder-busy', `a manager runs with ${path} already, as process ${pid}`, hint);
}

/** The process id of the manager that has the folder; null when none has. */
export async function managerIn(path: string): Promise<number | null> {
  const numbers = (await readdir(path)).flatMap((name) => Number(LOCK.exec(name)?.[1] ?? Number.NaN));
  const highest = Math.max(0, ...numbers.filter(Number.isSafeInteger));
  const file = join(path, `manager.lock.${highest}`);
  try {
    const entry = JSON.parse(await readFile(file, 'utf8')) as Partial<Lock>;
    if (typeof entry.pid !== 'number' || entry.released === true) return null;
    const identity = { pid: entry.pid, startTime: entry.startTime ?? '', bootId: entry.bootId ?? '' };
    if ((await isSameSpace(entry)) && processIdentity(process.pid) !== null) {
      return processState(identity) === 'gone' ? null : identity.pid;
    }
    const age = performance.timeOrigin + performance.now() - (await stat(file)).mtimeMs;
    return age > FOREIGN_LOCK_MS ? null : identity.pid;
  } catch {
    // No lock, or none that could be read: it binds nobody.
    return null;
  }
}

interface Lock extends ProcessIdentity {
  readonly pidSpace: string;
  readonly released: boolean;
}

/** Whether process ids are counted here as where the lock was written: containers have their own. */
async function isSameSpace({ pidSpace = '' }: Partial<Lock>): Promise<boolean> {
  return pidSpace === (await readlink('/proc/self/ns/pid').catch(() => ''));
}
