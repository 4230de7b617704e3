import type { AttemptFile, RUNNER_PLACEMENTS } from '@agentrun/lib/contract';

/** Where runners live. */
export type PlacementKind = (typeof RUNNER_PLACEMENTS)[number];

/**
 * What a placement needs to find one attempt again after the manager restarted: flat JSON, stored as it is. Only the
 * placement that made it reads it. It names one incarnation: a handle never comes to mean another process or pod.
 */
export type Handle = { readonly kind: PlacementKind } & { readonly [name: string]: string | number | boolean | null };

/** An attempt that is to be started. */
export interface AttemptStart {
  /** `attempt.json`, but for what the placement itself knows. */
  readonly attempt: Omit<AttemptFile, 'placement' | 'logFile'>;
  /** A name for people, and of the Job where there is one: the lane's prefix and what tells this attempt apart. */
  readonly name: string;
  /** The labels by which retention selects; those of the Job where there is one. */
  readonly labels: Readonly<Record<string, string>>;
  /** The bearer token. It reaches the runner as a file only. */
  readonly token: string;
  /** `profile.json`: the backend profile without its credential. */
  readonly profile: Readonly<Record<string, unknown>>;
  /** The files of the folder `credential`, by name; empty for a profile without one. */
  readonly credential: Readonly<Record<string, string | Uint8Array>>;
}

/** How the process of a runner, or the container of its pod, ended. */
export interface AttemptExit {
  readonly code: number | null;
  readonly signal: string | null;
  /** The platform's own word, such as OOMKilled; null where it has none. */
  readonly reason: string | null;
}

export type Observation =
  | { readonly state: 'running' }
  | {
      readonly state: 'gone';
      /** Null when nobody saw it end. */
      readonly exit: AttemptExit | null;
      /** The end of its log, as it was written: mask secrets before it is shown. Empty when there is none. */
      readonly logTail: string;
    }
  /** It may run: this is never to be taken for gone. */
  | { readonly state: 'unknown'; readonly reason: string };

export type FenceOutcome =
  /** Nothing of the attempt can act any more; `ended` counts what was made to end. */
  | { readonly gone: true; readonly ended: number }
  | {
      readonly gone: false;
      /** What is left, for a person to end: "process 4711 (node)". */
      readonly survivors: readonly string[];
      /** Why it could not be seen whether something is left; null when it could. */
      readonly couldNotLook: string | null;
    };

/** An attempt that this placement holds something of. */
export interface PlacedAttempt {
  readonly attemptId: string;
  /** As given at the start; null and empty when the start was cut short. */
  readonly name: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** Null when a start was cut short before it was recorded: something may run nevertheless, so fence it. */
  readonly handle: Handle | null;
  readonly state: Observation['state'];
  /** ISO 8601; null with the handle. */
  readonly startedAt: string | null;
}

/** A runner ended, by whatever cause. */
export interface ExitEvent {
  readonly attemptId: string;
  readonly handle: Handle;
  readonly exit: AttemptExit | null;
  /** The last 2 KiB of its log, as they were written: mask secrets before they are shown. */
  readonly logTail: string;
}

export interface CloseOptions {
  /** True: the runners go on, for the next manager to adopt. False: they are interrupted, and fenced after `graceMs`. */
  readonly leaveRunning: boolean;
  /** Milliseconds between the interrupt and the fence; default 5000. A second close with 0 ends the wait of the first. */
  readonly graceMs?: number;
}

/** What a close could not show to be gone. Empty when the runners were left running. */
export type CloseOutcome = readonly { readonly attemptId: string; readonly outcome: FenceOutcome }[];

/**
 * Where runners live. What it says of them is a hint: only the lease epoch decides who may write. Calls for one attempt
 * are done one after the other. All but `close` may reject with a PlacementError, and with nothing else.
 */
export interface Placement {
  readonly kind: PlacementKind;
  /**
   * Starts the runner of an attempt. Started again, it first ends what the former start left, so that a start whose
   * answer was lost may be repeated. A start that rejects leaves nothing running.
   */
  start(attempt: AttemptStart): Promise<Handle>;
  /** What became of an incarnation. */
  observe(handle: Handle): Promise<Observation>;
  /**
   * Ends everything of an attempt and says whether nothing is left. Without a handle too, for a start whose answer was
   * lost. Fencing what is gone is no error.
   */
  fence(attemptId: string, handle: Handle | null): Promise<FenceOutcome>;
  /** Every attempt that it holds something of: a process, a Job, a folder, a log. */
  list(): Promise<readonly PlacedAttempt[]>;
  /** Removes what is kept of an attempt that is gone: its folder and log, or its Job. Absent ones are no error. */
  remove(attemptId: string): Promise<void>;
  /**
   * Calls back when a runner ends: at once, so that its lease can be closed at once. Each incarnation is reported at
   * most once; one that ended while no manager ran is shown by `list` and `observe` only. A callback that throws does
   * not keep others from theirs. Gives back what unregisters it.
   */
  onExit(callback: (event: ExitEvent) => void): () => void;
  /** After it, starts are refused. */
  close(options: CloseOptions): Promise<CloseOutcome>;
}
