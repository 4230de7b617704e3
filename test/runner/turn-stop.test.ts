import { type ChildProcess, spawn } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import type { BackendSession } from '../../runner/src/backends/backend.ts';
import { type StopTimes, TurnStop } from '../../runner/src/turn-stop.ts';
import { fixture, newAttemptId } from '../helpers/agent-process.ts';
import { killAllWith, livingWith, until, untilLiving } from '../helpers/living-processes.ts';

const ids: string[] = [];
afterEach(() => {
  for (const id of ids.splice(0)) killAllWith(id);
});

interface Asked {
  interrupts: number;
  kills: number;
}

/** A turn whose agent is a process that is started with the mark, and a session that only counts what it is asked. */
function turnOf(command: readonly string[]): {
  stop: TurnStop;
  child: ChildProcess;
  asked: Asked;
  end: () => void;
  attemptId: string;
} {
  const attemptId = newAttemptId();
  ids.push(attemptId);
  const [file = '', ...args] = command;
  const child = spawn(file, args, {
    env: { PATH: process.env['PATH'] ?? '', AGENTRUN_ATTEMPT_ID: attemptId },
    detached: true,
    stdio: 'ignore',
  });
  const asked: Asked = { interrupts: 0, kills: 0 };
  let end: () => void = () => {};
  const over = new Promise<void>((resolve) => {
    end = resolve;
  });
  const session: Pick<BackendSession, 'interrupt' | 'kill'> = {
    interrupt: async () => {
      asked.interrupts += 1;
      return false;
    },
    kill: async () => {
      asked.kills += 1;
      end();
    },
  };
  const stop = new TurnStop({ attemptId, over, session: () => session as BackendSession, log: () => {} });
  return { stop, child, asked, end, attemptId };
}

const soon: StopTimes = { gracefulAbortMs: 30, killEscalationMs: 200 };

describe('the end of a turn by force', () => {
  it('comes after the interrupt, with all processes of the attempt', async () => {
    const { stop, asked, attemptId } = turnOf([process.execPath, fixture('stubborn.mjs')]);
    await untilLiving(attemptId, 1);
    stop.begin(soon, 0);
    await until(
      () => asked.kills,
      (kills) => kills === 1,
      'the kill',
    );
    expect(asked.interrupts).toBe(1);
    expect(livingWith(attemptId)).toEqual([]);
  });

  it('does not come when the turn ends by itself', async () => {
    const { stop, asked, end, attemptId } = turnOf(['sleep', '60']);
    await untilLiving(attemptId, 1);
    stop.begin({ gracefulAbortMs: 60, killEscalationMs: 100 }, 0);
    end();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(asked).toEqual({ interrupts: 1, kills: 0 });
    expect(livingWith(attemptId)).toHaveLength(1);
  });

  it('comes at once for a request that is older than its times', async () => {
    const { stop, asked, attemptId } = turnOf(['sleep', '60']);
    await untilLiving(attemptId, 1);
    stop.begin({ gracefulAbortMs: 60_000, killEscalationMs: 120_000 }, 200_000);
    await until(
      () => asked.kills,
      (kills) => kills === 1,
      'the kill',
    );
    expect(livingWith(attemptId)).toEqual([]);
  });

  it('comes sooner when it is asked for again with less time, and never later', async () => {
    const { stop, asked, attemptId } = turnOf(['sleep', '60']);
    await untilLiving(attemptId, 1);
    stop.begin({ gracefulAbortMs: 60_000, killEscalationMs: 120_000 }, 0);
    stop.begin({ gracefulAbortMs: 600_000, killEscalationMs: 1_200_000 }, 0);
    stop.killNow();
    await until(
      () => asked.kills,
      (kills) => kills === 1,
      'the kill',
    );
    expect(asked.interrupts).toBe(1);
  });
});
