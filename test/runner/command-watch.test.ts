import { describe, expect, it } from 'vitest';
import type { CancelRequest } from '../../runner/src/cancel-request.ts';
import { CommandWatch } from '../../runner/src/command-watch.ts';
import type { LeaseKeeper } from '../../runner/src/lease-keeper.ts';
import type { LeasedRun } from '../../runner/src/lease-keeper-messages.ts';
import type { Command, CommandsNext, ManagerClient } from '../../runner/src/manager-client.ts';

const AT = '2026-01-01T00:00:10.000Z';
const turn: Command = {
  id: 'cmd_turn',
  seq: 5,
  type: 'turn',
  payload: { prompt: 'x' },
  state: 'acknowledged',
  cancelRequestedAt: null,
};
const steer = (seq: number): Command => ({ ...turn, id: `cmd_${seq}`, seq, type: 'steer', state: 'pending' });
const quiet: CommandsNext = {
  items: [],
  run: { status: 'running', cancelRequestedAt: null, cancelCommandIds: [] },
  serverTime: AT,
};

/** A watch whose polls are answered by the test, and whose heartbeats come from it. */
function setup() {
  const asked: { afterSeq: number; waitMs: number }[] = [];
  const answers: ((next: CommandsNext | null) => void)[] = [];
  const cancels: CancelRequest[] = [];
  const steers: string[] = [];
  let beat: (run: LeasedRun) => void = () => {};
  const client = {
    next: (ask: { afterSeq: number; waitMs: number; signal: AbortSignal }) => {
      asked.push({ afterSeq: ask.afterSeq, waitMs: ask.waitMs });
      return new Promise((resolve) => {
        ask.signal.addEventListener('abort', () => resolve(null));
        answers.push(resolve);
      });
    },
  } as unknown as ManagerClient;
  const lease = {
    lost: new AbortController().signal,
    onBeat: (listener: typeof beat) => {
      beat = listener;
      return () => {};
    },
  } as unknown as LeaseKeeper;
  const watch = new CommandWatch({
    client,
    lease,
    turn,
    log: () => {},
    onCancel: (request) => cancels.push(request),
    onSteer: ({ id }) => steers.push(id),
  });
  return {
    asked,
    answers,
    cancels,
    steers,
    watch,
    beat: (run: Partial<LeasedRun>) =>
      beat({ serverTime: AT, cancelRequestedAt: null, cancelCommandIds: [], ...run } as LeasedRun),
  };
}

describe('what is heard while a turn runs', () => {
  it('comes by one poll at a time, each behind what came before', async () => {
    const { asked, answers, steers, watch } = setup();
    expect(asked).toEqual([{ afterSeq: 5, waitMs: 25_000 }]);
    answers[0]?.({ ...quiet, items: [steer(7), { ...turn, id: 'cmd_next', seq: 6, state: 'pending' }] });
    await expect.poll(() => asked.length).toBe(2);
    expect(asked[1]).toEqual({ afterSeq: 7, waitMs: 25_000 });
    expect(steers).toEqual(['cmd_7']);
    watch.stop();
  });

  it('tells of the cancel of a run with the time since it was asked for', () => {
    const { beat, cancels, watch } = setup();
    beat({ cancelRequestedAt: '2026-01-01T00:00:07.500Z' });
    beat({ cancelRequestedAt: '2026-01-01T00:00:07.500Z' });
    expect(cancels).toEqual([{ scope: 'run', sinceMs: 2500 }]);
    watch.stop();
  });

  it('tells of the cancel of the turn at once, and then how long ago it was asked for', async () => {
    const { beat, cancels, asked, answers, watch } = setup();
    beat({ cancelCommandIds: ['cmd_other'] });
    expect(cancels).toEqual([]);
    beat({ cancelCommandIds: ['cmd_turn'] });
    expect(cancels).toEqual([{ scope: 'turn', sinceMs: null }]);
    await expect.poll(() => asked.length).toBe(2);
    expect(asked[1]).toEqual({ afterSeq: 4, waitMs: 0 });
    answers[1]?.({ ...quiet, items: [{ ...turn, cancelRequestedAt: '2026-01-01T00:00:01.000Z' }] });
    await expect.poll(() => cancels.length).toBe(2);
    expect(cancels[1]).toEqual({ scope: 'turn', sinceMs: 9000 });
    watch.stop();
  });

  it('ends with the turn', async () => {
    const { beat, cancels, asked, watch } = setup();
    watch.stop();
    beat({ cancelCommandIds: ['cmd_turn'] });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(cancels).toEqual([]);
    expect(asked).toHaveLength(1);
  });

  it('does not ask without end a manager that answers at once', async () => {
    const { asked, answers, watch } = setup();
    for (let round = 0; round < 3; round += 1) {
      await expect.poll(() => answers.length).toBe(round + 1);
      answers[round]?.(quiet);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(asked).toHaveLength(3);
    watch.stop();
  });
});
