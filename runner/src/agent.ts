import { mkdir, stat } from 'node:fs/promises';
import type { EventInput, ResourceBundleRef } from '@agentrun/lib/contract';
import { fence } from '@agentrun/lib/processes';
import type { BackendSession, Sandbox } from './backends/backend.ts';
import { asBackendFailure, BackendFailure } from './backends/backend-failure.ts';
import { openBackend } from './backends/open-backend.ts';
import { Briefing } from './bundle/briefing.ts';
import { materialize } from './bundle/materialize.ts';
import type { RunnerConfig } from './config.ts';
import type { Log } from './log.ts';

const FENCE_MS = 5000;

/** The agent of an attempt with its workspace; both are made when the first turn needs them. */
export class Agent {
  readonly #config: RunnerConfig;
  readonly #bundle: ResourceBundleRef | null;
  readonly #log: Log;
  readonly briefing: Briefing;
  #session: BackendSession | null = null;
  #isMaterialized = false;
  /** The conversation that the next turn goes on with. */
  threadId: string | null;

  constructor(config: RunnerConfig, bundle: ResourceBundleRef | null, threadId: string | null, log: Log) {
    this.#config = config;
    this.#bundle = bundle;
    this.#log = log;
    this.threadId = threadId;
    this.briefing = new Briefing(bundle, config.attempt.state.dir);
  }

  get session(): BackendSession | null {
    return this.#session;
  }

  /**
   * The agent, ready for a turn. What failed for one turn is tried again for the next.
   *
   * @throws BackendFailure; the reason of the signal
   */
  async prepare(emit: (event: EventInput) => void, signal: AbortSignal): Promise<BackendSession> {
    const { attempt, profile, environment, agents } = this.#config;
    if (profile instanceof BackendFailure) throw profile;
    await this.#makeFolders();
    if (!this.#isMaterialized && this.#bundle !== null) await this.#materialize(this.#bundle, emit, signal);
    signal.throwIfAborted();
    this.#session ??= await openBackend({
      profile,
      attemptId: attempt.attemptId,
      home: attempt.home.dir,
      state: attempt.state.dir,
      environment,
      // On one machine nothing else holds the agent; in a cluster its pod does.
      sandbox: attempt.placement === 'kubernetes-job' ? 'full' : ('workspace-write' satisfies Sandbox),
      agents,
    });
    return this.#session;
  }

  /** Ends the agent and all that it started. The next turn would start it again. Never rejects. */
  async close(deadlineMs: number): Promise<void> {
    const session = this.#session;
    this.#session = null;
    if (session !== null) {
      await within(deadlineMs, session.close(deadlineMs)).catch((error: unknown) => {
        this.#log(`the agent could not be closed: ${asBackendFailure(error, 'infra-failed', 'close').message}`);
      });
    }
    await this.#fence();
  }

  /** Kills the agent and all that it started. Never rejects. */
  async kill(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    // First of all nothing must go on; what the backend makes of it comes after.
    await this.#fence();
    await within(FENCE_MS, session?.kill() ?? Promise.resolve()).catch(() => {});
  }

  async #fence(): Promise<void> {
    const { attemptId } = this.#config.attempt;
    const result = await fence(attemptId, { deadlineMs: FENCE_MS, exclude: [process.pid, process.ppid] });
    if (!result.gone)
      this.#log(`something of the attempt may be left: ${result.couldNotLook ?? JSON.stringify(result.survivors)}`);
  }

  async #makeFolders(): Promise<void> {
    const { workspace, home, state } = this.#config.attempt;
    for (const { dir } of [workspace, home, state]) {
      try {
        await mkdir(dir, { recursive: true });
        if (!(await stat(dir)).isDirectory()) throw new Error('it is no folder');
      } catch (error) {
        throw asBackendFailure(error, 'infra-failed', `the folder ${dir} is not there`);
      }
    }
  }

  async #materialize(bundle: ResourceBundleRef, emit: (event: EventInput) => void, signal: AbortSignal): Promise<void> {
    const { attempt, attemptDir, environment } = this.#config;
    const tell = (phase: string, members: Record<string, unknown> = {}): void =>
      emit({ type: 'backend_status', payload: { phase: `resource-bundle-${phase}`, ...members } });
    const begun = performance.now();
    tell('started');
    try {
      const made = await materialize(bundle, {
        workspace: attempt.workspace.dir,
        attemptDir,
        attemptId: attempt.attemptId,
        environment,
        retry: attempt.retry,
        signal,
        onRetry: (message) => tell('retried', { message }),
      });
      this.#isMaterialized = true;
      tell('ready', { ...made, durationMs: Math.round(performance.now() - begun) });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const { failureKind, message } = asBackendFailure(error, 'infra-failed', 'the resource bundle');
      tell('failed', { failureKind, message, durationMs: Math.round(performance.now() - begun) });
      throw error;
    }
  }
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
