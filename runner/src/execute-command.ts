import {
  type EventInput,
  EXECUTION_POLICY_DEFAULTS,
  type ExecutionPolicy,
  type ReportStatus,
} from '@agentrun/lib/contract';
import type { Agent } from './agent.ts';
import { asBackendFailure, BackendFailure } from './backends/backend-failure.ts';
import type { CancelRequest } from './cancel-request.ts';
import { CommandWatch } from './command-watch.ts';
import type { EventUploader } from './event-uploader.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import type { Log } from './log.ts';
import type { Command, ManagerClient } from './manager-client.ts';
import { promptOf } from './prompt.ts';
import { SteerDelivery } from './steer-delivery.ts';
import { cancelledReport, reportOfFailure, reportOfResult } from './turn-report.ts';
import { type StopTimes, TurnStop } from './turn-stop.ts';

/** What the turns of one run share. */
export interface TurnPlace {
  readonly attemptId: string;
  /** Where the agent works. */
  readonly workspace: string;
  readonly client: ManagerClient;
  readonly lease: LeaseKeeper;
  readonly events: EventUploader;
  readonly agent: Agent;
  /** The way of a cancel, as the lane has it. */
  readonly cancel: StopTimes;
  /** Aborted, with the name of the signal as its reason, when the runner must go. */
  readonly drain: AbortSignal;
  readonly log: Log;
}

/** A runner that must go has not the time that a cancel has: whoever asked it to kills it soon. Milliseconds. */
const DRAIN_TIMES: StopTimes = { gracefulAbortMs: 2000, killEscalationMs: 3000 };
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** One turn, from its acknowledgement to its outcome. */
export class TurnExecution {
  readonly #place: TurnPlace;
  readonly #command: Command;
  readonly #steers: SteerDelivery;
  readonly #stop: TurnStop;
  /** Ends what comes before the agent hears of the turn. */
  readonly #early = new AbortController();
  #over: () => void = () => {};
  #hasBegun = false;
  #cancel: CancelRequest | null = null;

  constructor(place: TurnPlace, command: Command) {
    const { client, log, attemptId, agent } = place;
    this.#place = place;
    this.#command = command;
    this.#steers = new SteerDelivery(client, command.id, log);
    const over = new Promise<void>((resolve) => {
      this.#over = resolve;
    });
    this.#stop = new TurnStop({ attemptId, over, session: () => (this.#hasBegun ? agent.session : null), log });
  }

  /**
   * Runs the turn to its end.
   *
   * @returns what to report; null for a turn that no agent heard of because the runner must go: another runner takes it
   * @throws RunnerExit when the lease was lost; the agent is dead then
   */
  async run(): Promise<ReportStatus | null> {
    const { client, lease, drain, log } = this.#place;
    const onDrain = (): void => this.#end(new BackendFailure('infra-failed', 'the runner must go'), DRAIN_TIMES, 0);
    const onLost = (): void => this.#end(lease.lost.reason, { gracefulAbortMs: 0, killEscalationMs: 0 }, 0);
    drain.addEventListener('abort', onDrain, { once: true });
    lease.lost.addEventListener('abort', onLost, { once: true });
    const watch = new CommandWatch({
      client,
      lease,
      turn: this.#command,
      log,
      onCancel: (request) => this.#onCancel(request),
      onSteer: (steer) => this.#steers.take(steer),
    });
    if (drain.aborted) onDrain();
    try {
      const report = await this.#perform();
      lease.lost.throwIfAborted();
      return report;
    } finally {
      this.#over();
      watch.stop();
      drain.removeEventListener('abort', onDrain);
      lease.lost.removeEventListener('abort', onLost);
      await this.#steers.end();
    }
  }

  async #perform(): Promise<ReportStatus | null> {
    const { lease } = this.#place;
    try {
      return await this.#turn();
    } catch (error) {
      lease.lost.throwIfAborted();
      if (this.#early.signal.aborted && !this.#hasBegun && !isTimeout(this.#early.signal.reason)) {
        if (this.#cancel === null) return null;
        this.#tellCancelled(this.#cancel);
        return cancelledReport('the turn was cancelled before the agent began it');
      }
      const report = reportOfFailure(asBackendFailure(error, 'infra-failed', 'the turn could not be run'));
      const { failureKind, failureMessage: message } = report;
      this.#emit({ type: 'error', payload: { failureKind, message, phase: 'runner:execute' } });
      return report;
    }
  }

  async #turn(): Promise<ReportStatus> {
    const { agent, lease, drain, workspace } = this.#place;
    const policy: ExecutionPolicy = { ...EXECUTION_POLICY_DEFAULTS, ...lease.run.executionPolicy };
    const { signal } = this.#early;
    const late = `the agent was not ready within the ${policy.turnTimeoutMs} ms of the turn`;
    const timer = setTimeout(
      () => this.#early.abort(new BackendFailure('turn-timeout', late)),
      Math.min(policy.turnTimeoutMs, LONGEST_TIMER_MS),
    );
    let prompt: string;
    let session: Awaited<ReturnType<Agent['prepare']>>;
    try {
      session = await agent.prepare((event) => this.#emit(event), signal);
      prompt = await agent.briefing.before(promptOf(this.#command.payload), agent.threadId);
      signal.throwIfAborted();
    } finally {
      clearTimeout(timer);
    }
    this.#hasBegun = true;
    const result = await session.runTurn({
      command: { id: this.#command.id },
      prompt,
      workspace,
      policy,
      threadId: agent.threadId,
      emit: (event) => {
        this.#emit(event);
        if (event.type === 'backend_status' && event.payload?.['phase'] === 'turn-started') this.#steers.begun(session);
      },
    });
    if (result.threadId !== undefined) {
      agent.threadId = result.threadId;
      await agent.briefing.note(result.threadId).catch(() => {});
    }
    if (this.#cancel !== null && result.terminalStatus === 'cancelled') this.#tellCancelled(this.#cancel);
    const gone = drain.aborted
      ? `the runner was stopped (${String(drain.reason)}); the next turn resumes the conversation`
      : null;
    return reportOfResult(result, this.#cancel === null ? gone : 'the turn was cancelled');
  }

  #onCancel(request: CancelRequest): void {
    this.#cancel = request;
    this.#end(new BackendFailure('infra-failed', 'the turn is cancelled'), this.#place.cancel, request.sinceMs ?? 0);
  }

  #end(reason: unknown, times: StopTimes, sinceMs: number): void {
    this.#early.abort(reason);
    this.#stop.begin(times, sinceMs);
  }

  #emit(event: EventInput): void {
    this.#place.events.emit(event, this.#command.id);
  }

  #tellCancelled({ scope, sinceMs }: CancelRequest): void {
    const payload = {
      phase: 'turn-cancelled',
      failureKind: 'cancelled',
      scope,
      ...(sinceMs === null ? {} : { deliveredAfterMs: sinceMs }),
    };
    this.#emit({ type: 'backend_status', payload });
  }
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof BackendFailure && reason.failureKind === 'turn-timeout';
}
