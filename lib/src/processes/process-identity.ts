import { processSource } from './process-source.ts';

/**
 * Names one process for ever: a pid is given to another process in time, but not with the same start time in the same
 * boot. JSON; equal identities are the same process.
 */
export interface ProcessIdentity {
  readonly pid: number;
  /** Linux: clock ticks after boot. macOS: the date, to the second. Only for comparison. */
  readonly startTime: string;
  /** Of the machine's boot. */
  readonly bootId: string;
}

/** `unknown`: there may be one, but the system does not let us look. It is never to be taken for `gone`. */
export type ProcessState = 'alive' | 'gone' | 'unknown';

/** The identity of a process, a zombie included; null when there is none of that id, or it cannot be looked at. */
export function processIdentity(pid: number): ProcessIdentity | null {
  if (!Number.isSafeInteger(pid) || pid < 1) return null;
  try {
    const [entry, bootId] = [processSource.find(pid), processSource.bootId()];
    if (entry === null || entry === 'hidden' || bootId === null) return null;
    return { pid, startTime: entry.startTime, bootId };
  } catch {
    return null;
  }
}

/** Whether the process lives. A zombie is gone, and so is every process of a former boot. */
export function processState(identity: ProcessIdentity): ProcessState {
  try {
    const bootId = processSource.bootId();
    if (bootId === null) return 'unknown';
    if (bootId !== identity.bootId) return 'gone';
    const entry = processSource.find(identity.pid);
    if (entry === 'hidden') return 'unknown';
    return entry !== null && !entry.ended && entry.startTime === identity.startTime ? 'alive' : 'gone';
  } catch {
    return 'unknown';
  }
}

/** Whether the process is seen to live. False for `unknown` too: who must know that it is gone asks {@link processState}. */
export function isAlive(identity: ProcessIdentity): boolean {
  return processState(identity) === 'alive';
}
