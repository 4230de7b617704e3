import { setTimeout as sleep } from 'node:timers/promises';
import { AgentRunError } from '../errors.ts';
import type { Git } from './git.ts';
import { isRace, remoteFailure } from './remote.ts';

/** Where a push goes. */
export interface PushTarget {
  readonly remote: string;
  readonly branch: string;
  /** How long other publishers may keep us waiting, in ms. */
  readonly deadlineMs: number;
}

/** A commit that shall take the place of what was seen. */
export interface Offer {
  readonly commit: string;
  readonly ref: string;
  /** What the ref was seen to be; undefined when it did not exist. */
  readonly expected: string | undefined;
}

/**
 * Pushes what `prepare` offers, with a lease on exactly what it saw. When another publisher was faster, `prepare` is
 * asked again, after a random wait, until the deadline. It reads the remote each time, is told the commit that was
 * offered last, and answers undefined when nothing is to be pushed (any more): the answer to a push may be lost when
 * the push was not.
 *
 * @returns the number of tries, 1 when nobody was faster
 * @throws AgentRunError `push-timeout`, `branch-protected`, `remote-auth`, `remote-unreachable`, `push-refused`, ...
 */
export async function pushUntilTaken(
  git: Git,
  { remote, deadlineMs }: PushTarget,
  prepare: (offered: string | undefined) => Promise<Offer | undefined>,
): Promise<number> {
  const end = performance.now() + deadlineMs;
  let offered: string | undefined;
  let refusal: unknown;
  for (let tries = 1; ; tries += 1) {
    const offer = await prepare(offered).catch((error: unknown) => {
      // A remote that went away in the middle of a push: the push is what failed.
      throw error instanceof AgentRunError ? error : remoteFailure(refusal ?? error, remote);
    });
    if (offer === undefined) return tries;
    if (refusal !== undefined && !isRace(refusal)) throw remoteFailure(refusal, remote, 'push-refused');
    try {
      await pushOnce(git, remote, offer);
      return tries;
    } catch (error) {
      refusal = error;
      offered = offer.commit;
    }
    if (isRace(refusal)) await waitForTurn(tries, end, deadlineMs, offer.ref, refusal);
  }
}

async function pushOnce(git: Git, remote: string, { commit, ref, expected }: Offer): Promise<void> {
  await git.text(['push', '--porcelain', `--force-with-lease=${ref}:${expected ?? ''}`, '--', remote, `${commit}:${ref}`]);
}

async function waitForTurn(tries: number, end: number, deadlineMs: number, ref: string, cause: unknown): Promise<void> {
  const wait = Math.random() * Math.min(2000, 25 * 2 ** Math.min(tries, 7));
  if (performance.now() + wait > end) {
    const seconds = Math.round(deadlineMs / 1000);
    throw new AgentRunError('push-timeout', `${ref} was taken by other publishers for ${seconds} s, in ${tries} tries`, { cause });
  }
  await sleep(wait);
}
