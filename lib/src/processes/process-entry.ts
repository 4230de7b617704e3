/** One process at the moment of a listing. */
export interface ProcessEntry {
  readonly pid: number;
  readonly ppid: number;
  /** Process group. */
  readonly pgid: number;
  /** Session; null where the system does not tell. */
  readonly sid: number | null;
  /** When it began, in a form that only compares for equality; with the pid it names a process of one boot. */
  readonly startTime: string;
  /** A zombie: it runs no more and only waits for its parent to look. */
  readonly ended: boolean;
  /** The name of its program, at most some 15 characters, without its arguments: those may hold secrets. */
  readonly command: string;
  /** Whether its environment carries the mark that was asked for. */
  readonly marked: boolean;
}

/** All processes that could be seen. */
export interface Listing {
  readonly entries: readonly ProcessEntry[];
  /** Why processes may be missing from the entries; null when none is. */
  readonly couldNotLook: string | null;
  /** Whether another look may show those that are missing. */
  readonly passing: boolean;
}

/** How one operating system shows its processes. */
export interface ProcessSource {
  /** The id of this boot of the machine; null where it cannot be had. */
  bootId(): string | null;
  /** One process; null when there is none of that id, "hidden" when there is one that cannot be looked at. */
  find(pid: number): ProcessEntry | 'hidden' | null;
  /**
   * Every process, marked where its environment has exactly the entry `mark` ("NAME=value"). `found` is called for
   * each marked one as soon as it is seen, before the listing is whole.
   */
  list(mark: string, found: (entry: ProcessEntry) => void): Promise<Listing>;
  /**
   * Whether the pid still is the process of that entry, read anew: the same start time, not ended, and where the entry
   * is marked, still with the mark. False for a pid that was given to another process.
   */
  isStill(entry: ProcessEntry, mark: string): boolean;
}

/** Names a process of this boot: no two processes have the same. */
export const entryKey = ({ pid, startTime }: { readonly pid: number; readonly startTime: string }): string =>
  `${pid}@${startTime}`;

/** A program's name as a person may read it. */
export const printable = (name: string): string => name.replaceAll(/[^\u0020-\u007e]/g, '?');

/** The code of a system error, such as ENOENT; null for anything else. */
export function errorCode(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}
