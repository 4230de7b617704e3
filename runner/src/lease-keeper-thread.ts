import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { fence } from '@agentrun/lib/processes';
import { EXIT, type ExitCode } from './exit-code.ts';
import type { ClaimedAgain, LeasedRun, LeaseNews, LeaseThreadData } from './lease-keeper-messages.ts';
import { clock, SharedLease, stallMs, usableMs } from './lease-keeper-shared.ts';
import { callManager } from './manager-client-call.ts';
import { ManagerFailure, ManagerUnreachable } from './manager-client-failure.ts';

/** A beat that is not answered by then is tried again. Milliseconds, as all here. */
const BEAT_TIMEOUT_MS = 10_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2000;
/** How often a thread that may not beat looks whether it may. */
const LOOK_MS = 100;
/** A wait that took so much longer than it should shows that the whole process stood still. */
const FROZEN_MS = 1000;
const FENCE_MS = 2000;
/** How long the main thread may take to leave by itself. */
const LEAVE_MS = 1500;

type Trouble = 'unreachable' | 'stalled' | 'frozen';

const data = workerData as LeaseThreadData;
const shared = new SharedLease(data.buffer);
let { epoch, leaseMs } = data;
let isRefused = false;
let nextBeat = clock() + data.heartbeatMs;
let pause = FIRST_PAUSE_MS;
/** Why the lease is not renewed, as long as it is not. */
let trouble: Trouble | null = null;
let lastWords = '';

function note(what: Trouble | null): void {
  trouble = what;
  shared.isUnreachable = what === 'unreachable';
}

function tell(news: LeaseNews): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port of a thread has no origins
  parentPort?.postMessage(news);
}

parentPort?.on('message', (claimed: ClaimedAgain) => {
  ({ epoch, leaseMs } = claimed);
  isRefused = false;
  note(null);
  nextBeat = clock() + Math.min(data.heartbeatMs, leaseMs / 3);
});

await keep();

/** Beats until the lease may not be used any more. */
async function keep(): Promise<void> {
  for (;;) {
    const now = clock();
    const left = shared.deadline - now;
    if (left <= 0) return await over();
    const isStalled = shared.sinceTick > stallMs(leaseMs);
    if (isStalled) note('stalled');
    const mayBeat = !isRefused && !isStalled;
    if (mayBeat && now >= nextBeat) await timed(Math.min(BEAT_TIMEOUT_MS, left), beat);
    else await timed(Math.max(1, Math.min(left, mayBeat ? nextBeat - now : LOOK_MS)), (ms) => delay(ms));
  }
}

async function timed(ms: number, wait: (ms: number) => Promise<void>): Promise<void> {
  const before = clock();
  await wait(ms);
  if (clock() - before > ms + FROZEN_MS) note('frozen');
}

async function beat(timeoutMs: number): Promise<void> {
  const sent = clock();
  const beatEpoch = epoch;
  try {
    const run = (await callManager(data.address, {
      method: 'PATCH',
      path: `/runs/${data.runId}/lease`,
      body: JSON.stringify({ runnerId: data.runnerId }),
      epoch: beatEpoch,
      timeoutMs: Math.max(1, timeoutMs),
    })) as LeasedRun;
    if (beatEpoch !== epoch) return;
    leaseMs = run.leaseMs;
    shared.deadline = sent + usableMs(leaseMs);
    nextBeat = sent + Math.min(data.heartbeatMs, leaseMs / 3);
    pause = FIRST_PAUSE_MS;
    note(null);
    tell({ kind: 'beat', run });
  } catch (error) {
    if (beatEpoch !== epoch) return;
    lastWords = error instanceof Error ? error.message : String(error);
    if (error instanceof ManagerFailure && !error.retryable) {
      isRefused = true;
      const { message, failureKind, details } = error;
      tell({ kind: 'refused', epoch: beatEpoch, message, failureKind, details });
      return;
    }
    note(trouble ?? 'unreachable');
    const asked = error instanceof ManagerUnreachable ? (error.retryAfterMs ?? 0) : 0;
    const now = clock();
    // The less of the lease is left, the sooner: a manager that comes back in time must be met in time.
    const longest = Math.max(FIRST_PAUSE_MS, (shared.deadline - now) / 4);
    nextBeat = now + Math.min(longest, Math.max(asked, pause * (0.5 + Math.random() / 2)));
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

/** Nobody may rely on us from now on: the agent goes at once, and then this process, whatever its main thread does. */
async function over(): Promise<void> {
  const isUnreachable = trouble === 'unreachable';
  const code = isUnreachable ? EXIT.unreachable : EXIT.fenced;
  const message = isUnreachable
    ? `the manager was not there for as long as the lease of ${leaseMs} ms allows; ${lastWords}`
    : `the lease of ${leaseMs} ms was not renewed in time${trouble === null ? '' : `: the runner was ${trouble}`}`;
  tell({ kind: 'over', code, message });
  await fence(data.attemptId, { deadlineMs: FENCE_MS, exclude: data.spared });
  await delay(LEAVE_MS);
  await leave(code);
}

/**
 * Ends the process from here. Only the main thread can end it with a code, so it is interrupted as a debugger would; a
 * main thread that waits in the system is not reached, and then the process is killed.
 */
async function leave(code: ExitCode): Promise<void> {
  try {
    const { Session } = await import('node:inspector');
    const session = new Session();
    session.connectToMainThread();
    session.post('Runtime.evaluate', { expression: `process.reallyExit(${code})` });
    await delay(LEAVE_MS);
  } finally {
    process.kill(process.pid, 'SIGKILL');
  }
}
