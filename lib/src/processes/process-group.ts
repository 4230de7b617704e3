import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { type ProcessIdentity, processIdentity } from './process-identity.ts';
import { type SpawnFailure, spawnFailure } from './spawn-failure.ts';

/** What one of the three standard streams is bound to; a number is an open file descriptor. */
export type Stdio = 'ignore' | 'pipe' | 'inherit' | number;

/** Where and with what a program is started. */
export interface SpawnGroupOptions {
  readonly cwd: string;
  /** The whole environment: nothing of this process's own is added. The command is looked up by its PATH. */
  readonly env: Readonly<Record<string, string>>;
  /** stdin, stdout and stderr; default "pipe" each. */
  readonly stdio?: readonly [Stdio, Stdio, Stdio];
}

/** How a process ended: one of the two is not null. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process that leads a session and process group of its own. */
export interface ProcessGroup {
  readonly started: true;
  readonly pid: number;
  /** Null only where the system does not let processes be looked at. */
  readonly identity: ProcessIdentity | null;
  /** Null unless bound to a pipe. Writing after the reader is gone fails the write, and nothing else. */
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** Settles when the leader ended; others of the group may live on. Never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** Settles when the leader ended and its pipes are closed, which whoever inherited them can delay. Never rejects. */
  readonly closed: Promise<ProcessExit>;
  /** SIGINT to the whole group. Each of the three says whether there was somebody to signal. */
  interrupt(): boolean;
  /** SIGTERM to the whole group. */
  terminate(): boolean;
  /** SIGKILL to the whole group. What left the group is reached by `fence` only. */
  kill(): boolean;
  /** Lets this process end although the group lives. */
  unref(): void;
}

/**
 * Starts a command as the leader of a session and process group of its own. `argv[0]` is the command.
 *
 * Never rejects: a command that cannot be started is a {@link SpawnFailure}.
 */
export async function spawnGroup(
  argv: readonly string[],
  options: SpawnGroupOptions,
): Promise<ProcessGroup | SpawnFailure> {
  const { cwd, env, stdio = ['pipe', 'pipe', 'pipe'] } = options;
  const [command = '', ...args] = argv;
  let child: ChildProcess;
  try {
    child = spawn(command, args, { cwd, env: { ...env }, stdio: [...stdio], detached: true });
  } catch (error) {
    return spawnFailure(command, cwd, error);
  }
  // A child that failed to start and a pipe whose reader has gone report here; unheard, they would end this process.
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.on('error', () => {});
  const { pid } = child;
  if (pid === undefined) {
    return new Promise((resolve) => {
      child.on('error', (error) => resolve(spawnFailure(command, cwd, error)));
    });
  }
  child.on('error', () => {});
  return groupOf(child, pid);
}

function groupOf(child: ChildProcess, pid: number): ProcessGroup {
  // Read before the child can be reaped, so that one that ended at once has an identity too.
  const identity = processIdentity(pid);
  let left = false;
  let empty = false;
  const settled = (event: 'exit' | 'close'): Promise<ProcessExit> =>
    new Promise((resolve) => {
      child.once(event, (code: number | null, signal: NodeJS.Signals | null) => resolve({ code, signal }));
    });
  child.once('exit', () => {
    left = true;
    empty = !signalGroup(pid, 0);
  });
  const send = (signal: NodeJS.Signals): boolean => {
    // The number of a group stays its own while somebody is in it; once it was seen empty it may pass to others.
    if (left && !empty) empty = !signalGroup(pid, 0) || processIdentity(pid) !== null;
    return !empty && signalGroup(pid, signal);
  };
  return {
    started: true,
    pid,
    identity,
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    exited: settled('exit'),
    closed: settled('close'),
    interrupt: () => send('SIGINT'),
    terminate: () => send('SIGTERM'),
    kill: () => send('SIGKILL'),
    unref: () => child.unref(),
  };
}

function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}
