import { setTimeout as delay } from 'node:timers/promises';
import { isTerminal, NEXT_WAIT_MS, type ReportStatus, type RunStatus } from '@agentrun/lib/contract';
import { Agent } from './agent.ts';
import { beginAttempt, exitOf, type LoopOptions, managerAddress } from './begin-attempt.ts';
import { EventUploader } from './event-uploader.ts';
import { TurnExecution, type TurnPlace } from './execute-command.ts';
import { EXIT, type ExitCode, RunnerExit } from './exit-code.ts';
import { joinSignals } from './joined-signal.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import { saying } from './log.ts';
import { type Command, type CommandsNext, ManagerClient } from './manager-client.ts';
import { ManagerFailure, ManagerUnreachable } from './manager-client-failure.ts';
import { steerRejected } from './steer-delivery.ts';

/** In milliseconds. */
const FLUSH_MS = 10_000;
const CLOSE_MS = 5000;
/** What a runner that must go takes for each: it was given a few seconds in all. */
const DRAIN_STEP_MS = 2000;
const DRAIN_REPORT_MS = 5000;
const CONFLICT_PAUSE_MS = 1000;

const STEER_UNKNOWN: ReportStatus = {
  terminalStatus: 'blocked',
  failureKind: 'outcome-unknown',
  failureMessage: 'the runner does not know whether the agent took it',
};

/**
 * Serves one attempt, from its registration until there is nothing left to do for it.
 *
 * @returns the exit code; whatever it is, nothing that the attempt started is alive
 */
export async function serveAttempt(options: LoopOptions): Promise<ExitCode> {
  try {
    const lease = await beginAttempt(options);
    return lease === null ? EXIT.done : await new RunnerLoop(options, lease).run();
  } catch (error) {
    if (!(error instanceof RunnerExit)) throw error;
    options.log(error.message);
    return error.code;
  }
}

/** The life of a runner that holds its run. */
class RunnerLoop {
  readonly #options: LoopOptions;
  readonly #lease: LeaseKeeper;
  readonly #place: TurnPlace;
  #idleSince = performance.now();
  /** Outcomes that the manager did not take yet: what was run is never run again. */
  readonly #untold = new Map<string, ReportStatus>();
  /** A turn ended the run by its policy. */
  #isSpent = false;

