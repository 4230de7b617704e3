import { setTimeout as delay } from 'node:timers/promises';
import { fence, type ProcessExit, type ProcessGroup, processesOfAttempt, spawnGroup } from '@agentrun/lib/processes';
import { BackendFailure, type TurnFailureKind } from './backend-failure.ts';

const STDERR_TAIL = 8 * 1024;
/** How long the last output of an ended program may take to come through its pipes, in milliseconds. */
const DRAIN_MS = 500;
/** How long a fence may take before the runner goes on; what it could not end is left to the fence of the attempt. */
const FENCE_MS = 10_000;

export interface AgentProcessOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly attemptId: string;
  /** Values that stand in no message, such as a key. */
  readonly secrets: readonly string[];
  readonly onStderr?: (chunk: Buffer) => void;
}

/** Ends that are under way: a program that began meanwhile would be ended with them. */
const ends = new Map<string, Promise<unknown>>();

/** The program of an agent: a process group of its own, with three pipes. When it ends, all that it started is ended. */
export class AgentProcess {
  readonly group: ProcessGroup;
  /** Settles when the program has ended, its output came through, and nothing of the attempt is left. Never rejects. */
  readonly ended: Promise<ProcessExit>;
  readonly #options: AgentProcessOptions;
  #stderr = Buffer.alloc(0);
  #alive = true;

  private constructor(group: ProcessGroup, options: AgentProcessOptions) {
    this.group = group;
    this.#options = options;
    group.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = Buffer.concat([this.#stderr, chunk]).subarray(-STDERR_TAIL);
      options.onStderr?.(chunk);
    });
    this.ended = group.exited.then((exit) => this.#end(exit));
  }

  /** @throws BackendFailure `profile-invalid` or `infra-failed` when it cannot be started */
  static async start(argv: readonly string[], options: AgentProcessOptions): Promise<AgentProcess> {
    await ends.get(options.attemptId);
    const group = await spawnGroup(argv, { cwd: options.cwd, env: options.env });
    if (group.started) return new AgentProcess(group, options);
    const invalid = ['not-found', 'not-executable', 'invalid-arguments'].includes(group.code);
    throw new BackendFailure(invalid ? 'profile-invalid' : 'infra-failed', group.message);
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** The last words on stderr, as far as they help a person. */
  get lastWords(): string {
    const text = this.#stderr
      .toString('utf8')
      .replaceAll(/\u001b\[[0-9;]*m/g, '')
      .trim()
      .slice(-2000);
    return this.#options.secrets.reduce((said, secret) => said.replaceAll(secret, '[secret]'), text);
  }

  /** How it ended, as a failure: `kind`, unless its last words are of a full disk. */
  failure(exit: ProcessExit, kind: TurnFailureKind, what: string): BackendFailure {
    const how = exit.signal === null ? `ended with exit code ${exit.code}` : `was ended by ${exit.signal}`;
    const said = this.lastWords;
    const full = /\bENOSPC\b|no space left on device/i.test(said);
    return new BackendFailure(full ? 'disk-full' : kind, `${what} ${how}${said === '' ? '' : `: ${said}`}`);
  }

  /** Closes stdin, then SIGTERM, then SIGKILL, a third of the time for each; then nothing of the attempt is left. */
  async end(deadlineMs: number): Promise<void> {
    this.group.stdin?.end();
    const third = deadlineMs / 3;
    if (!(await this.#endedWithin(third))) await this.kill(third);
  }

  /** Kills the program, and all that it started; with a grace, SIGTERM comes first. */
  async kill(graceMs = 0): Promise<void> {
    const { attemptId } = this.#options;
    ends.set(attemptId, this.ended);
    if (graceMs > 0) {
      this.group.terminate();
      if (await this.#endedWithin(graceMs)) return;
    }
    this.group.kill();
    // One that cannot even be killed is left to the fence of the attempt.
    await this.#endedWithin(2 * FENCE_MS);
  }

  async #end(exit: ProcessExit): Promise<ProcessExit> {
    this.#alive = false;
    const { attemptId } = this.#options;
    const fenced = endAttemptProcesses(attemptId);
    ends.set(attemptId, fenced);
    // A child that was left behind may have held the pipes open.
    await fenced;
    await Promise.race([this.group.closed, delay(DRAIN_MS)]);
    return exit;
  }

  async #endedWithin(ms: number): Promise<boolean> {
    const late = new AbortController();
    const timeout = delay(ms, false, { signal: late.signal }).catch(() => false);
    const ended = await Promise.race([this.ended.then(() => true), timeout]);
    late.abort();
    return ended;
  }
}

/** Kills all that carries the mark of the attempt, but the runner itself. */
async function endAttemptProcesses(attemptId: string): Promise<void> {
  // The runner may carry the mark of its attempt, and so may whoever started it.
  await fence(attemptId, { deadlineMs: FENCE_MS, exclude: [process.pid, process.ppid] });
}

/** Ids of the processes that carry the mark of the attempt, but the runner's own; null when some may be missing. */
export async function attemptPids(attemptId: string): Promise<ReadonlySet<number> | null> {
  const { processes, couldNotLook } = await processesOfAttempt(attemptId, { exclude: [process.pid, process.ppid] });
  return couldNotLook === null ? new Set(processes.map(({ pid }) => pid)) : null;
}
