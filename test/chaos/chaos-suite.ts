import { describe, it } from 'vitest';
import { cancelAtRandom } from './cancels.ts';
import { withManager } from './chaos-world.ts';
import { frozenAttempt, frozenRunner } from './frozen.ts';
import { fillDisk } from './full-disk.ts';
import { killAgents, killRunners } from './kills.ts';
import { managerAway } from './manager-away.ts';
import { OUTPUTS, putOut } from './outputs.ts';
import { steerAroundEnds } from './steers.ts';

/** How much of each scene. */
export interface ChaosSize {
  readonly kills: number;
  /** How long the manager is away, for each time that it is killed; milliseconds, in all less than the lease of 90 s. */
  readonly awayMs: readonly number[];
  readonly cancels: number;
  readonly steers: number;
  /** Runs at a time. */
  readonly lanes: number;
}

/** What must hold when processes die, stand still, or do not stop: real ones, on this machine. */
export function chaosSuite(name: string, { kills, awayMs, cancels, steers, lanes }: ChaosSize): void {
  describe(`chaos, ${name}`, () => {
    // These wait more than they work.
    it.concurrent('gives the next turn to another attempt when the runner is killed', () =>
      withManager({}, (manager) => killRunners(manager, kills)));

    it.concurrent('ends the turn and goes on when the agent is killed', () =>
      withManager({}, (manager) => killAgents(manager, kills)));

    it.concurrent('loses nothing when the manager is killed and is away during a turn', () => managerAway(awayMs));

    it.concurrent('does nothing in a run that was taken over while the runner stood still', () =>
      withManager({}, frozenRunner));

    it.concurrent('takes no write of an attempt that stood still as a whole', () => withManager({}, frozenAttempt));

    it.concurrent('says that the disk is full, and goes on when it is not', ({ skip }) =>
      withManager({ runnerIdleTimeoutMs: 3000, staleHeartbeatFencingMs: 30_000 }, async (manager) => {
        if (!(await fillDisk(manager))) skip('a small file system can be mounted by root only');
      }));

    it(`ends each of ${cancels} turns once that are cancelled at random moments`, () =>
      withManager(
        {
          cancelDeliveryMode: 'push',
          cancelGracefulAbortMs: 150,
          cancelKillEscalationMs: 400,
          runnerIdleTimeoutMs: 20_000,
        },
        (manager) => cancelAtRandom(manager, cancels, lanes),
      ));

    it(`gives each of ${steers} steers around the ends of turns to the agent once, or says that it did not`, () =>
      withManager({ runnerIdleTimeoutMs: 20_000, staleHeartbeatFencingMs: 30_000 }, (manager) =>
        steerAroundEnds(manager, steers, Math.ceil(lanes / 2), 15),
      ));

    for (const output of OUTPUTS) {
      it(`keeps a bounded part of ${output.name}, and the outcome`, () =>
        withManager({ staleHeartbeatFencingMs: 30_000 }, (manager) => putOut(manager, output)));
    }
  });
}