  constructor(options: LoopOptions, lease: LeaseKeeper) {
    const { config, log, drain } = options;
    const { attempt, secrets } = config;
    const client = new ManagerClient(managerAddress(config), attempt.runId, lease, log);
    const { resourceBundleRef = null, sessionRef } = lease.run;
    this.#options = options;
    this.#lease = lease;
    this.#place = {
      attemptId: attempt.attemptId,
      workspace: attempt.workspace.dir,
      client,
      lease,
      events: new EventUploader({
        attemptId: attempt.attemptId,
        runnerId: attempt.runnerId,
        secrets,
        epoch: () => lease.epoch,
        append: async (epoch, producerSeq, events) => await client.append(epoch, producerSeq, events),
        log,
      }),
      agent: new Agent(config, resourceBundleRef, sessionRef?.threadId ?? null, log),
      cancel: attempt.cancel,
      drain,
      log,
    };
  }

  async run(): Promise<ExitCode> {
    const { agent, events } = this.#place;
    try {
      for (;;) {
        const code = await this.#step();
        if (code === null) continue;
        return code;
      }
    } finally {
      if (this.#lease.lost.aborted) {
        events.stop();
        await agent.kill();
      } else await agent.close(CLOSE_MS);
      events.stop();
      await this.#lease.stop();
    }
  }

  /** @returns the exit code, when the runner is done */
  async #step(): Promise<ExitCode | null> {
    const { drain } = this.#options;
    if (drain.aborted) return await this.#leave();
    const next = await this.#poll();
    if (next === null) return null;
    if (isTerminal(next.run.status as RunStatus)) return EXIT.done;
    if (typeof next.run.cancelRequestedAt === 'string') return await this.#release();
    const turn =
      next.items.find(({ type, state }) => type === 'turn' && state === 'acknowledged') ??
      next.items.find(({ type }) => type === 'turn');
    await this.#rejectSteers(next.items);
    if (turn !== undefined) await this.#serve(turn);
    else if (this.#idleLeft() <= 0) return await this.#release();
    return null;
  }

  #idleLeft(): number {
    return this.#idleSince + this.#options.config.attempt.idleTimeoutMs - performance.now();
  }

  /** Waits for work. Null when something came that must be looked at first. */
  async #poll(): Promise<CommandsNext | null> {
    const { client, lease } = this.#place;
    const heard = new AbortController();
    const leaveBeats = lease.onBeat((run) => {
      if (typeof run.cancelRequestedAt === 'string') heard.abort();
    });
    const isKnown = typeof lease.run.cancelRequestedAt === 'string';
    const { signal, leave } = joinSignals([this.#options.drain, ...(isKnown ? [] : [heard.signal])]);
    const waitMs = this.#isSpent || isKnown ? 0 : Math.min(NEXT_WAIT_MS, Math.max(0, this.#idleLeft()));
    const asked = performance.now();
    try {
      const next = await client.next({ afterSeq: 0, waitMs, signal });
      // A manager that is about to stop answers at once; it must not be asked without end.
      const isBusy = next?.items.length === 0 && performance.now() - asked < Math.min(waitMs, CONFLICT_PAUSE_MS) / 2;
      if (isBusy) await delay(CONFLICT_PAUSE_MS / 2, undefined, { signal }).catch(() => {});
      return next;
    } catch (error) {
      this.#lease.lost.throwIfAborted();
      throw asExit(error);
    } finally {
      leave();
      leaveBeats();
    }
  }

  async #serve(command: Command): Promise<void> {
    const { agent, events, lease, log, drain } = this.#place;
    const taken = await this.#acknowledge(command);
    if (taken === null) return;
    const report = this.#untold.get(taken.id) ?? (await new TurnExecution(this.#place, taken).run());
    this.#idleSince = performance.now();
    if (report === null) return;
    this.#untold.set(taken.id, report);
    const isLast = lease.run.executionPolicy?.oneShot === true;
    // The report lets others have the session: nobody of ours may work on it then.
    if (isLast) await agent.close(CLOSE_MS);
    await events.flush(drain.aborted ? DRAIN_STEP_MS : FLUSH_MS);
    if (isLast) lease.expectEnd();
    const late = drain.aborted ? AbortSignal.timeout(DRAIN_REPORT_MS) : undefined;
    try {
      await this.#report(taken, report, late);
    } catch (error) {
      lease.lost.throwIfAborted();
      if (late?.aborted === true)
        throw new RunnerExit(exitOf(drain), `the outcome of turn ${taken.id} was not reported in time`);
      if (!(error instanceof ManagerFailure) || error.status !== 409) throw asExit(error);
      log(`the outcome of turn ${taken.id} was not taken: ${error.message}`);
      lease.goOn();
      await delay(CONFLICT_PAUSE_MS);
      return;
    }
    this.#untold.delete(taken.id);
    this.#isSpent = isLast;
    if (isLast) events.stop();
  }

  /** Null for a turn that is not to be had: it has ended, or another one is under way. */
  async #acknowledge(command: Command): Promise<Command | null> {
    const { client, log } = this.#place;
    try {
      return await client.acknowledge(command.id);
    } catch (error) {
      this.#lease.lost.throwIfAborted();
      if (!(error instanceof ManagerFailure) || error.status !== 409) throw asExit(error);
      if (error.failureKind !== 'already-terminal') {
        log(error.message);
        await delay(CONFLICT_PAUSE_MS);
      }
      return null;
    }
  }

  /** What the manager finds wrong with a report is left out of it: the outcome itself must not be lost. */
  async #report(command: Command, report: ReportStatus, late: AbortSignal | undefined): Promise<void> {
    const { client, log } = this.#place;
    try {
      await client.reportCommand(command.id, report, late);
    } catch (error) {
      if (!(error instanceof ManagerFailure) || error.failureKind !== 'schema-invalid') throw error;
      log(`the report of turn ${command.id} was refused and is cut: ${error.message}`);
      const { terminalStatus, failureKind = null } = report;
      await client.reportCommand(command.id, { terminalStatus, failureKind }, late);
    }
  }

  /** Steers that nobody waits for any more. One whose turn is still to come is left for that. */
  async #rejectSteers(items: readonly Command[]): Promise<void> {
    const { client, log } = this.#place;
    const turns = new Set(items.filter(({ type }) => type === 'turn').map(({ id }) => id));
    for (const steer of items) {
      const target = steer.steerDelivery?.['targetCommandId'];
      if (steer.type !== 'steer' || (typeof target === 'string' && turns.has(target))) continue;
      try {
        await client.acknowledge(steer.id);
        // One that we took up and could not report may have reached its turn.
        await client.reportCommand(
          steer.id,
          steer.state === 'acknowledged' ? STEER_UNKNOWN : steerRejected('turn-ended'),
        );
      } catch (error) {
        this.#lease.lost.throwIfAborted();
        if (!(error instanceof ManagerFailure) || error.status !== 409) throw asExit(error);
        log(error.message);
      }
    }
  }

  /** Gives the run back when there is nothing to do. Null when there is after all. */
  async #release(): Promise<ExitCode | null> {
    const { client, agent, events, lease } = this.#place;
    await agent.close(CLOSE_MS);
    await events.flush(FLUSH_MS);
    lease.expectEnd();
    try {
      await client.release('idle');
      return EXIT.done;
    } catch (error) {
      lease.lost.throwIfAborted();
      if (!(error instanceof ManagerFailure)) throw error;
      if (error.failureKind !== 'commands-pending') throw asExit(error);
      lease.goOn();
      this.#idleSince = performance.now();
      return null;
    }
  }

  /** Gives the run back because the runner must go, and does not wait for long. */
  async #leave(): Promise<ExitCode> {
    const { client, agent, events, lease, log } = this.#place;
    const { drain } = this.#options;
    log(`stopping: ${String(drain.reason)}`);
    await agent.close(DRAIN_STEP_MS);
    await events.flush(DRAIN_STEP_MS);
    lease.expectEnd();
    try {
      await client.release('drain', AbortSignal.timeout(DRAIN_STEP_MS));
    } catch (error) {
      // The manager sees the end of this process, or of the lease.
      log(`the run was not given back: ${saying(error)}`);
    }
    return exitOf(drain);
  }
}

/** A refusal that nothing can be done about here. */
function asExit(error: unknown): unknown {
  if (error instanceof ManagerFailure) return new RunnerExit(EXIT.failed, error.message, { cause: error });
  return error instanceof ManagerUnreachable
    ? new RunnerExit(EXIT.unreachable, error.message, { cause: error })
    : error;
}
