import { setTimeout as sleep } from 'node:timers/promises';
import { AgentRunError } from '../errors.ts';
import { type Git, GitFailure } from './git.ts';
import { remoteFailure, shownWords } from './remote.ts';
import { saysRace, saysRefused, wordingOf } from './remote-wordings.ts';

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
  /** What goes along in the same push, where the remote takes both or none. Where it does not, it is left out. */
  readonly along?: Omit<Offer, 'along'>;
}

/** How a push came through. */
export interface Taken {
  /** Number of tries, 1 when nobody was faster. */
  readonly tries: number;
  /** Whether what should go along is there too. */
  readonly along: boolean;
}

/** The last offer, which the remote did not take, as far as it said. */
export interface LastOffer {
  readonly commit: string;
  /** The remote did not say that it refused. When it did, it may still hold the commit: http tries again by itself. */
  readonly isUnanswered: boolean;
}

interface Refusal {
  readonly error: GitFailure;
  readonly offer: Offer;
  readonly isUnanswered: boolean;
}

/**
 * Pushes what `prepare` offers, with a lease on exactly what it saw. When another publisher was faster, `prepare` is
 * asked again, after a random wait, until the deadline. It reads the remote each time and answers undefined when
 * nothing is to be pushed (any more). It is told what was offered last, since the answer to a push may be lost when the
 * push was not.
 *
 * @throws AgentRunError `push-timeout`, `branch-protected`, `remote-auth`, `remote-unreachable`, `push-refused`, ...
 */
export async function pushUntilTaken(
  git: Git,
  { remote, deadlineMs }: PushTarget,
  prepare: (last: LastOffer | undefined) => Promise<Offer | undefined>,
): Promise<Taken> {
  const end = performance.now() + deadlineMs;
  let refusal: Refusal | undefined;
  for (let tries = 1; ; tries += 1) {
    const start = performance.now();
    const offer = await prepareAfter(refusal, prepare, remote);
    if (offer === undefined) return { tries, along: false };
    if (refusal !== undefined && !isWorthAnotherTry(refusal, offer)) {
      throw remoteFailure(refusal.error, remote, { fallback: 'push-refused', ...asBefore(refusal) });
    }
    const together = offer.along === undefined ? undefined : await pushOnce(git, remote, [offer, offer.along]);
    if (offer.along !== undefined && together === undefined) return { tries, along: true };
    const isAlone = together === undefined || failedForAnother(together, offer);
    const error = isAlone ? await pushOnce(git, remote, [offer]) : together;
    if (error === undefined) return { tries, along: false };
    refusal = { error, offer, isUnanswered: !saysRefused(error.message) };
    // Any other refusal is final, unless reading the ref again shows that it has moved.
    const wait = saysRace(error.message) ? turn(performance.now() - start) : 0;
    if (performance.now() + wait > end) throw timeout(tries, deadlineMs, refusal);
    await sleep(wait);
  }
}

async function prepareAfter(
  refusal: Refusal | undefined,
  prepare: (last: LastOffer | undefined) => Promise<Offer | undefined>,
  remote: string,
): Promise<Offer | undefined> {
  try {
    return await prepare(refusal && { commit: refusal.offer.commit, isUnanswered: refusal.isUnanswered });
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    // A remote that went away in the middle of a push: the push is what failed.
    const hint = 'Nobody knows whether the push arrived: publish again, which does nothing if it did.';
    throw remoteFailure(refusal?.error ?? error, remote, refusal?.isUnanswered === true ? { hint } : {});
  }
}

/** Words alone do not decide: a ref that moved since says that somebody was faster, whatever the server said. */
function isWorthAnotherTry({ error, offer: refused }: Refusal, offer: Offer): boolean {
  if (saysRace(error.message)) return true;
  return offer.expected !== refused.expected && wordingOf(error.message)?.final !== true;
}

const asBefore = ({ isUnanswered, offer }: Refusal): { hint?: string } =>
  isUnanswered ? { hint: `${offer.ref} was as before when it was read again: publish again.` } : {};

/** All of them, or none. */
async function pushOnce(git: Git, remote: string, offers: readonly Offer[]): Promise<GitFailure | undefined> {
  const leases = offers.map(({ ref, expected }) => `--force-with-lease=${ref}:${expected ?? ''}`);
  const how = ['--porcelain', ...(offers.length > 1 ? ['--atomic'] : [])];
  const refs = offers.map(({ commit, ref }) => `${commit}:${ref}`);
  try {
    await git.text(['push', ...how, ...leases, '--', remote, ...refs]);
    return undefined;
  } catch (error) {
    if (error instanceof GitFailure) return error;
    throw error;
  }
}

/**
 * Whether a ref may have been left as it was only because it was not alone: the server takes one ref at a time, the
 * other ref had moved, or the server refused, which says the same of both.
 */
function failedForAnother({ message }: GitFailure, { ref }: Offer): boolean {
  if (/not support --?atomic/i.test(message)) return true;
  const reasons = message.split('\n').filter((line) => line.startsWith('!\t') && line.includes(`:${ref}\t`));
  return reasons.some((line) => /\[remote rejected\]|\(.*atomic.*\)/i.test(line));
}

/**
 * A random wait, up to four times as long as the last try took: a try is as slow as the remote and its crowd make it.
 * A wait that grows with the number of tries would let those who just came go before those who wait.
 */
const turn = (tryMs: number): number => Math.random() * Math.min(4 * tryMs, 5000);

function timeout(tries: number, deadlineMs: number, { error, offer }: Refusal): AgentRunError {
  const seconds = Math.round(deadlineMs / 1000);
  const what = `${offer.ref} could not be had within ${seconds} s, in ${tries} tries`;
  return new AgentRunError('push-timeout', `${what}: ${shownWords(error.message)}`, { cause: error });
}
