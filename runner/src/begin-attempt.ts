import type { RunnerConfig } from './config.ts';
import { EXIT, type ExitCode, RunnerExit } from './exit-code.ts';
import { joinSignals } from './joined-signal.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import type { Log } from './log.ts';
import { registerRunner } from './manager-client.ts';
import type { ManagerAddress } from './manager-client-call.ts';
import { ManagerFailure } from './manager-client-failure.ts';

/** What a runner is made of. */
export interface LoopOptions {
  readonly config: RunnerConfig;
  readonly log: Log;
  /** The compiled thread of the heartbeat. */
  readonly thread: URL;
  /** Aborted, with SIGINT or SIGTERM as its reason, when the runner must go. */
  readonly drain: AbortSignal;
}

/** Where the manager of an attempt is. */
export function managerAddress({ attempt, token }: RunnerConfig): ManagerAddress {
  const { managerUrl: url, traceparent } = attempt;
  return { url, token, ...(traceparent === undefined ? {} : { traceparent }) };
}

/** Registers and claims. Null for a run that has ended before. */
export async function beginAttempt({ config, log, thread, drain }: LoopOptions): Promise<LeaseKeeper | null> {
  const { attempt } = config;
  const address = managerAddress(config);
  const late = new AbortController();
  const timer = setTimeout(() => {
    const message = `the manager at ${attempt.managerUrl} was not there for ${attempt.leaseMs} ms`;
    late.abort(new RunnerExit(EXIT.unreachable, message));
  }, attempt.leaseMs);
  const { signal, leave } = joinSignals([late.signal, drain]);
  try {
    const { runId, attemptId, backendProfile, placement, sourceCommit, logFile } = attempt;
    const metadata = { pid: process.pid, node: process.version, logFile };
    const input = { runId, id: attempt.runnerId, attemptId, backendProfile, placement, sourceCommit, metadata };
    const runner = await registerRunner(address, input, signal, log);
    return await LeaseKeeper.claim({ address, attempt, runnerId: runner.id, log, thread }, signal);
  } catch (error) {
    if (drain.aborted) throw new RunnerExit(exitOf(drain), 'stopped before the run was claimed', { cause: error });
    if (!(error instanceof ManagerFailure)) throw error;
    if (error.failureKind === 'already-terminal') {
      log(`there is nothing to do: ${error.message}`);
      return null;
    }
    const isHeld = error.failureKind === 'runner-lease-conflict' || error.failureKind === 'lease-fenced';
    throw new RunnerExit(isHeld ? EXIT.fenced : EXIT.failed, error.message, { cause: error });
  } finally {
    clearTimeout(timer);
    leave();
  }
}

/** The exit code of a runner that was asked to go. */
export function exitOf(drain: AbortSignal): ExitCode {
  return drain.reason === 'SIGINT' ? EXIT.SIGINT : EXIT.SIGTERM;
}
