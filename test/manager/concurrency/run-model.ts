import type { TerminalStatus } from '@agentrun/lib/contract';

/** A command as the model sees it; commands are known by their number within the run, from 1. */
export interface ModelCommand {
  readonly type: 'turn' | 'steer';
  state: 'pending' | 'acknowledged' | 'ended';
  terminal: TerminalStatus | null;
  /** Whether the attempt that took it up has told anything of it since. */
  told: boolean;
  readonly target: number | null;
  readonly ifTurnEnded: 'turn' | 'reject';
  cancelRequested: boolean;
  /** Which end it was, counted over all commands. */
  endedAs: number;
}

/** What a run may be, and nothing of how it is stored. Attempts are known by their number in the test. */
export interface RunModel {
  status: 'pending' | 'claimed' | 'running' | 'cancelling' | TerminalStatus;
  terminal: TerminalStatus | null;
  epoch: number;
  attempt: number | null;
  holder: string | null;
  live: boolean;
  cancelRequested: boolean;
  producerSeq: number;
  lost: number;
  readonly oneShot: boolean;
  readonly maxAttempts: number;
  readonly commands: ModelCommand[];
  /** For each attempt: null while it may go on, else the epoch that it gave back by itself, or -1. */
  readonly attempts: (number | null)[];
  /** Events of runners that were stored. */
  stored: number;
  /** Writes that were refused because somebody else holds the run. */
  fenced: number;
  ends: number;
}

/** Who writes, and under which epoch. */
export interface Writer {
  readonly attempt: number;
  readonly epoch: number;
}

export type Op =
  | { readonly kind: 'register' | 'expire' | 'takeOver' | 'cancelRun' | 'turn' }
  | { readonly kind: 'steer'; readonly ifTurnEnded: 'turn' | 'reject' }
  | { readonly kind: 'cancelCommand'; readonly command: number }
  | { readonly kind: 'claim'; readonly attempt: number; readonly runner: string }
  | { readonly kind: 'beat'; readonly by: Writer; readonly runner: string }
  | { readonly kind: 'poll'; readonly by: Writer }
  | { readonly kind: 'ack'; readonly by: Writer; readonly command: number }
  | { readonly kind: 'report'; readonly by: Writer; readonly command: number; readonly status: 'completed' | 'failed' }
  | { readonly kind: 'finish'; readonly by: Writer; readonly status: 'completed' | 'failed' }
  | { readonly kind: 'release'; readonly by: Writer; readonly reason: 'idle' | 'drain' }
  | {
      readonly kind: 'append';
      readonly by: Writer;
      readonly count: number;
      /** The number of the first event is so far from the next one; null sends no number. */
      readonly producerSeq: number | null;
      readonly command: number | null;
    };

/** `ok`, or the kind of the refusal. */
export type Result = string;

export function newModel(input: { readonly oneShot: boolean; readonly maxAttempts: number }): RunModel {
  return {
    ...input,
    status: 'pending',
    terminal: null,
    epoch: 0,
    attempt: null,
    holder: null,
    live: false,
    cancelRequested: false,
    producerSeq: 0,
    lost: 0,
    commands: [],
    attempts: [],
    stored: 0,
    fenced: 0,
    ends: 0,
  };
}

export function holds(run: RunModel, by: Writer): boolean {
  return run.live && run.attempt === by.attempt && run.epoch === by.epoch;
}

export function endedBy(run: RunModel, by: Writer): boolean {
  return run.terminal !== null && run.attempt === by.attempt && run.epoch === by.epoch;
}

export function open(run: RunModel): ModelCommand[] {
  return run.commands.filter(({ terminal }) => terminal === null);
}

export function addCommand(run: RunModel, command: Pick<ModelCommand, 'type' | 'target' | 'ifTurnEnded'>): void {
  run.commands.push({
    ...command,
    state: 'pending',
    terminal: null,
    told: false,
    cancelRequested: false,
    endedAs: 0,
  });
}

export function endCommand(run: RunModel, command: ModelCommand, status: TerminalStatus): void {
  run.ends += 1;
  command.state = 'ended';
  command.terminal = status;
  command.endedAs = run.ends;
}

/** Steers that nobody took up, of a turn that ends: they become turns, or are rejected. */
export function rejectSteers(run: RunModel, turn: ModelCommand): void {
  const number = run.commands.indexOf(turn) + 1;
  for (const steer of open(run)) {
    if (steer.type === 'steer' && steer.state === 'pending' && steer.target === number) rejectSteer(run, steer);
  }
}

export function rejectSteer(run: RunModel, steer: ModelCommand): void {
  if (steer.ifTurnEnded === 'turn' && !run.cancelRequested) {
    addCommand(run, { type: 'turn', target: null, ifTurnEnded: 'reject' });
  }
  endCommand(run, steer, 'failed');
}

export function closeRun(run: RunModel, status: TerminalStatus, others: TerminalStatus, fence: boolean): void {
  for (const command of open(run)) endCommand(run, command, others);
  run.status = status;
  run.terminal = status;
  run.live = false;
  run.holder = null;
  if (fence) run.epoch += 1;
  if (run.attempt !== null) run.attempts[run.attempt] ??= -1;
}

/** The outcome of the turn that ended last. */
export function lastOutcome(run: RunModel): TerminalStatus | null {
  const ended = run.commands.filter(({ type, terminal }) => type === 'turn' && terminal !== null);
  return ended.sort((a, b) => b.endedAs - a.endedAs)[0]?.terminal ?? null;
}

/** What an attempt that is gone had taken up; true when a turn ended by it. */
export function settle(run: RunModel): boolean {
  let endedTurn = false;
  for (const command of open(run)) {
    if (command.state !== 'acknowledged') continue;
    if (command.type === 'steer') {
      endCommand(run, command, 'blocked');
      continue;
    }
    const isCancelled = command.cancelRequested || run.cancelRequested;
    if (!isCancelled && !command.told) {
      command.state = 'pending';
      continue;
    }
    rejectSteers(run, command);
    endCommand(run, command, isCancelled ? 'cancelled' : 'blocked');
    endedTurn = true;
  }
  return endedTurn;
}

/** The attempt of the run is gone: the run goes on without it, or ends. */
export function lose(run: RunModel): void {
  if (run.cancelRequested) {
    closeRun(run, 'cancelled', 'cancelled', true);
    return;
  }
  const endedTurn = settle(run);
  if (run.attempt !== null) run.attempts[run.attempt] = -1;
  const last = lastOutcome(run);
  if (last !== null && (open(run).length === 0 || (run.oneShot && endedTurn))) closeRun(run, last, 'cancelled', true);
  else if (run.lost + 1 >= run.maxAttempts) closeRun(run, 'failed', 'failed', true);
  else giveBack(run, true);
}

export function giveBack(run: RunModel, lost: boolean): void {
  run.status = 'pending';
  run.attempt = null;
  run.holder = null;
  run.live = false;
  run.epoch += 1;
  run.producerSeq = 0;
  run.lost += lost ? 1 : 0;
}
