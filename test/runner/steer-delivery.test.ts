import type { ReportStatus } from '@agentrun/lib/contract';
import { describe, expect, it } from 'vitest';
import type { BackendSession, SteerResult } from '../../runner/src/backends/backend.ts';
import { BackendFailure } from '../../runner/src/backends/backend-failure.ts';
import type { Command, ManagerClient } from '../../runner/src/manager-client.ts';
import { ManagerFailure } from '../../runner/src/manager-client-failure.ts';
import { SteerDelivery } from '../../runner/src/steer-delivery.ts';

/** A manager that only notes what it is told, and a session that answers as it is told. */
function setup(answer: (text: string) => Promise<SteerResult> = async () => 'accepted') {
  const told: [string, ReportStatus | 'ack'][] = [];
  const ended = new Set<string>();
  const client = {
    acknowledge: async (id: string) => {
      if (ended.has(id)) throw new ManagerFailure(409, 'already-terminal', 'over', {});
      told.push([id, 'ack']);
    },
    reportCommand: async (id: string, report: ReportStatus) => void told.push([id, report]),
  } as unknown as ManagerClient;
  const texts: string[] = [];
  const session = {
    steer: async (text: string, { targetTurn }: { targetTurn: string }) => {
      texts.push(`${targetTurn}: ${text}`);
      return await answer(text);
    },
  } as unknown as BackendSession;
  return { told, ended, texts, session, steers: new SteerDelivery(client, 'cmd_turn', () => {}) };
}

const steer = (id: string, more: Partial<Command> = {}): Command => ({
  id,
  seq: 2,
  type: 'steer',
  payload: { prompt: `text of ${id}` },
  state: 'pending',
  cancelRequestedAt: null,
  steerDelivery: { targetCommandId: 'cmd_turn' },
  ...more,
});

describe('the steers of a turn', () => {
  it('wait for the agent to begin, and come in their order, each once', async () => {
    const { steers, told, texts, session } = setup();
    for (const id of ['cmd_a', 'cmd_b', 'cmd_a']) steers.take(steer(id));
    await Promise.resolve();
    expect(told).toEqual([]);
    steers.begun(session);
    await expect.poll(() => told.length).toBe(4);
    expect(texts).toEqual(['cmd_turn: text of cmd_a', 'cmd_turn: text of cmd_b']);
    expect(told).toEqual([
      ['cmd_a', 'ack'],
      ['cmd_a', { terminalStatus: 'completed' }],
      ['cmd_b', 'ack'],
      ['cmd_b', { terminalStatus: 'completed' }],
    ]);
    await steers.end();
  });

  it.each(['turn-ended', 'unsupported', 'superseded'] as const)(
    'are reported as not applied when the agent says %s',
    async (rejected) => {
      const { steers, told, session } = setup(async () => ({ rejected }));
      steers.begun(session);
      steers.take(steer('cmd_a'));
      await expect.poll(() => told.length).toBe(2);
      expect(told[1]?.[1]).toMatchObject({
        terminalStatus: 'failed',
        failureKind: 'steer-not-applied',
        steerDelivery: { reason: rejected },
      });
    },
  );

  it('have an unknown outcome when the agent does not answer', async () => {
    const { steers, told, session } = setup(() => Promise.reject(new BackendFailure('outcome-unknown', 'no answer')));
    steers.begun(session);
    steers.take(steer('cmd_a'));
    await expect.poll(() => told.length).toBe(2);
    expect(told[1]?.[1]).toMatchObject({ terminalStatus: 'blocked', failureKind: 'outcome-unknown' });
  });

  it('are left to the manager when the turn ends before the agent began it', async () => {
    const { steers, told } = setup();
    steers.take(steer('cmd_a'));
    await steers.end();
    steers.take(steer('cmd_b'));
    await steers.end();
    expect(told).toEqual([]);
  });

  it('are reported before the turn, when they were taken up', async () => {
    let answer: (result: SteerResult) => void = () => {};
    const { steers, told, session } = setup(
      () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    );
    steers.begun(session);
    steers.take(steer('cmd_a'));
    await expect.poll(() => told.length).toBe(1);
    const ended = steers.end();
    answer({ rejected: 'turn-ended' });
    await ended;
    expect(told).toHaveLength(2);
  });

  it('are not delivered when they have ended meanwhile, or are for another turn', async () => {
    const { steers, told, ended, session, texts } = setup();
    ended.add('cmd_gone');
    steers.begun(session);
    steers.take(steer('cmd_gone'));
    steers.take(steer('cmd_other', { steerDelivery: { targetCommandId: 'cmd_another_turn' } }));
    steers.take(steer('cmd_a'));
    await expect.poll(() => told.length).toBe(2);
    expect(texts).toEqual(['cmd_turn: text of cmd_a']);
  });
});
