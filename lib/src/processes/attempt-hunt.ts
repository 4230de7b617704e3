import { attemptMark } from './attempt-mark.ts';
import { attemptMembers } from './attempt-members.ts';
import { entryKey, errorCode, type ProcessEntry } from './process-entry.ts';
import type { ProcessIdentity } from './process-identity.ts';
import { processSource } from './process-source.ts';

/** What one look for the processes of an attempt came to. */
export interface Sighting {
  readonly members: readonly ProcessEntry[];
  readonly couldNotLook: string | null;
  /** Whether another look may see more. */
  readonly passing: boolean;
}

/** The processes of one attempt as they are found, stopped and killed; it remembers whom it saw. */
export class AttemptHunt {
  readonly #mark: string;
  readonly #spared: ReadonlySet<number>;
  readonly #session: number | null;
  readonly #known = new Set<string>();
  readonly #seen = new Set<string>();
  readonly #stopped = new Set<string>();
  readonly #asked = new Set<string>();
  readonly #refused = new Set<string>();

  constructor(attemptId: string, leader: ProcessIdentity | null, spared: readonly number[]) {
    this.#mark = attemptMark(attemptId);
    this.#spared = new Set([process.pid, ...spared]);
    const sameBoot = leader !== null && leader.bootId === processSource.bootId();
    this.#session = sameBoot ? leader.pid : null;
    if (sameBoot) this.#known.add(entryKey(leader));
  }

  /** How many processes were found so far. */
  get found(): number {
    return this.#seen.size;
  }

  /** Looks for members, and stops each at once if asked: what is stopped neither forks nor sees others die. */
  async look(stop: boolean): Promise<Sighting> {
    const { entries, couldNotLook, passing } = await processSource.list(this.#mark, (entry) => {
      if (stop) this.#stop(entry);
    });
    const all = attemptMembers(entries, { known: this.#known, session: this.#session });
    const members = all.filter(({ pid }) => !this.#spared.has(pid));
    for (const entry of all) this.#known.add(entryKey(entry));
    for (const entry of members) {
      this.#seen.add(entryKey(entry));
      if (stop) this.#stop(entry);
    }
    return { members, couldNotLook, passing };
  }

  /** Whether all of them stand still or refuse, so that none can make another. */
  allStopped(members: readonly ProcessEntry[], before: ReadonlySet<string>): boolean {
    return members.every((entry) => before.has(entryKey(entry)) || this.#refused.has(entryKey(entry)));
  }

  /** Those that were stopped so far. */
  stopped(): ReadonlySet<string> {
    return new Set(this.#stopped);
  }

  /** Asks each to end, once. */
  ask(members: readonly ProcessEntry[]): void {
    for (const entry of members) {
      if (this.#asked.has(entryKey(entry))) continue;
      this.#asked.add(entryKey(entry));
      this.#signal(entry, 'SIGTERM');
    }
  }

  /** Kills each; says whether the system let it signal at least one. */
  kill(members: readonly ProcessEntry[]): boolean {
    const sent = members.filter((entry) => this.#signal(entry, 'SIGKILL') !== 'refused');
    return sent.length > 0;
  }

  #stop(entry: ProcessEntry): void {
    const key = entryKey(entry);
    if (this.#spared.has(entry.pid) || this.#stopped.has(key) || this.#signal(entry, 'SIGSTOP') !== 'sent') return;
    // Once it stands still its pid cannot pass to another process, so a mistake shows now and is undone.
    if (processSource.isStill({ ...entry, marked: false }, this.#mark)) this.#stopped.add(key);
    else send(entry.pid, 'SIGCONT');
  }

  #signal(entry: ProcessEntry, signal: NodeJS.Signals): 'sent' | 'gone' | 'refused' {
    if (!processSource.isStill(entry, this.#mark)) return 'gone';
    const outcome = send(entry.pid, signal);
    if (outcome === 'refused') this.#refused.add(entryKey(entry));
    return outcome;
  }
}

function send(pid: number, signal: NodeJS.Signals): 'sent' | 'gone' | 'refused' {
  try {
    process.kill(pid, signal);
    return 'sent';
  } catch (error) {
    return errorCode(error) === 'EPERM' ? 'refused' : 'gone';
  }
}
