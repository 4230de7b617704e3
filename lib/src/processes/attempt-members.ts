import { entryKey, type ProcessEntry } from './process-entry.ts';

/** What is known of an attempt before a listing. */
export interface MemberHints {
  /** Keys of processes that were members in an earlier listing; the runner's among them. */
  readonly known: ReadonlySet<string>;
  /** The number of the session, and process group, that was made for the attempt; null when none is known. */
  readonly session: number | null;
}

/**
 * The living processes that belong to an attempt: the marked and the known ones, their descendants, and whoever shares
 * a session or a process group that one of them leads.
 *
 * A session or group whose leader is none of them stays untouched, as a member may have been started by hand in
 * somebody's shell. Of a leader that has ended, only the session hint tells; it counts while a marked process is in it,
 * as then the number cannot have been given to another session.
 */
export function attemptMembers(entries: readonly ProcessEntry[], { known, session }: MemberHints): ProcessEntry[] {
  const members = new Map<number, ProcessEntry>();
  const led = { sessions: new Set<number>(), groups: new Set<number>() };
  const add = (entry: ProcessEntry): void => {
    members.set(entry.pid, entry);
    if (entry.sid === entry.pid) led.sessions.add(entry.pid);
    if (entry.pgid === entry.pid) led.groups.add(entry.pid);
  };
  for (const entry of entries) if (entry.marked || known.has(entryKey(entry))) add(entry);
  if (session !== null) {
    const marked = [...members.values()];
    if (marked.some(({ sid }) => sid === session)) led.sessions.add(session);
    if (marked.some(({ pgid }) => pgid === session)) led.groups.add(session);
  }

  const belongs = ({ pid, ppid, pgid, sid }: ProcessEntry): boolean =>
    pid > 1 && (members.has(ppid) || led.groups.has(pgid) || (sid !== null && led.sessions.has(sid)));
  for (let before = -1; before !== members.size; ) {
    before = members.size;
    for (const entry of entries) if (!members.has(entry.pid) && belongs(entry)) add(entry);
  }
  return [...members.values()].filter(({ ended }) => !ended);
}
