import type { ReportStatus } from '@agentrun/lib/contract';
import type { BackendSession, SteerResult } from './backends/backend.ts';
import { asBackendFailure } from './backends/backend-failure.ts';
import { type Log, saying } from './log.ts';
import type { Command, ManagerClient } from './manager-client.ts';
import { ManagerFailure } from './manager-client-failure.ts';
import { promptOf } from './prompt.ts';

const REJECTED: Readonly<Record<Exclude<SteerResult, 'accepted'>['rejected'], string>> = {
  'turn-ended': 'the turn had ended',
  unsupported: 'the agent takes no text during a turn',
  superseded: 'another turn runs',
};

/** The report of a steer that did not reach its turn. */
export function steerRejected(reason: keyof typeof REJECTED): ReportStatus {
  return {
    terminalStatus: 'failed',
    failureKind: 'steer-not-applied',
    failureMessage: REJECTED[reason],
    steerDelivery: { reason },
  };
}

/** Gives the steers of one turn to its agent, one after the other, as soon as the agent has begun the turn. */
export class SteerDelivery {
  readonly #client: ManagerClient;
  readonly #turnId: string;
  readonly #log: Log;
  readonly #seen = new Set<string>();
  readonly #begun: Promise<BackendSession | null>;
  #begin: (session: BackendSession | null) => void = () => {};
  #last: Promise<void> = Promise.resolve();
  #isOver = false;

  constructor(client: ManagerClient, turnId: string, log: Log) {
    this.#client = client;
    this.#turnId = turnId;
    this.#log = log;
    this.#begun = new Promise((resolve) => {
      this.#begin = resolve;
    });
  }

  /** The agent has begun the turn. */
  begun(session: BackendSession): void {
    this.#begin(session);
  }

  /** A steer; one for another turn is left alone. */
  take(steer: Command): void {
    const target = steer.steerDelivery?.['targetCommandId'];
    if (this.#isOver || this.#seen.has(steer.id) || (target !== undefined && target !== this.#turnId)) return;
    this.#seen.add(steer.id);
    this.#last = this.#last
      .then(() => this.#deliver(steer))
      .catch((error: unknown) => {
        this.#log(`steer ${steer.id}: ${saying(error)}`);
      });
  }

  /** The turn has ended: what was taken up is reported, the rest is left to the manager. */
  async end(): Promise<void> {
    this.#isOver = true;
    this.#begin(null);
    await this.#last;
  }

  async #deliver(steer: Command): Promise<void> {
    const session = await this.#begun;
    if (this.#isOver) return;
    try {
      await this.#client.acknowledge(steer.id);
    } catch (error) {
      // It was cancelled, or has ended with its turn.
      if (error instanceof ManagerFailure && error.status === 409) return;
      throw error;
    }
    await this.#client.reportCommand(steer.id, await this.#outcome(steer, session));
  }

  async #outcome(steer: Command, session: BackendSession | null): Promise<ReportStatus> {
    try {
      const result = (await session?.steer(promptOf(steer.payload), { targetTurn: this.#turnId })) ?? {
        rejected: 'turn-ended',
      };
      return result === 'accepted' ? { terminalStatus: 'completed' } : steerRejected(result.rejected);
    } catch (error) {
      const { failureKind, terminalStatus, message } = asBackendFailure(error, 'outcome-unknown', 'the steer');
      return { terminalStatus, failureKind, failureMessage: message };
    }
  }
}
