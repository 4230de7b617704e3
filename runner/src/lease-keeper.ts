import { Worker } from 'node:worker_threads';
import type { AttemptFile } from '@agentrun/lib/contract';
import { EXIT, type ExitCode, RunnerExit } from './exit-code.ts';
import type { ClaimedAgain, LeasedRun, LeaseNews, LeaseThreadData } from './lease-keeper-messages.ts';
import { clock, SharedLease, stallMs, usableMs } from './lease-keeper-shared.ts';
import { type Log, saying } from './log.ts';
import { callManager, type ManagerAddress } from './manager-client-call.ts';
import { retrying } from './manager-client-retry.ts';

export interface LeaseOptions {
  readonly address: ManagerAddress;
  readonly attempt: AttemptFile;
  readonly runnerId: string;
  readonly log: Log;
  /** The compiled thread of the heartbeat. */
  readonly thread: URL;
}

/** What the manager said when it refused a write. */
interface Refusal {
  readonly failureKind: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

const CLAIM_TIMEOUT_MS = 15_000;
const TICK_MS = 1000;

/**
 * Our lease of the run: claimed, renewed by a thread of its own, and given up before it ends.
 *
 * The time up to which it may be used counts from before the request that won it. When it is over, or taken from us,
 * `lost` is aborted with a {@link RunnerExit}; the agent is dead by then or soon, and nothing may be written any more.
 */
export class LeaseKeeper {
  readonly #options: LeaseOptions;
  readonly #shared = new SharedLease();
  readonly #lost = new AbortController();
  readonly #listeners = new Set<(run: LeasedRun) => void>();
  #run: LeasedRun;
  #thread: Worker | null = null;
  #ticks: NodeJS.Timeout | undefined;
  #claiming: Promise<boolean> | null = null;
  #mayEnd = false;

  private constructor(options: LeaseOptions, run: LeasedRun, since: number) {
    this.#options = options;
    this.#run = run;
    this.#shared.deadline = since + usableMs(run.leaseMs);
  }

  /**
   * Claims the run, and begins to keep it.
   *
   * @param signal ends the tries
   * @throws ManagerFailure when the run is not to be had; the reason of the signal
   */
  static async claim(options: LeaseOptions, signal: AbortSignal): Promise<LeaseKeeper> {
    const { run, since } = await claimRun(options, signal);
    const keeper = new LeaseKeeper(options, run, since);
    keeper.#keep();
    return keeper;
  }

  get epoch(): number {
    return this.#run.leaseEpoch;
  }

  /** As the last claim or heartbeat told it. */
  get run(): LeasedRun {
    return this.#run;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** @throws RunnerExit when the lease may not be used any more */
  assertLive(): void {
    if (clock() >= this.#shared.deadline) {
      const { isUnreachable } = this.#shared;
      const why = isUnreachable
        ? 'the manager was not there for as long as the lease allows'
        : 'the lease was not renewed in time';
      this.#lose(isUnreachable ? EXIT.unreachable : EXIT.fenced, why);
    }
    this.lost.throwIfAborted();
  }

  /** Calls the listener with what each heartbeat is answered, until it is called off. */
  onBeat(listener: (run: LeasedRun) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The next report ends the run: from then on a refused heartbeat or append is no sign that we lost it. */
  expectEnd(): void {
    this.#mayEnd = true;
  }

  /** It did not end the run. */
  goOn(): void {
    this.#mayEnd = false;
  }

  /** Whether refusals of what is not a report are to be expected. */
  get endIsExpected(): boolean {
    return this.#mayEnd;
  }

  /**
   * A write under an epoch was refused. A lease that ran out and that nobody took is claimed again, and the agent goes
   * on; otherwise it is lost.
   *
   * @returns whether there is another epoch to write under
   */
  async refused(failure: Refusal, epoch: number): Promise<boolean> {
    if (epoch !== this.epoch) return true;
    const { expired, currentEpoch } = failure.details;
    if (failure.failureKind !== 'lease-fenced' || expired !== true || currentEpoch !== epoch) {
      this.#lose(EXIT.fenced, failure.message);
      return false;
    }
    this.#claiming ??= this.#claimAgain().finally(() => {
      this.#claiming = null;
    });
    return await this.#claiming;
  }

  /** Beats no more. The lease stays the manager's to end. */
  async stop(): Promise<void> {
    clearInterval(this.#ticks);
    const thread = this.#thread;
    this.#thread = null;
    await thread?.terminate();
  }

  async #claimAgain(): Promise<boolean> {
    const { log } = this.#options;
    log('the lease had run out; claiming the run again');
    try {
      const { run, since } = await claimRun(this.#options, this.lost);
      this.#run = run;
      this.#shared.deadline = since + usableMs(run.leaseMs);
      this.#thread?.postMessage({ epoch: run.leaseEpoch, leaseMs: run.leaseMs } satisfies ClaimedAgain);
      this.#tell(run);
      return true;
    } catch (error) {
      if (!this.lost.aborted) this.#lose(EXIT.fenced, saying(error));
      return false;
    }
  }

  #keep(): void {
    const { address, attempt, runnerId, thread } = this.#options;
    const { leaseMs, leaseEpoch: epoch } = this.#run;
    this.#shared.tick();
    this.#ticks = setInterval(() => this.#shared.tick(), Math.min(TICK_MS, stallMs(leaseMs) / 4));
    this.#thread = new Worker(thread, {
      workerData: {
        buffer: this.#shared.buffer,
        address,
        runId: attempt.runId,
        runnerId,
        attemptId: attempt.attemptId,
        epoch,
        leaseMs,
        heartbeatMs: Math.min(attempt.heartbeatMs, leaseMs / 3),
        spared: [process.pid, process.ppid],
      } satisfies LeaseThreadData,
      // Conditions and loaders of the main thread come with it; arguments for V8 would not be allowed.
      stdout: false,
      stderr: false,
    });
    this.#thread.on('message', (news: LeaseNews) => void this.#hear(news));
    this.#thread.on('exit', () => {
      if (this.#thread !== null) this.#lose(EXIT.failed, 'the thread of the heartbeat ended');
    });
    this.#thread.on('error', (error) =>
      this.#lose(EXIT.failed, `the thread of the heartbeat failed: ${saying(error)}`),
    );
  }

  async #hear(news: LeaseNews): Promise<void> {
    switch (news.kind) {
      case 'beat':
        if (news.run.leaseEpoch !== this.epoch) return;
        this.#run = news.run;
        this.#tell(news.run);
        return;
      case 'refused':
        if (!this.#mayEnd) await this.refused(news, news.epoch);
        return;
      case 'over':
        this.#lose(news.code, news.message);
        return;
    }
  }

  #tell(run: LeasedRun): void {
    for (const listener of this.#listeners) listener(run);
  }

  #lose(code: ExitCode, message: string): void {
    if (!this.lost.aborted) this.#lost.abort(new RunnerExit(code, message));
  }
}

async function claimRun(
  { address, attempt, runnerId, log }: LeaseOptions,
  signal: AbortSignal,
): Promise<{ run: LeasedRun; since: number }> {
  return await retrying(
    async () => {
      const since = clock();
      const body = JSON.stringify({ runnerId, leaseMs: attempt.leaseMs });
      const path = `/runs/${attempt.runId}/claim`;
      const run = await callManager(address, { method: 'POST', path, body, timeoutMs: CLAIM_TIMEOUT_MS, signal });
      return { run: run as LeasedRun, since };
    },
    { signal, onRetry: (error) => log(error.message) },
  );
}
