import { setTimeout as delay } from 'node:timers/promises';
import { AttemptHunt, type Sighting } from './attempt-hunt.ts';
import type { ProcessIdentity } from './process-identity.ts';

/** How long a fence may take, and whom it spares. */
export interface FenceOptions {
  /** After this many milliseconds it answers with what is left. One full round is made in any case. */
  readonly deadlineMs: number;
  /** Time between SIGTERM and SIGKILL, in milliseconds; default 0: SIGKILL at once, without SIGTERM. */
  readonly graceMs?: number;
  /** Pids that are spared; the calling process always is. */
  readonly exclude?: readonly number[];
  /** The process that was started for the attempt as leader of its own session and group; it need not live. */
  readonly leader?: ProcessIdentity | null;
}

/** A process that could not be ended. */
export interface Survivor {
  readonly pid: number;
  /** The name of its program, without arguments. */
  readonly command: string;
}

/** Whether anything of the attempt is left. */
export type FenceResult =
  | {
      /** Nothing of the attempt was left, in two looks in a row that saw every process. */
      readonly gone: true;
      /** Processes that were found, and ended. */
      readonly killed: number;
      readonly rounds: number;
    }
  | {
      readonly gone: false;
      /** What lives although it was killed: another user's, or one in an uninterruptible wait. */
      readonly survivors: readonly Survivor[];
      /** Why the looks did not show every process; null when they did. */
      readonly couldNotLook: string | null;
      readonly killed: number;
      readonly rounds: number;
    };

const PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 100;
/** Looks that only stop processes, before those that are found are killed whatever may be left. */
const STOPPING_LOOKS = 20;

/**
 * Ends every process of an attempt, and says whether none is left.
 *
 * Found are the processes whose environment carries `AGENTRUN_ATTEMPT_ID=<id>`, and from those on their descendants and
 * whoever shares a session or group that one of them leads. In each round all are stopped first, so that none forks or
 * replaces another, and then killed; rounds are repeated until two looks in a row find nothing. A pid is signalled only
 * after its start time and mark were read anew.
 *
 * Limit: a process that cleared its environment, left its session and group, and lost its parent before the first look
 * is not found.
 *
 * @throws TypeError for what is no attempt id. It never rejects for another reason.
 */
export async function fence(attemptId: string, options: FenceOptions): Promise<FenceResult> {
  const hunt = new AttemptHunt(attemptId, options.leader ?? null, options.exclude ?? []);
  const deadline = performance.now() + options.deadlineMs;
  const graceMs = Math.min(options.graceMs ?? 0, options.deadlineMs);
  if (graceMs > 0) await askToEnd(hunt, performance.now() + graceMs);

  let [rounds, looks] = [0, 0];
  for (let pause = PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const { members, couldNotLook, passing } = await stopAll(hunt, deadline);
    const late = performance.now() >= deadline;
    if (members.length > 0) {
      looks = 0;
      const isLast = late && rounds > 0;
      rounds += 1;
      if (!hunt.kill(members) || isLast) return unended(hunt, rounds);
    } else if (couldNotLook === null) {
      looks += 1;
      if (looks === 2) return { gone: true, killed: hunt.found, rounds };
    } else {
      looks = 0;
      if (late || !passing) return { gone: false, survivors: [], couldNotLook, killed: hunt.found, rounds };
    }
    await delay(pause);
  }
}

async function askToEnd(hunt: AttemptHunt, until: number): Promise<void> {
  for (let pause = PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const { members } = await hunt.look(false);
    if (members.length === 0 || performance.now() >= until) return;
    hunt.ask(members);
    await delay(Math.max(1, Math.min(pause, until - performance.now())));
  }
}

/** Looks until no process is found that did not stand still before. */
async function stopAll(hunt: AttemptHunt, deadline: number): Promise<Sighting> {
  for (let look = 1; ; look += 1) {
    const before = hunt.stopped();
    const sighting = await hunt.look(true);
    const settled = hunt.allStopped(sighting.members, before);
    if (settled || look >= STOPPING_LOOKS || performance.now() >= deadline) return sighting;
  }
}

async function unended(hunt: AttemptHunt, rounds: number): Promise<FenceResult> {
  await delay(PAUSE_MS);
  const { members, couldNotLook } = await hunt.look(false);
  const survivors = members.map(({ pid, command }) => ({ pid, command }));
  return { gone: false, survivors, couldNotLook, killed: hunt.found - survivors.length, rounds };
}
