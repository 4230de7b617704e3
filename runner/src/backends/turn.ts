import { FAILURE_KINDS } from '@agentrun/lib/contract';
import type { TurnInput, TurnResult, TurnUsage } from './backend.ts';
import type { BackendFailure, TurnFailureKind } from './backend-failure.ts';
import { cleanText, cutText } from './clean-payload.ts';
import { TurnEvents } from './turn-events.ts';
import type { TimeoutKind } from './turn-watch.ts';

/** Why a turn is being ended from outside. The first reason stays. */
export interface StopReason {
  readonly kind: 'cancelled' | TimeoutKind;
  readonly message: string;
}

/** How an agent says that a turn ended. */
export type Outcome =
  | { readonly status: 'completed' }
  | { readonly status: 'interrupted' }
  | { readonly status: 'failed'; readonly kind: TurnFailureKind; readonly message: string };

const MESSAGE_BYTES = 8 * 1024;

/**
 * One turn, from its command to its result. It ends once; what an agent still says afterwards goes nowhere.
 */
export class Turn {
  readonly input: TurnInput;
  readonly events: TurnEvents;
  /** Settles when the turn has ended. Never rejects. */
  readonly finished: Promise<TurnResult>;
  readonly #finish: (result: TurnResult) => void;
  #threadId: string | undefined;
  #turnId: string | undefined;
  #usage: TurnUsage | undefined;
  #stopReason: StopReason | undefined;
  #ended = false;

  constructor(input: TurnInput) {
    this.input = input;
    this.events = new TurnEvents(input.emit);
    let finish: (result: TurnResult) => void = () => {};
    this.finished = new Promise((resolve) => {
      finish = resolve;
    });
    this.#finish = finish;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get threadId(): string | undefined {
    return this.#threadId;
  }

  get turnId(): string | undefined {
    return this.#turnId;
  }

  /** Set from the moment that something asked the turn to stop. */
  get stopReason(): StopReason | undefined {
    return this.#stopReason;
  }

  /** The conversation is known. Told at once: whoever loses this runner can resume it. */
  thread(threadId: string, members: { readonly resumed: boolean; readonly replaces?: string }): void {
    if (this.#ended) return;
    this.#threadId = threadId;
    this.events.status(members.resumed ? 'thread-resumed' : 'thread-started', { threadId, ...members });
  }

  /** The agent has begun the turn. A second call changes nothing. */
  began(turnId: string): void {
    if (this.#ended || this.#turnId !== undefined) return;
    this.#turnId = turnId;
    this.events.status('turn-started', { threadId: this.#threadId, turnId });
  }

  /** The tokens of the turn so far. */
  use(usage: TurnUsage): void {
    if (this.#ended) return;
    this.#usage = usage;
    this.events.usage(usage);
  }

  get usage(): TurnUsage | undefined {
    return this.#usage;
  }

  stopping(reason: StopReason): void {
    this.#stopReason ??= reason;
  }

  fail(failure: BackendFailure): void {
    this.end({ status: 'failed', kind: failure.failureKind, message: failure.message });
  }

  /**
   * Ends the turn. A turn that completed did, although somebody wanted to stop it; all else after a stop is what the
   * stop was for.
   */
  end(outcome: Outcome): void {
    if (this.#ended) return;
    const { failureKind, failureMessage } = this.#failureOf(outcome);
    const terminalStatus = failureKind === null ? 'completed' : FAILURE_KINDS[failureKind].terminalStatus;
    const members = { threadId: this.#threadId, turnId: this.#turnId };
    this.events.settle();
    if (failureKind === null) this.events.status('turn-completed', members);
    else if (failureKind === 'cancelled') this.events.status('turn-interrupted', { ...members, failureMessage });
    else {
      this.events.error(failureKind, failureMessage ?? failureKind);
      this.events.status('turn-failed', { ...members, failureKind, failureMessage });
    }
    this.events.close();
    this.#ended = true;
    this.#finish({
      terminalStatus,
      failureKind,
      failureMessage,
      ...(this.#threadId === undefined ? {} : { threadId: this.#threadId }),
      ...(this.#turnId === undefined ? {} : { turnId: this.#turnId }),
      ...(this.#usage === undefined ? {} : { usage: this.#usage }),
    });
  }

  #failureOf(outcome: Outcome): Pick<TurnResult, 'failureKind' | 'failureMessage'> {
    if (outcome.status === 'completed') return { failureKind: null, failureMessage: null };
    if (this.#stopReason !== undefined) {
      return { failureKind: this.#stopReason.kind, failureMessage: this.#stopReason.message };
    }
    if (outcome.status === 'interrupted') {
      return { failureKind: 'cancelled', failureMessage: 'the agent ended the turn by itself' };
    }
    const failureMessage = cutText(cleanText(outcome.message), MESSAGE_BYTES).text;
    return { failureKind: outcome.kind, failureMessage };
  }
}
