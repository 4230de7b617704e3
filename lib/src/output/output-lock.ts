import { closeSync, lstatSync, openSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AgentRunError } from '../errors.ts';
import { isMissing } from './output-failure.ts';
import { type OutputPlace, readSibling, temporaryPath } from './output-place.ts';
import { isWriterGone } from './writer.ts';

// A claim is held for milliseconds; only where its process cannot be looked up does its age decide.
const FOREIGN_CLAIM_MS = 60_000;
const WAIT_MS = 90_000;

interface Claim {
  readonly name: string;
  readonly pid: number;
}

/**
 * Runs the step while no other process runs one for the same output. Each process puts down a claim of its own name
 * and then looks for others: of two, the later to look sees the other and withdraws, so that never both go on, and the
 * claim of a killed process binds nobody. Throws `output-write` when others hold the lock for `waitMs`.
 */
export async function withOutputLock<T>(place: OutputPlace, step: () => Promise<T>, waitMs = WAIT_MS): Promise<T> {
  let deadline: number | undefined;
  for (let attempt = 0; ; attempt += 1) {
    const other = otherClaim(place, '') ?? (await claimAndRun(place, step));
    if ('value' in other) return other.value;
    deadline ??= performance.now() + waitMs;
    if (performance.now() > deadline) throw lockTimeout(place, other, waitMs);
    await delay(1 + Math.random() * Math.min(100, 5 * 2 ** Math.min(attempt, 10)));
  }
}

async function claimAndRun<T>(place: OutputPlace, step: () => Promise<T>): Promise<Claim | { value: T }> {
  const claim = temporaryPath(place, 'lock');
  try {
    closeSync(openSync(claim, 'wx'));
    return otherClaim(place, basename(claim)) ?? { value: await step() };
  } finally {
    removeClaim(claim);
  }
}

function removeClaim(claim: string): void {
  try {
    rmSync(claim, { force: true });
  } catch {
    // A claim that cannot be removed is void as soon as this process ends.
  }
}

function otherClaim(place: OutputPlace, own: string): Claim | null {
  for (const name of readdirSync(place.parent)) {
    const sibling = name === own ? null : readSibling(place, name);
    if (sibling?.kind !== 'lock') continue;
    const ageMs = ageOf(join(place.parent, name));
    if (ageMs !== null && !isWriterGone(sibling.writer, ageMs, FOREIGN_CLAIM_MS))
      return { name, pid: sibling.writer.pid };
  }
  return null;
}

function ageOf(path: string): number | null {
  try {
    return Date.now() - lstatSync(path).mtimeMs;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function lockTimeout(place: OutputPlace, claim: Claim, waitMs: number): AgentRunError {
  const file = join(place.parent, claim.name);
  return new AgentRunError(
    'output-write',
    `Could not write the output ${JSON.stringify(place.directory)}: process ${claim.pid} has been replacing it for ${Math.round(waitMs / 1000)} s.`,
    { hint: `End that process; if it is not AgentRun, remove ${file}.` },
  );
}
