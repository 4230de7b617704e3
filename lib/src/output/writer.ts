import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** The process that made a temporary, as its name tells. */
export interface Writer {
  /** Eight hex digits that stand for the machine, its boot and the space that process ids count in. */
  readonly host: string;
  readonly pid: number;
  /** Start time of the process in clock ticks after boot; 0 where the system does not tell. */
  readonly start: number;
}

const HOUR_MS = 3_600_000;
let own: Writer | undefined;

/** This process. */
export function ownWriter(): Writer {
  own ??= { host: hostMark(), pid: process.pid, start: processState(process.pid)?.start ?? 0 };
  return own;
}

/** Part of a file name: the writer and eight random hex digits. */
export function newMark(): string {
  const { host, pid, start } = ownWriter();
  return `${host}-${pid}-${start}-${randomBytes(4).toString('hex')}`;
}

/** The writer in a mark of {@link newMark}; null for any other text. */
export function writerOfMark(mark: string): Writer | null {
  const match = /^([0-9a-f]{8})-([1-9][0-9]{0,9})-([0-9]{1,15})-[0-9a-f]{8}$/.exec(mark);
  if (match === null) return null;
  return { host: match[1] ?? '', pid: Number(match[2]), start: Number(match[3]) };
}

/**
 * Whether the writer has ended. A process of this machine is looked up by its id and its start time. Where that
 * says nothing, age decides: `foreignAgeMs` for another machine, an hour for an id that may have been given anew.
 */
export function isWriterGone(writer: Writer, ageMs: number, foreignAgeMs = HOUR_MS): boolean {
  if (writer.host !== ownWriter().host) return ageMs > foreignAgeMs;
  if (!processExists(writer.pid)) return true;
  const state = processState(writer.pid);
  if (writer.start === 0 || state === null) return ageMs > HOUR_MS;
  return state.ended || state.start !== writer.start;
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

function processState(pid: number): { start: number; ended: boolean } | null {
  const text = readText(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  // The command name stands in parentheses and may hold anything, so counting begins after the last one.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const start = Number(fields[19]);
  return Number.isSafeInteger(start) ? { start, ended: fields[0] === 'Z' || fields[0] === 'X' } : null;
}

function hostMark(): string {
  const parts = [
    hostname(),
    readText(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
    readText(() => readlinkSync('/proc/self/ns/pid')),
  ];
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 8);
}

function readText(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
