import { execFile, spawnSync } from 'node:child_process';
import { type Listing, type ProcessEntry, type ProcessSource, printable } from './process-entry.ts';

// Names and times are printed in one way whatever the user has set.
const ENVIRONMENT = { LC_ALL: 'C', TZ: 'UTC' };
const COLUMNS = 'pid=,ppid=,pgid=,stat=,lstart=,command=';
const LIMIT = { maxBuffer: 64 * 1024 * 1024, timeout: 10_000 } as const;

/**
 * The processes of macOS, as ps shows them. A start time is exact to the second, so the mark is always looked at too.
 * Programs that the system protects, as those of /bin and /usr/bin, do not show their environment: they are found by
 * parent and process group.
 */
export const macosProcesses: ProcessSource = { bootId, find, list, isStill };

let boot: string | null | undefined;

function bootId(): string | null {
  if (boot === undefined) {
    const session = run('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid']).trim();
    const seconds = /sec = (\d+)/.exec(session === '' ? run('/usr/sbin/sysctl', ['-n', 'kern.boottime']) : '')?.[1];
    boot = session !== '' ? session : seconds === undefined ? null : `boottime-${seconds}`;
  }
  return boot;
}

function find(pid: number): ProcessEntry | 'hidden' | null {
  return parseProcessList(run('/bin/ps', ['-ww', '-o', COLUMNS, '-p', String(pid)]), null, '')[0] ?? null;
}

function list(mark: string, found: (entry: ProcessEntry) => void): Promise<Listing> {
  return new Promise((resolve) => {
    // The two lists are taken at once: what the second has beyond the first is the environment.
    const both = [psAll([]), psAll(['-E'])];
    Promise.all(both).then(
      ([plain = '', full = '']) => {
        const entries = parseProcessList(plain, full, mark);
        for (const entry of entries) if (entry.marked) found(entry);
        resolve({ entries, couldNotLook: entries.length === 0 ? 'ps shows no process' : null, passing: true });
      },
      () => resolve({ entries: [], couldNotLook: 'ps could not be run', passing: true }),
    );
  });
}

function isStill(entry: ProcessEntry, mark: string): boolean {
  const choose = ['-ww', '-o', COLUMNS, '-p', String(entry.pid)];
  const [now] = parseProcessList(run('/bin/ps', choose), entry.marked ? run('/bin/ps', ['-E', ...choose]) : null, mark);
  return now !== undefined && now.startTime === entry.startTime && !now.ended && (now.marked || !entry.marked);
}

/**
 * Reads what ps printed for the columns pid, ppid, pgid, stat, lstart and command. `full` is the same with the
 * environment behind each command; an argument that looks like the mark is none.
 */
export function parseProcessList(plain: string, full: string | null, mark: string): ProcessEntry[] {
  const withEnvironment = new Map(rows(full ?? '').map((row) => [`${row.pid}@${row.startTime}`, row.command]));
  return rows(plain).map((row) => {
    const long = withEnvironment.get(`${row.pid}@${row.startTime}`) ?? '';
    const environment = long.startsWith(row.command) ? ` ${long.slice(row.command.length).trim()} ` : '';
    const [program = ''] = row.command.split(' ');
    return {
      pid: row.pid,
      ppid: row.ppid,
      pgid: row.pgid,
      sid: null,
      startTime: row.startTime,
      ended: row.stat.startsWith('Z'),
      command: printable(program.slice(program.lastIndexOf('/') + 1)),
      marked: mark !== '' && environment.includes(` ${mark} `),
    };
  });
}

function rows(text: string) {
  const line = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+\s+\S+\s+\d+\s+\d+:\d+:\d+\s+\d+)\s*(.*)$/;
  return text.split('\n').flatMap((candidate) => {
    const [, pid, ppid, pgid, stat = '', began = '', command = ''] = line.exec(candidate) ?? [];
    if (pid === undefined) return [];
    const startTime = began.replaceAll(/\s+/g, ' ');
    return [{ pid: Number(pid), ppid: Number(ppid), pgid: Number(pgid), stat, startTime, command: command.trimEnd() }];
  });
}

function psAll(flags: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { ...LIMIT, env: ENVIRONMENT };
    execFile('/bin/ps', ['-ax', '-ww', ...flags, '-o', COLUMNS], options, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(error);
    });
  });
}

function run(file: string, argv: readonly string[]): string {
  return spawnSync(file, argv, { ...LIMIT, env: ENVIRONMENT, encoding: 'utf8' }).stdout ?? '';
}
