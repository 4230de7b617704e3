import { expect } from 'vitest';
import type { TestManager } from '../../helpers/manager.ts';
import {
  type Answer,
  externalRunner,
  type ManagerClient,
  RUN_INPUT,
  scriptedRunner,
} from '../../helpers/manager-client.ts';

/** Something that a client asks for once, and again with the same key or report when it got no answer. */
export interface KillScene {
  readonly name: string;
  /** Makes what the request needs; gives the request, the same for both times, and what must be true when it is done. */
  prepare(
    manager: TestManager,
    mark: string,
  ): Promise<{
    readonly ask: (client: ManagerClient) => Promise<Answer<unknown>>;
    /** That it had one effect. */
    readonly hasOneEffect: () => Promise<void>;
  }>;
}

export const count = async (
  manager: TestManager,
  table: string,
  where: string,
  ...values: string[]
): Promise<number> => {
  const { rows } = await manager.running.serving.pool.query<{ count: number }>(
    `SELECT count(*) FROM ${table} WHERE ${where}`,
    values,
  );
  return rows[0]?.count ?? -1;
};

const told = (manager: TestManager, runId: string, phase: string) =>
  count(manager, 'agentrun_events', `run_id = $1 AND payload ->> 'phase' = $2`, runId, phase);

/** A run of a session, with a turn that a runner has taken up. */
export async function underWay(manager: TestManager, mark: string, ack = true) {
  const { id: runId } = await manager.createRun({ sessionRef: { sessionId: `sess_${mark}` } });
  const { id: turnId } = await manager.turn(runId);
  const runner = await externalRunner(manager, runId);
  await runner.claim();
  if (ack) await runner.ack(turnId);
  return { runId, turnId, runner };
}

type Runner = Awaited<ReturnType<typeof underWay>>['runner'];

/** The same runner at another manager. */
function at(client: ManagerClient, runner: Runner): Runner {
  const same = scriptedRunner(client, runner);
  same.epoch = runner.epoch;
  return same;
}

const expire = (manager: TestManager, runId: string) =>
  manager.running.serving.pool.query('UPDATE agentrun_runs SET lease_expires_at = clock_timestamp() WHERE id = $1', [
    runId,
  ]);

