import type { BackendName, EventInput, ExecutionPolicy, TerminalStatus } from '@agentrun/lib/contract';
import type { Profile } from '../profile.ts';
import type { TurnFailureKind } from './backend-failure.ts';

/** An adapter to one kind of agent. */
export interface Backend {
  readonly name: BackendName;
  /** Whether a running turn can take in a text; without it every steer is rejected as `unsupported`. */
  readonly canSteer: boolean;
  /**
   * Checks the profile and the program of the agent, and makes ready what lives longer than a turn. No model is asked.
   *
   * @throws BackendFailure `profile-invalid` for a profile that cannot work, with the install line for a missing agent;
   * `disk-full`, `backend-crashed` or `backend-protocol` for an agent that does not come up
   */
  open(context: BackendContext): Promise<BackendSession>;
}

/** Where and as whom the agent of one attempt works. Paths are absolute, and exist. */
export interface BackendContext {
  readonly profile: Profile;
  readonly attemptId: string;
  /** HOME of the agent. */
  readonly home: string;
  /** What the backend keeps between runs of the session: the conversations live here. */
  readonly state: string;
  /** The variables around the runner. An agent gets only those of an allow-list, never this. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The sandbox of a policy that names none: that of the placement. */
  readonly sandbox: Sandbox;
  /** The folder of the agents that AgentRun ships. */
  readonly agents: string;
}

export type Sandbox = NonNullable<ExecutionPolicy['sandbox']>;

/** One agent, for the turns of one attempt. */
export interface BackendSession {
  /**
   * Runs one turn, to its end. Never rejects: whatever becomes of the agent, the result says it. A second turn while one
   * runs fails at once. Nothing is emitted after the result, and no event of one turn reaches another.
   */
  runTurn(input: TurnInput): Promise<TurnResult>;
  /**
   * Gives a text to the running turn.
   *
   * @param options.targetTurn the command of the turn that the text is for
   * @returns `turn-ended`: no turn runs, or it is ending; `superseded`: another turn runs
   * @throws BackendFailure `outcome-unknown` when the agent did not answer: it may have taken the text
   */
  steer(text: string, options: { readonly targetTurn: string }): Promise<SteerResult>;
  /**
   * Asks the agent to stop the running turn, with all that it started. The turn ends `cancelled`.
   *
   * @returns whether the turn is over; false after `deadlineMs`: then kill
   */
  interrupt(deadlineMs: number): Promise<boolean>;
  /**
   * Ends the agent: a running turn is interrupted, then the program is asked to end, then killed; half of the time for
   * each. Nothing that it started survives. The session is of no more use.
   */
  close(deadlineMs: number): Promise<void>;
  /**
   * Kills the agent and all that it started. A running turn ends `cancelled`. The next turn starts the agent again.
   *
   * @param graceMs time between SIGTERM and SIGKILL; default 0: SIGKILL at once
   */
  kill(graceMs?: number): Promise<void>;
}

export interface TurnInput {
  /** The command that the turn serves. */
  readonly command: { readonly id: string };
  readonly prompt: string;
  /** Where the agent works: absolute, exists. */
  readonly workspace: string;
  readonly policy: ExecutionPolicy;
  /** The conversation to go on with; null begins one. */
  readonly threadId: string | null;
  /**
   * Takes each event as it happens, at once and without waiting. Texts are clean (no NUL, no half surrogate pair) and at
   * most 64 KiB; all output of a turn is at most {@link TURN_OUTPUT_BYTES}.
   */
  readonly emit: (event: EventInput) => void;
  /** Aborted: as interrupt, and as kill when the agent does not stop within {@link ABORT_GRACE_MS}. */
  readonly signal?: AbortSignal;
}

export interface TurnResult {
  readonly terminalStatus: TerminalStatus;
  /** Null for a completed turn. */
  readonly failureKind: TurnFailureKind | 'cancelled' | null;
  readonly failureMessage: string | null;
  /** The conversation, for the next turn; absent when none was begun. */
  readonly threadId?: string;
  /** The turn as the agent names it. */
  readonly turnId?: string;
  readonly usage?: TurnUsage;
}

/** Tokens of a whole turn. `input` includes `cached`, `output` includes `reasoning`. */
export interface TurnUsage {
  readonly input: number;
  readonly cached: number;
  readonly output: number;
  readonly reasoning: number;
}

export type SteerResult = 'accepted' | { readonly rejected: 'turn-ended' | 'unsupported' | 'superseded' };

/** Text that one turn may put out, in bytes; beyond it output is dropped, counted and told in one warning. */
export const TURN_OUTPUT_BYTES = 8 * 1024 * 1024;

/** How long an agent may take to stop a turn whose signal was aborted or whose time is over, in milliseconds. */
export const ABORT_GRACE_MS = 5000;
