import { randomBytes } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { link, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ProcessIdentity, type ProcessState, processIdentity, processState } from '@agentrun/lib/processes';
import { StartError } from '../config/start-error.ts';

/** A data folder that this process has to itself. */
export interface FolderLock {
  /** Gives the folder back. Calls after the first do nothing. */
  release(): Promise<void>;
}

/** What stands in a lock file; `released` when its process has given the folder back. */
interface LockEntry extends ProcessIdentity {
  /** The space that process ids count in: containers have their own. Empty where the system has no such. */
  readonly pidSpace: string;
  readonly released: boolean;
}

const LOCK = /^manager\.lock\.([1-9]\d{0,14})$/;
/** A process that cannot be looked up, as one in another container, has its lock as long as it touches it. */
const TOUCH_MS = 10_000;
const FOREIGN_MS = 35_000;

/**
 * Takes the lock of a data folder: the process in `manager.lock.<n>` with the highest n has it. Numbers only grow and
 * each is made by a link, which one process wins: so of several that find a dead process at once, one takes over.
 *
 * @throws StartError `data-folder-locked` when a process that lives has it.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const entry: LockEntry = {
    ...(processIdentity(process.pid) ?? { pid: process.pid, startTime: '', bootId: '' }),
    pidSpace: ownPidSpace(),
    released: false,
  };
  const draft = join(folder, `.lock-${process.pid}-${randomBytes(6).toString('hex')}`);
  await writeFile(draft, `${JSON.stringify(entry)}\n`, { mode: 0o600, flag: 'wx' });
  try {
    for (;;) {
      const highest = Math.max(0, ...(await lockNumbers(folder)));
      if (highest > 0) await assertFree(folder, highest);
      const own = highest + 1;
      const won = await link(draft, lockFile(folder, own)).then(() => true, existed);
      // A number may be free again below a higher one that was made meanwhile.
      if (won && Math.max(...(await lockNumbers(folder))) === own) return held(folder, own, entry);
      if (won) await rm(lockFile(folder, own), { force: true });
    }
  } finally {
    await rm(draft, { force: true });
  }
}

async function held(folder: string, own: number, entry: LockEntry): Promise<FolderLock> {
  for (const number of await lockNumbers(folder)) {
    if (number < own) await rm(lockFile(folder, number), { force: true });
  }
  const file = lockFile(folder, own);
  const touch = setInterval(() => {
    const now = new Date();
    // A folder that was removed under us is found by the next write that matters.
    utimes(file, now, now).catch(() => undefined);
  }, TOUCH_MS);
  touch.unref();
  let released: Promise<void> | undefined;
  const release = async () => {
    clearInterval(touch);
    const draft = join(folder, `.lock-${process.pid}-${randomBytes(6).toString('hex')}`);
    try {
      // The file stays: without it the next number would be a lower one.
      await writeFile(draft, `${JSON.stringify({ ...entry, released: true })}\n`, { mode: 0o600, flag: 'wx' });
      await rename(draft, file);
    } catch (error) {
      // A folder that was removed needs no lock.
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  };
  return {
    release: () => {
      released ??= release();
      return released;
    },
  };
}

async function assertFree(folder: string, number: number): Promise<void> {
  const file = lockFile(folder, number);
  const entry = await readEntry(file);
  // Gone or not ours: what cannot be read binds nobody, for a lock appears with its text.
  if (entry === null || entry.released) return;
  const state = stateOf(entry);
  if (state === 'gone') return;
  const ageMs =
    Date.now() -
    (await stat(file).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0,
    ));
  if (state === 'unknown' && ageMs > FOREIGN_MS) return;
  const where = entry.pidSpace === ownPidSpace() ? '' : ' in another container';
  throw new StartError(
    'data-folder-locked',
    `The data folder ${folder} is in use by a manager that runs as process ${entry.pid}${where}.`,
    {
      hint:
        state === 'unknown'
          ? `End that manager; if it was killed, its lock ends ${FOREIGN_MS / 1000} s after. Or give another --data-dir.`
          : `End that manager (kill ${entry.pid}), or give another --data-dir.`,
    },
  );
}

/** The boot tells in any case; the id and the start time only where ids are counted as here. */
function stateOf(entry: LockEntry): ProcessState {
  const own = processIdentity(process.pid);
  if (own === null || entry.bootId === '') return 'unknown';
  if (own.bootId !== entry.bootId) return 'gone';
  return entry.pidSpace === ownPidSpace() ? processState(entry) : 'unknown';
}

function ownPidSpace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

async function readEntry(file: string): Promise<LockEntry | null> {
  try {
    const value = JSON.parse(await readFile(file, 'utf8')) as Partial<LockEntry> | null;
    if (typeof value?.pid !== 'number' || !Number.isSafeInteger(value.pid)) return null;
    const text = (found: unknown) => (typeof found === 'string' ? found : '');
    return {
      pid: value.pid,
      startTime: text(value.startTime),
      bootId: text(value.bootId),
      pidSpace: text(value.pidSpace),
      released: value.released === true,
    };
  } catch {
    return null;
  }
}

async function lockNumbers(folder: string): Promise<number[]> {
  return (await readdir(folder)).flatMap((name) => {
    const number = LOCK.exec(name)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
}

const lockFile = (folder: string, number: number) => join(folder, `manager.lock.${number}`);

const existed = (error: unknown): false => {
  if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
  throw error;
};