export const KILL_SCENES: readonly KillScene[] = [
  {
    name: 'a run that is made with a key',
    prepare: async (manager, mark) => ({
      ask: (client) =>
        client.request(
          'POST',
          'runs',
          { ...RUN_INPUT, sessionRef: { sessionId: `sess_${mark}` } },
          { 'idempotency-key': mark },
        ),
      hasOneEffect: async () => {
        expect(await count(manager, 'agentrun_runs', 'session_id = $1', `sess_${mark}`)).toBe(1);
      },
    }),
  },
  {
    name: 'a text that is sent to a new session with a key',
    prepare: async (manager, mark) => ({
      ask: (client) =>
        client.request('POST', `sessions/sess_${mark}/send`, {
          prompt: 'once',
          run: RUN_INPUT,
          commandIdempotencyKey: mark,
        }),
      hasOneEffect: async () => {
        const ofSession = `run_id IN (SELECT id FROM agentrun_runs WHERE session_id = $1)`;
        expect(await count(manager, 'agentrun_runs', 'session_id = $1', `sess_${mark}`)).toBe(1);
        for (const table of ['agentrun_commands', 'agentrun_runner_jobs', 'agentrun_attempts', 'agentrun_outbox']) {
          expect(await count(manager, table, ofSession, `sess_${mark}`)).toBe(1);
        }
      },
    }),
  },
  {
    name: 'a runner job that is asked for with a key',
    prepare: async (manager, mark) => {
      const { id: runId } = await manager.createRun({ sessionRef: { sessionId: `sess_${mark}` } });
      const { id: commandId } = await manager.turn(runId);
      return {
        ask: (client) =>
          client.request('POST', `runs/${runId}/runner-jobs`, { commandId }, { 'idempotency-key': mark }),
        hasOneEffect: async () => {
          for (const table of ['agentrun_runner_jobs', 'agentrun_attempts', 'agentrun_outbox']) {
            expect(await count(manager, table, 'run_id = $1', runId)).toBe(1);
          }
        },
      };
    },
  },
  {
    name: 'a claim',
    prepare: async (manager, mark) => {
      const { id: runId } = await manager.createRun({ sessionRef: { sessionId: `sess_${mark}` } });
      const runner = await externalRunner(manager, runId);
      return {
        ask: (client) => at(client, runner).claim(),
        hasOneEffect: async () => {
          const run = await manager.run(runId);
          expect(run).toMatchObject({ status: 'claimed', claimedBy: runner.runnerId });
          // A claim that is repeated is a new epoch of the same holder: nobody else had the run between.
          expect(run.leaseEpoch).toBeLessThanOrEqual(3);
          expect(await told(manager, runId, 'run-claimed')).toBe(run.leaseEpoch);
        },
      };
    },
  },
  {
    name: 'a claim that takes the run over from a runner whose lease ran out',
    prepare: async (manager, mark) => {
      const { runId, turnId, runner } = await underWay(manager, mark);
      await runner.append([{ type: 'assistant_message', payload: { commandId: turnId, text: 'half' } }], 1);
      await manager.turn(runId);
      await expire(manager, runId);
      const next = await externalRunner(manager, runId);
      return {
        ask: (client) => at(client, next).claim(),
        hasOneEffect: async () => {
          expect(await manager.run(runId)).toMatchObject({ status: 'claimed', claimedBy: next.runnerId });
          expect(await told(manager, runId, 'attempt-lost')).toBe(1);
          expect(await manager.command(runId, turnId)).toMatchObject({ failureKind: 'outcome-unknown' });
          expect((await runner.report(turnId)).failureKind).toBe('lease-fenced');
        },
      };
    },
  },
  {
    name: 'a command that is taken up',
    prepare: async (manager, mark) => {
      const { runId, turnId, runner } = await underWay(manager, mark, false);
      return {
        ask: (client) => at(client, runner).ack(turnId),
        hasOneEffect: async () => {
          expect((await manager.run(runId)).status).toBe('running');
          expect(await told(manager, runId, 'command-acknowledged')).toBe(1);
        },
      };
    },
  },
  {
    name: 'an append of numbered events with a result',
    prepare: async (manager, mark) => {
      const { runId, turnId, runner } = await underWay(manager, mark);
      return {
        ask: (client) =>
          at(client, runner).append(
            [
              { type: 'assistant_message', payload: { commandId: turnId, text: 'said once' } },
              { type: 'usage', payload: { commandId: turnId, inputTokens: 1, outputTokens: 2 } },
            ],
            1,
          ),
        hasOneEffect: async () => {
          expect(await count(manager, 'agentrun_events', 'run_id = $1 AND epoch IS NOT NULL', runId)).toBe(2);
          const { output } = await manager.ask<{ output: { text: string } }>('GET', `runs/${runId}/result`);
          expect(output.text).toBe('said once');
        },
      };
    },
  },
  {
    name: 'a turn that is reported as ended, with a steer that waits',
    prepare: async (manager, mark) => {
      const { runId, turnId, runner } = await underWay(manager, mark);
      const steer = await manager.steer(runId, 'rather so', { ifTurnEnded: 'turn' });
      return {
        ask: (client) => at(client, runner).report(turnId, 'completed', { threadId: 'thread-1', turnId: 'turn-1' }),
        hasOneEffect: async () => {
          expect(await told(manager, runId, 'command-terminal')).toBe(2);
          expect(await count(manager, 'agentrun_commands', 'run_id = $1', runId)).toBe(3);
          expect(await manager.command(runId, steer.id)).toMatchObject({ failureKind: 'steer-not-applied' });
          const session = await manager.ask('GET', `sessions/sess_${mark}`);
          expect(session).toMatchObject({ threadId: 'thread-1', executionState: 'running' });
        },
      };
    },
  },
  {
    name: 'a run that is reported as ended',
    prepare: async (manager, mark) => {
      const { runId, runner } = await underWay(manager, mark);
      await manager.turn(runId);
      return {
        ask: (client) => at(client, runner).finish('failed'),
        hasOneEffect: async () => {
          expect(await manager.run(runId)).toMatchObject({ status: 'failed' });
          expect(await told(manager, runId, 'command-terminal')).toBe(2);
        },
      };
    },
  },
  ...(['idle', 'drain'] as const).map(
    (reason): KillScene => ({
      name: `a run that is given back (${reason})`,
      prepare: async (manager, mark) => {
        const { runId, turnId, runner } = await underWay(manager, mark);
        if (reason === 'idle') await runner.report(turnId);
        return {
          ask: (client) => at(client, runner).release(reason),
          hasOneEffect: async () => {
            expect((await manager.run(runId)).status).toBe(reason === 'idle' ? 'completed' : 'pending');
            expect(await told(manager, runId, 'run-released')).toBe(1);
            expect(await count(manager, 'agentrun_fenced_writes', 'run_id = $1', runId)).toBe(0);
          },
        };
      },
    }),
  ),
  {
    name: 'a cancel of a run that is held',
    prepare: async (manager, mark) => {
      const { runId } = await underWay(manager, mark);
      await manager.turn(runId);
      return {
        ask: (client) => client.request('POST', `runs/${runId}/cancel`, { reason: 'enough' }),
        hasOneEffect: async () => {
          expect(await manager.run(runId)).toMatchObject({ status: 'cancelling', cancelReason: 'enough' });
          expect(await told(manager, runId, 'cancel-requested')).toBe(1);
          expect(await told(manager, runId, 'command-terminal')).toBe(1);
        },
      };
    },
  },
  {
    name: 'a cancel of a run that nobody holds',
    prepare: async (manager, mark) => {
      const { id: runId } = await manager.createRun({ sessionRef: { sessionId: `sess_${mark}` } });
      await manager.turn(runId);
      return {
        ask: (client) => client.request('POST', `runs/${runId}/cancel`, {}),
        hasOneEffect: async () => {
          expect(await manager.run(runId)).toMatchObject({ status: 'cancelled' });
          expect(await told(manager, runId, 'cancel-terminal')).toBe(1);
        },
      };
    },
  },
  {
    name: 'a cancel of a turn that is under way',
    prepare: async (manager, mark) => {
      const { runId, turnId } = await underWay(manager, mark);
      return {
        ask: (client) => client.request('POST', `commands/${turnId}/cancel`, {}),
        hasOneEffect: async () => {
          expect(await manager.command(runId, turnId)).toMatchObject({ state: 'acknowledged' });
          expect(await told(manager, runId, 'cancel-requested')).toBe(1);
        },
      };
    },
  },
];
