import type { CreateCommand, EventInput } from '@agentrun/lib/contract';
import { Failure } from '../../../manager/src/failure.ts';
import { takeOver } from '../../../manager/src/maintenance/takeover.ts';
import type { Serving } from '../../../manager/src/routes/serving.ts';
import { appendEvents } from '../../../manager/src/services/append-events.ts';
import { tokenHash } from '../../../manager/src/services/attempt-token.ts';
import { cancelCommand, cancelRun } from '../../../manager/src/services/cancel.ts';
import { claimRun } from '../../../manager/src/services/claim.ts';
import { createCommand } from '../../../manager/src/services/create-command.ts';
import { heartbeat } from '../../../manager/src/services/heartbeat.ts';
import { registerRunner } from '../../../manager/src/services/register-runner.ts';
import { releaseRun } from '../../../manager/src/services/release.ts';
import { reportCommand } from '../../../manager/src/services/report-command.ts';
import { reportRun } from '../../../manager/src/services/report-run.ts';
import { acknowledgeCommand, nextCommands } from '../../../manager/src/services/work.ts';
import type { RunningManager } from '../../../manager/src/start.ts';
import type { Op, Result } from './run-model.ts';

export type Services = Serving & RunningManager['serving'];

/** A run of the real services, and what the test knows of it: attempts and commands by their numbers. */
export interface RealRun {
  readonly runId: string;
  readonly sessionId: string;
  readonly attempts: { readonly id: string; readonly hash: Buffer }[];
  /** Ids of the commands in the order of their numbers. */
  commands: string[];
  /** The epoch that each runner was granted last: runner by attempt and name. */
  readonly granted: Map<string, number>;
}

/** Something that does operations on a run: the real services, or a variant of them with a fault. */
export interface RunSystem {
  /** Does the operation; throws {@link Failure} when it is refused. */
  perform(run: RealRun, op: Op): Promise<void>;
}

const PAYLOAD = { prompt: 'do it' };

/** The services of the manager as they are. */
export function realSystem(services: Services): RunSystem {
  const { pool } = services;
  const caller = (run: RealRun, by: { attempt: number; epoch: number }, route: string) => ({
    attemptId: run.attempts[by.attempt]?.id ?? '',
    runId: run.runId,
    epoch: by.epoch,
    route,
  });
  const command = (run: RealRun, number: number) => run.commands[number - 1] ?? '';
  const create = async (run: RealRun, input: Pick<CreateCommand, 'type' | 'ifTurnEnded'>) => {
    await createCommand(services, run.runId, { ...input, payload: PAYLOAD } as CreateCommand, undefined);
  };
  return {
    perform: async (run, op) => {
      switch (op.kind) {
        case 'register': {
          const { attemptId, token = '' } = await registerRunner(services, { operator: true }, { runId: run.runId });
          run.attempts.push({ id: attemptId ?? '', hash: tokenHash(token) });
          return;
        }
        case 'expire':
          await pool.query(
            `UPDATE agentrun_runs SET lease_expires_at = clock_timestamp() - interval '1 ms'
             WHERE id = $1 AND claimed_by IS NOT NULL`,
            [run.runId],
          );
          return;
        case 'takeOver':
          await takeOver(services, run.runId, 'its lease ran out');
          return;
        case 'cancelRun':
          await cancelRun(services, run.runId, 'enough');
          return;
        case 'cancelCommand':
          await cancelCommand(services, command(run, op.command), 'enough');
          return;
        case 'turn':
          await create(run, { type: 'turn' });
          return;
        case 'steer':
          await create(run, { type: 'steer', ifTurnEnded: op.ifTurnEnded });
          return;
        case 'claim': {
          const attempt = run.attempts[op.attempt];
          if (attempt === undefined) throw new Error(`there is no attempt ${op.attempt}`);
          const identity = { attemptId: attempt.id, runId: run.runId, tokenHash: attempt.hash, route: 'claim' };
          const { leaseEpoch } = await claimRun(services, identity, op.runner);
          run.granted.set(`${op.attempt}.${op.runner}`, leaseEpoch);
          return;
        }
        case 'beat':
          await heartbeat(services, caller(run, op.by, 'beat'), op.runner);
          return;
        case 'poll':
          await nextCommands(services, caller(run, op.by, 'poll'), { afterSeq: 0, waitMs: 0 });
          return;
        case 'ack':
          await acknowledgeCommand(services, caller(run, op.by, 'ack'), command(run, op.command));
          return;
        case 'report': {
          const report =
            op.status === 'failed'
              ? { terminalStatus: 'failed' as const, failureKind: 'backend-crashed' as const }
              : { terminalStatus: 'completed' as const };
          const id = command(run, op.command);
          await reportCommand(services, caller(run, op.by, 'report'), id, await fitting(services, id, report));
          return;
        }
        case 'finish':
          await reportRun(services, caller(run, op.by, 'finish'), { terminalStatus: op.status });
          return;
        case 'release':
          await releaseRun(services, caller(run, op.by, 'release'), op.reason);
          return;
        case 'append': {
          const commandId = op.command === null ? {} : { commandId: command(run, op.command) };
          const events = Array.from(
            { length: op.count },
            (_, n): EventInput => ({ type: 'assistant_delta', payload: { ...commandId, text: `${n}` } }),
          );
          await appendEvents(services, caller(run, op.by, 'append'), events, op.producerSeq);
          return;
        }
      }
    },
  };
}

/** A steer that fails was not applied; a turn that fails crashed. */
async function fitting<T extends { terminalStatus: 'completed' | 'failed' }>(
  { pool }: Services,
  id: string,
  report: T,
): Promise<T | { terminalStatus: 'failed'; failureKind: 'steer-not-applied' }> {
  if (report.terminalStatus === 'completed') return report;
  const { rows } = await pool.query<{ type: string }>('SELECT type FROM agentrun_commands WHERE id = $1', [id]);
  return rows[0]?.type === 'steer' ? { terminalStatus: 'failed', failureKind: 'steer-not-applied' } : report;
}

/** How an operation ended: `ok`, the kind of the refusal, or what was thrown beside. */
export async function resultOf(work: Promise<void>): Promise<Result> {
  try {
    await work;
    return 'ok';
  } catch (error) {
    if (error instanceof Failure) return error.kind;
    return `unexpected: ${error instanceof Error ? error.message : String(error)}`;
  }
}
