import type { COMMAND, COMMANDS_NEXT, RegisterRunner, ReleaseReason, ReportStatus } from '@agentrun/lib/contract';
import type { FromSchema } from 'json-schema-to-ts';
import { joinSignals } from './joined-signal.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import type { Log } from './log.ts';
import { callManager, type ManagerAddress, type ManagerCall } from './manager-client-call.ts';
import { ManagerFailure } from './manager-client-failure.ts';
import { retrying } from './manager-client-retry.ts';

type CommandSchema = {
  readonly type: 'object';
  readonly additionalProperties: false;
  readonly required: readonly ['id', 'seq', 'type', 'payload', 'state', 'cancelRequestedAt'];
  readonly properties: Pick<
    (typeof COMMAND)['properties'],
    'id' | 'seq' | 'type' | 'payload' | 'state' | 'cancelRequestedAt' | 'steerDelivery'
  >;
};
type NextProperties = (typeof COMMANDS_NEXT)['properties'];

/** A turn or a steer; the parts that matter here. */
export type Command = FromSchema<CommandSchema, { keepDefaultedPropertiesOptional: true }>;
/** What a poll for work is answered. */
export interface CommandsNext {
  readonly items: readonly Command[];
  readonly run: FromSchema<NextProperties['run']>;
  readonly serverTime: FromSchema<NextProperties['serverTime']>;
}

const TIMEOUT_MS = 15_000;
/** What a poll may take longer than it was asked to wait. */
const POLL_SLACK_MS = 10_000;
const APPEND_TIMEOUT_MS = 30_000;

/**
 * Tells the manager who serves the attempt. Again is the same.
 *
 * @throws ManagerFailure; the reason of the signal
 */
export async function registerRunner(
  address: ManagerAddress,
  input: RegisterRunner,
  signal: AbortSignal,
  log: Log,
): Promise<{ readonly id: string }> {
  const call: ManagerCall = {
    method: 'POST',
    path: '/runners/register',
    body: JSON.stringify(input),
    timeoutMs: TIMEOUT_MS,
    signal,
  };
  const answer = await retrying(() => callManager(address, call), { signal, onRetry: (error) => log(error.message) });
  return answer as { readonly id: string };
}

/** The lease was claimed again while an append was under way: its numbers count for nothing any more. */
export class EpochChanged extends Error {}

/**
 * The manager as the holder of a run sees it. Each call is repeated until it is answered or the lease is lost, and goes
 * on under another epoch when the lease had to be claimed again.
 *
 * All throw ManagerFailure for a final refusal, and RunnerExit when the lease is lost.
 */
export class ManagerClient {
  readonly #address: ManagerAddress;
  readonly #runId: string;
  readonly #lease: LeaseKeeper;
  readonly #log: Log;

  constructor(address: ManagerAddress, runId: string, lease: LeaseKeeper, log: Log) {
    this.#address = address;
    this.#runId = runId;
    this.#lease = lease;
    this.#log = log;
  }

  /**
   * Asks for work after a number, waiting for some.
   *
   * @returns null when the signal was aborted
   */
  async next(ask: {
    readonly afterSeq: number;
    readonly waitMs: number;
    readonly signal?: AbortSignal;
  }): Promise<CommandsNext | null> {
    const waitMs = Math.max(0, Math.floor(ask.waitMs));
    try {
      return (await this.#held(
        {
          method: 'GET',
          path: `/runs/${this.#runId}/commands/next?waitMs=${waitMs}&afterSeq=${ask.afterSeq}`,
          timeoutMs: waitMs + POLL_SLACK_MS,
        },
        ask,
      )) as CommandsNext;
    } catch (error) {
      this.#lease.lost.throwIfAborted();
      if (ask.signal?.aborted === true) return null;
      throw error;
    }
  }

  async acknowledge(commandId: string): Promise<Command> {
    return (await this.#held({ method: 'POST', path: `/commands/${commandId}/ack` })) as Command;
  }

  /** Until it is acknowledged, however long the manager fails. */
  async reportCommand(commandId: string, report: ReportStatus, signal?: AbortSignal): Promise<void> {
    const call = { method: 'PATCH', path: `/commands/${commandId}/status`, body: JSON.stringify(report) } as const;
    await this.#held(call, { maxRefusals: Number.POSITIVE_INFINITY, ...(signal === undefined ? {} : { signal }) });
  }

  async release(reason: ReleaseReason, signal?: AbortSignal): Promise<void> {
    const call = { method: 'POST', path: `/runs/${this.#runId}/release`, body: JSON.stringify({ reason }) } as const;
    await this.#held(call, signal === undefined ? {} : { signal });
  }

  /**
   * Appends once, under the epoch whose numbers are used.
   *
   * @param events the JSON texts of the events
   * @throws EpochChanged; ManagerFailure, ManagerUnreachable
   */
  async append(epoch: number, producerSeq: number, events: readonly string[]): Promise<void> {
    this.#lease.assertLive();
    try {
      await callManager(this.#address, {
        method: 'POST',
        path: `/runs/${this.#runId}/events`,
        body: `{"events":[${events.join(',')}]}`,
        epoch,
        producerSeq,
        timeoutMs: APPEND_TIMEOUT_MS,
        signal: this.#lease.lost,
      });
    } catch (error) {
      if (!isFenced(error) || this.#lease.endIsExpected) throw error;
      if (await this.#lease.refused(error, epoch)) throw new EpochChanged('the run was claimed again');
      throw error;
    }
  }

  async #held(
    call: Omit<ManagerCall, 'timeoutMs'> & { readonly timeoutMs?: number },
    options: { readonly signal?: AbortSignal; readonly maxRefusals?: number } = {},
  ): Promise<unknown> {
    const lease = this.#lease;
    const { signal, leave } = joinSignals([lease.lost, options.signal]);
    const { maxRefusals } = options;
    try {
      for (;;) {
        const { epoch } = lease;
        try {
          return await retrying(
            async () => {
              lease.assertLive();
              return await callManager(this.#address, { timeoutMs: TIMEOUT_MS, ...call, epoch, signal });
            },
            {
              signal,
              onRetry: (error) => this.#log(error.message),
              ...(maxRefusals === undefined ? {} : { maxRefusals }),
            },
          );
        } catch (error) {
          lease.lost.throwIfAborted();
          if (!isFenced(error)) throw error;
          if (!(await lease.refused(error, epoch))) {
            lease.lost.throwIfAborted();
            throw error;
          }
        }
      }
    } finally {
      leave();
    }
  }
}

function isFenced(error: unknown): error is ManagerFailure {
  return error instanceof ManagerFailure && (error.failureKind === 'lease-fenced' || error.status === 401);
}
