import { setTimeout as delay } from 'node:timers/promises';
import { ABORT_GRACE_MS, type BackendSession, type SteerResult, type TurnInput, type TurnResult } from './backend.ts';
import { asBackendFailure, BackendFailure } from './backend-failure.ts';
import { type StopReason, Turn } from './turn.ts';
import { TurnWatch } from './turn-watch.ts';

/** What one kind of agent can do; the session around it keeps the rules that are the same for all. */
export interface AgentDriver {
  /**
   * Begins the turn, and from then on reports to it; the end is reported by `turn.end`. A rejection ends the turn.
   *
   * @param heard to be called for each message of the agent
   */
  begin(turn: Turn, heard: () => void): Promise<void>;
  /** @throws BackendFailure `outcome-unknown` */
  steer?(turn: Turn, text: string): Promise<Exclude<SteerResult, { rejected: 'superseded' }>>;
  /** Asks the agent to stop the turn with all that it started. Called once for a turn, maybe while it is beginning. */
  stop(turn: Turn): Promise<void>;
  /** Milliseconds of CPU that the agent's processes used; null where they cannot be seen, or do no work of their own. */
  workMs(turn: Turn): number | null;
  /** Ends the program within the time, and all that it started. */
  close(deadlineMs: number): Promise<void>;
  /** SIGTERM, after `graceMs` SIGKILL, to the program and all that it started. Afterwards `begin` starts it anew. */
  kill(graceMs: number): Promise<void>;
}

/** One turn at a time, its deadlines, and the way from asking to killing. */
export class AgentSession implements BackendSession {
  readonly #driver: AgentDriver;
  #turn: Turn | null = null;
  #begun: Promise<void> = Promise.resolve();
  #asked = false;
  #closed = false;

  constructor(driver: AgentDriver) {
    this.#driver = driver;
  }

  async runTurn(input: TurnInput): Promise<TurnResult> {
    const turn = new Turn(input);
    if (this.#closed || this.#turn !== null) {
      const why = this.#closed ? 'the agent of this attempt was closed' : 'another turn is running';
      turn.fail(new BackendFailure('infra-failed', `the turn was not begun: ${why}`));
      return turn.finished;
    }
    this.#turn = turn;
    this.#asked = false;
    const { signal, policy } = input;
    const watch = new TurnWatch({
      turnTimeoutMs: policy.turnTimeoutMs,
      idleEventTimeoutMs: policy.idleEventTimeoutMs,
      workMs: () => this.#driver.workMs(turn),
      onTimeout: (kind, message) => void this.#enforce(turn, { kind, message }),
    });
    const abort = (): void => void this.#enforce(turn, { kind: 'cancelled', message: 'the turn was cancelled' });
    signal?.addEventListener('abort', abort, { once: true });
    try {
      if (signal?.aborted === true) {
        turn.stopping({ kind: 'cancelled', message: 'the turn was cancelled before it began' });
        turn.end({ status: 'interrupted' });
      } else {
        await this.#begin(turn, () => watch.heard());
      }
      return await turn.finished;
    } finally {
      watch.stop();
      signal?.removeEventListener('abort', abort);
      this.#turn = null;
    }
  }

  async steer(text: string, { targetTurn }: { readonly targetTurn: string }): Promise<SteerResult> {
    const turn = this.#turn;
    if (turn === null || turn.ended) return { rejected: 'turn-ended' };
    if (turn.input.command.id !== targetTurn) return { rejected: 'superseded' };
    if (turn.stopReason !== undefined) return { rejected: 'turn-ended' };
    if (this.#driver.steer === undefined) return { rejected: 'unsupported' };
    // A text for a turn that is only beginning waits until there is one.
    await Promise.race([this.#begun, turn.finished]);
    if (turn.ended) return { rejected: 'turn-ended' };
    return await this.#driver.steer(turn, text);
  }

  async interrupt(deadlineMs: number): Promise<boolean> {
    const turn = this.#turn;
    return turn === null || this.#stop(turn, { kind: 'cancelled', message: 'the turn was interrupted' }, deadlineMs);
  }

  async close(deadlineMs: number): Promise<void> {
    this.#closed = true;
    const until = performance.now() + deadlineMs;
    if (!(await this.interrupt(deadlineMs / 2))) await this.kill();
    await this.#driver.close(Math.max(until - performance.now(), 0));
  }

  async kill(graceMs = 0): Promise<void> {
    const turn = this.#turn;
    turn?.stopping({ kind: 'cancelled', message: 'the agent was killed' });
    await this.#driver.kill(graceMs);
    turn?.end({ status: 'interrupted' });
  }

  async #begin(turn: Turn, heard: () => void): Promise<void> {
    this.#begun = this.#driver.begin(turn, heard).catch((error: unknown) => {
      turn.fail(asBackendFailure(error, 'backend-crashed', 'the agent could not begin the turn'));
    });
    await Promise.race([this.#begun, turn.finished]);
  }

  /** Asks the turn to stop, and kills when it does not. */
  async #enforce(turn: Turn, reason: StopReason): Promise<void> {
    if (!(await this.#stop(turn, reason, ABORT_GRACE_MS))) await this.kill();
  }

  async #stop(turn: Turn, reason: StopReason, deadlineMs: number): Promise<boolean> {
    turn.stopping(reason);
    if (!this.#asked) {
      this.#asked = true;
      // An agent that cannot even be asked is killed when the time is over.
      this.#driver.stop(turn).catch(() => {});
    }
    const late = new AbortController();
    const over = turn.finished.then(() => true);
    const timeout = delay(deadlineMs, false, { signal: late.signal }).catch(() => false);
    try {
      return await Promise.race([over, timeout]);
    } finally {
      late.abort();
    }
  }
}
