import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setImmediate as breathe, setTimeout as delay } from 'node:timers/promises';
import { errorCode, type Listing, type ProcessEntry, type ProcessSource, printable } from './process-entry.ts';

const KERNEL_THREAD = 0x00200000;
/** How long one look goes on while processes go before they are read. */
const SETTLING_MS = 250;
/** A process in the middle of an exec shows an empty environment for some microseconds: look again, so often. */
const EXEC_LOOKS = 10;
const CHUNK = 64;

/** What a read of a file of /proc came to; "hidden" is one of another user, or one that forbids it. */
type Look<T> = { readonly value: T } | 'gone' | 'hidden';

/** The processes of Linux, as /proc shows them. Reading is synchronous, in chunks: files of /proc never wait for a disk. */
export const linuxProcesses: ProcessSource = { bootId, find, list, isStill };

let boot: string | null | undefined;

function bootId(): string | null {
  if (boot === undefined) {
    const id = read('/proc/sys/kernel/random/boot_id');
    // A sandboxed kernel may lack the id; the time of the boot then stands for it.
    const stat = typeof id === 'object' ? null : read('/proc/stat');
    const time =
      stat === null || typeof stat === 'string' ? undefined : /^btime (\d+)$/m.exec(stat.value.toString())?.[1];
    boot = typeof id === 'object' ? id.value.toString().trim() : time === undefined ? null : `btime-${time}`;
  }
  return boot;
}

function find(pid: number): ProcessEntry | 'hidden' | null {
  const look = readEntry(pid, null);
  if (typeof look === 'object') return look.value;
  return look === 'hidden' || exists(pid) ? 'hidden' : null;
}

async function list(mark: string, found: (entry: ProcessEntry) => void): Promise<Listing> {
  const blind = blindness();
  if (blind?.total === true) return { entries: [], couldNotLook: blind.reason, passing: false };
  const entries = new Map<number, ProcessEntry>();
  const visited = new Set<number>();
  const visit = (pid: number): 'seen' | 'executing' | 'gone' => {
    const look = readEntry(pid, mark);
    if (typeof look === 'string') return look === 'gone' ? 'gone' : 'seen';
    const { executing, ...entry } = look.value;
    entries.set(pid, entry);
    if (entry.marked) found(entry);
    return executing ? 'executing' : entry.ended ? 'gone' : 'seen';
  };
  const result = (couldNotLook: string | null, passing: boolean): Listing => ({
    entries: [...entries.values()],
    couldNotLook,
    passing,
  });
  const until = performance.now() + SETTLING_MS;
  try {
    // A process that goes before it is read may have left a child. /proc lists ids in ascending order, so of a chain of
    // processes that each start the next and end, one is listed in every pass: a pass that reads all that is new shows
    // that there is no such chain.
    for (let first = true; ; first = false) {
      const fresh = pids().filter((pid) => !visited.has(pid));
      let executing: number[] = [];
      let gone = false;
      for (const [index, pid] of (first ? fresh : fresh.reverse()).entries()) {
        if (index % CHUNK === CHUNK - 1) await breathe();
        visited.add(pid);
        const seen = visit(pid);
        if (seen === 'executing') executing.push(pid);
        if (seen === 'gone') gone = true;
      }
      for (let look = 0; look < EXEC_LOOKS && executing.length > 0; look += 1) {
        await delay(2);
        executing = executing.filter((pid) => {
          const seen = visit(pid);
          gone ||= seen === 'gone';
          return seen === 'executing';
        });
      }
      if (!gone) return result(blind?.reason ?? null, false);
      if (performance.now() > until) return result('processes come and go faster than they can be looked at', true);
    }
  } catch (error) {
    return result(`reading /proc failed with ${errorCode(error) ?? 'an error'}`, true);
  }
}

function isStill(entry: ProcessEntry, mark: string): boolean {
  try {
    const look = readEntry(entry.pid, entry.marked ? mark : null);
    if (typeof look === 'string') return false;
    const { startTime, ended, marked } = look.value;
    return startTime === entry.startTime && !ended && (marked || !entry.marked);
  } catch {
    return false;
  }
}

const pids = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^[1-9][0-9]*$/.test(name))
    .map(Number);

/** Why not all processes can be seen. `total`: the ids that are seen are not those of this process's own space. */
function blindness(): { readonly total: boolean; readonly reason: string } | null {
  try {
    if (readlinkSync('/proc/self') !== String(process.pid)) {
      return { total: true, reason: '/proc belongs to another process id space: mount the one of this container' };
    }
    if (typeof read('/proc/1/stat') === 'string') {
      return { total: false, reason: '/proc hides the processes of other users: mount it without hidepid' };
    }
    return null;
  } catch (error) {
    return { total: true, reason: `/proc cannot be read (${errorCode(error) ?? 'error'}): mount it` };
  }
}

/** One process. With a mark, says also whether it carries it, and whether it is in the middle of an exec. */
function readEntry(pid: number, mark: string | null): Look<ProcessEntry & { readonly executing: boolean }> {
  const stat = read(`/proc/${pid}/stat`);
  if (typeof stat === 'string') return stat;
  const text = stat.value.toString('latin1');
  // The name stands in parentheses and may hold anything, so counting begins after the last one.
  const close = text.lastIndexOf(')');
  const fields = text.slice(close + 2).split(' ');
  const number = (index: number): number => Number(fields[index]);
  const zombie = fields[0] === 'Z' || fields[0] === 'X';
  // A process whose first thread has ended looks like a zombie while its other threads run on.
  const ended = zombie && number(17) <= 1;
  const kernel = (number(6) & KERNEL_THREAD) !== 0;
  const asked = mark !== null && !ended && !kernel;
  const environment = asked ? (zombie ? environmentOfThreads(pid) : read(`/proc/${pid}/environ`)) : 'hidden';
  if (environment === 'gone') return 'gone';
  const bytes = typeof environment === 'object' ? environment.value : null;
  const executing = bytes?.length === 0 && !zombie && isEmpty(`/proc/${pid}/cmdline`);
  return {
    value: {
      pid,
      ppid: number(1),
      pgid: number(2),
      sid: number(3),
      startTime: fields[19] ?? '',
      ended,
      command: printable(text.slice(text.indexOf('(') + 1, close)),
      marked: mark !== null && bytes !== null && hasEntry(bytes, mark),
      executing,
    },
  };
}

function environmentOfThreads(pid: number): Look<Buffer> {
  let last: Look<Buffer> = 'gone';
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      last = read(`/proc/${pid}/task/${thread}/environ`);
      if (typeof last === 'object' && last.value.length > 0) return last;
    }
  } catch (error) {
    if (!['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(errorCode(error) ?? '')) throw error;
  }
  return last;
}

/** Whether one of the NUL-separated entries is exactly the mark. */
function hasEntry(environment: Buffer, mark: string): boolean {
  for (let at = environment.indexOf(mark); at !== -1; at = environment.indexOf(mark, at + 1)) {
    const after = at + Buffer.byteLength(mark);
    if ((at === 0 || environment[at - 1] === 0) && (after === environment.length || environment[after] === 0))
      return true;
  }
  return false;
}

function isEmpty(path: string): boolean {
  const look = read(path);
  return look === 'gone' || (typeof look === 'object' && look.value.length === 0);
}

/** Throws for anything but a process that has gone or must not be read, such as a lack of file descriptors. */
function read(path: string): Look<Buffer> {
  try {
    return { value: readFileSync(path) };
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ESRCH') return 'gone';
    if (code === 'EACCES' || code === 'EPERM') return 'hidden';
    throw error;
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) !== 'ESRCH';
  }
}
