import { setTimeout as delay } from 'node:timers/promises';
import { type FenceResult, fence, processesOfAttempt, processState } from '@agentrun/lib/processes';
import { AttemptFolders, LOG_FILE } from './attempt-folder.ts';
import { isAttemptId } from './attempt-id.ts';
import { ExitWatch } from './exit-watch.ts';
import { type HostHandle, readHostHandle, sameIncarnation } from './handle.ts';
import { readLogTail } from './log-tail.ts';
import type {
  AttemptExit,
  AttemptStart,
  CloseOptions,
  CloseOutcome,
  ExitEvent,
  FenceOutcome,
  Handle,
  Observation,
  PlacedAttempt,
  Placement,
} from './placement.ts';
import { PlacementError } from './placement-error.ts';
import { type RunnerCommand, startRunner } from './start-runner.ts';
import { Turns } from './turns.ts';

export interface HostProcessOptions extends RunnerCommand {
  /** Absolute path of the folder that holds a folder for each attempt; made when it is missing. */
  readonly folder: string;
  /** How long a fence may take, in milliseconds; default 10000. */
  readonly fenceDeadlineMs?: number;
  /** How often adopted runners are looked at, in milliseconds; default 500. */
  readonly pollMs?: number;
}

interface Placed {
  readonly handle: HostHandle;
  /** Of a child of this process; null for one that was adopted. */
  readonly ended: Promise<AttemptExit> | null;
  exit: AttemptExit | null;
}

const GRACE_MS = 5000;
const STEP_MS = 20;

/**
 * Runners as processes of this machine, detached, so that they outlive the manager. It adopts those that a former
 * manager left in the folder, and ends what is left of those whose runner is gone.
 *
 * This separates attempts from each other by nothing but their folders: an agent can do what the manager's user can.
 *
 * @throws PlacementError when the folder cannot be read or made.
 */
export async function openHostProcessPlacement(options: HostProcessOptions): Promise<Placement> {
  const placement = new HostProcessPlacement(options);
  await placement.adopt();
  return placement;
}

class HostProcessPlacement implements Placement {
  readonly kind = 'host-process';
  readonly #options: HostProcessOptions;
  readonly #folders: AttemptFolders;
  readonly #watch: ExitWatch;
  readonly #turns = new Turns();
  readonly #placed = new Map<string, Placed>();
  readonly #callbacks = new Set<(event: ExitEvent) => void>();
  #closed: 'no' | 'leaving' | 'ending' = 'no';
  #graceEnds = Number.POSITIVE_INFINITY;

  constructor(options: HostProcessOptions) {
    this.#options = options;
    this.#folders = new AttemptFolders(options.folder);
    this.#watch = new ExitWatch(options.pollMs ?? 500);
  }

  async adopt(): Promise<void> {
    for (const attemptId of await this.#folders.list()) {
      const record = await this.#folders.readRecord(attemptId);
      if (record === null) continue;
      if (processState(record.handle) === 'gone') this.#sweep(attemptId, record.handle);
      else this.#keep({ handle: record.handle, ended: null, exit: null });
    }
  }

  start(start: AttemptStart): Promise<Handle> {
    const { attemptId } = start.attempt;
    return this.#inTurn(attemptId, async () => {
      if (this.#closed !== 'no')
        throw new PlacementError('placement-closed', 'the manager is stopping: it starts no runner');
      const former = this.#placed.get(attemptId)?.handle ?? (await this.#folders.readRecord(attemptId))?.handle ?? null;
      this.#placed.delete(attemptId);
      const fenced = toOutcome(await this.#end(attemptId, former));
      if (!fenced.gone) {
        const what = fenced.couldNotLook ?? `${fenced.survivors.join(', ')} could not be ended`;
        throw new PlacementError(
          'former-start-alive',
          `attempt ${attemptId} was started before, and may still run: ${what}`,
        );
      }
      const { handle, exited } = await startRunner(start, this.#folders, this.#options);
      if (this.#hasToEnd()) {
        await this.#end(attemptId, handle);
        throw closedError();
      }
      this.#keep({ handle, ended: exited, exit: null });
      return handle;
    });
  }

  async observe(handle: Handle): Promise<Observation> {
    const host = readHostHandle(handle);
    const placed = this.#incarnation(host);
    const state = processState(host);
    if (state === 'alive') return { state: 'running' };
    if (state === 'unknown' && placed?.exit == null) {
      return { state: 'unknown', reason: `process ${host.pid} cannot be looked at` };
    }
    const exit = placed?.exit ?? (await placed?.ended) ?? null;
    return { state: 'gone', exit, logTail: await this.#logTail(host.attemptId) };
  }

  fence(attemptId: string, handle: Handle | null): Promise<FenceOutcome> {
    return this.#inTurn(attemptId, async () => {
      const known = handle === null ? (this.#placed.get(attemptId)?.handle ?? null) : readHostHandle(handle);
      const leader = known ?? (await this.#folders.readRecord(attemptId))?.handle ?? null;
      const outcome = toOutcome(await this.#end(attemptId, leader));
      this.#watch.look();
      return outcome;
    });
  }

  async list(): Promise<readonly PlacedAttempt[]> {
    const attempts: PlacedAttempt[] = [];
    for (const attemptId of await this.#folders.list()) {
      const record = await this.#folders.readRecord(attemptId);
      if (record === null) {
        attempts.push({ attemptId, name: null, labels: {}, handle: null, state: 'unknown', startedAt: null });
        continue;
      }
      const { handle, name, labels, startedAt } = record;
      const seen = processState(handle);
      attempts.push({ attemptId, name, labels, handle, state: seen === 'alive' ? 'running' : seen, startedAt });
    }
    return attempts;
  }

  remove(attemptId: string): Promise<void> {
    return this.#inTurn(attemptId, async () => {
      const { processes, couldNotLook } = await processesOfAttempt(attemptId);
      const record = await this.#folders.readRecord(attemptId);
      const isGone = record === null || processState(record.handle) === 'gone';
      if (processes.length > 0 || couldNotLook !== null || !isGone) {
        const left = processes.map(({ pid, command }) => `process ${pid} (${command})`).join(', ') || 'its runner';
        throw new PlacementError(
          'still-running',
          `attempt ${attemptId} is not removed, as it may still run: ${couldNotLook ?? left}`,
        );
      }
      await this.#folders.remove(attemptId);
      this.#placed.delete(attemptId);
    });
  }

  onExit(callback: (event: ExitEvent) => void): () => void {
    // Wrapped, so that the same function registered twice is called twice and unregistered once.
    const entry = (event: ExitEvent): void => callback(event);
    this.#callbacks.add(entry);
    return () => this.#callbacks.delete(entry);
  }

  async close({ leaveRunning, graceMs = GRACE_MS }: CloseOptions): Promise<CloseOutcome> {
    if (leaveRunning) {
      if (this.#closed === 'no') this.#closed = 'leaving';
      await this.#turns.idle();
      this.#watch.stop();
      return [];
    }
    this.#closed = 'ending';
    this.#graceEnds = Math.min(this.#graceEnds, performance.now() + graceMs);
    const running = (): HostHandle[] =>
      [...this.#placed.values()].map(({ handle }) => handle).filter((handle) => processState(handle) !== 'gone');
    for (const handle of running()) interrupt(handle);
    while (running().length > 0 && performance.now() < this.#graceEnds) await delay(STEP_MS);

    const attempts = new Set([...this.#placed.keys(), ...(await this.#folders.list())]);
    const outcomes = await Promise.all(
      [...attempts].map(async (attemptId) => ({ attemptId, outcome: await this.fence(attemptId, null) })),
    );
    await this.#turns.idle();
    this.#watch.stop();
    return outcomes.filter(({ outcome }) => !outcome.gone);
  }

  async #inTurn<T>(attemptId: string, step: () => Promise<T>): Promise<T> {
    if (!isAttemptId(attemptId)) {
      throw new PlacementError('attempt-invalid', `${JSON.stringify(attemptId)} is not the id of an attempt`);
    }
    return this.#turns.run(attemptId, step);
  }

  #hasToEnd(): boolean {
    return this.#closed === 'ending';
  }

  #end(attemptId: string, leader: HostHandle | null): Promise<FenceResult> {
    return fence(attemptId, { deadlineMs: this.#options.fenceDeadlineMs ?? 10_000, leader });
  }

  #incarnation(handle: HostHandle): Placed | undefined {
    const placed = this.#placed.get(handle.attemptId);
    return placed !== undefined && sameIncarnation(placed.handle, handle) ? placed : undefined;
  }

  #logTail(attemptId: string): Promise<string> {
    return readLogTail(this.#folders.path(attemptId, LOG_FILE));
  }

  #keep(placed: Placed): void {
    this.#placed.set(placed.handle.attemptId, placed);
    if (placed.ended === null) this.#watch.watch(placed.handle, () => void this.#tell(placed, null));
    else void placed.ended.then((exit) => this.#tell(placed, exit));
  }

  async #tell(placed: Placed, exit: AttemptExit | null): Promise<void> {
    placed.exit = exit;
    const { handle } = placed;
    const logTail = await this.#logTail(handle.attemptId);
    // One that was replaced by another start is nobody's news.
    if (this.#incarnation(handle) !== placed || this.#closed === 'leaving') return;
    for (const callback of this.#callbacks) {
      try {
        callback({ attemptId: handle.attemptId, handle, exit, logTail });
      } catch {
        // Whoever threw answers for it; the others still hear the news.
      }
    }
    this.#sweep(handle.attemptId, handle);
  }

  /** Ends what a runner that is gone has left behind. What resists is found again by the next fence. */
  #sweep(attemptId: string, handle: HostHandle): void {
    void this.#turns.run(attemptId, async () => {
      const current = this.#placed.get(attemptId)?.handle;
      if (this.#closed === 'leaving' || (current !== undefined && !sameIncarnation(current, handle))) return;
      await this.#end(attemptId, handle);
    });
  }
}

function closedError(): PlacementError {
  return new PlacementError('placement-closed', 'the manager is stopping: it starts no runner');
}

function toOutcome(result: FenceResult): FenceOutcome {
  if (result.gone) return { gone: true, ended: result.killed };
  const survivors = result.survivors.map(({ pid, command }) => `process ${pid} (${command})`);
  return { gone: false, survivors, couldNotLook: result.couldNotLook };
}

/** The runner leads a group of its own; the number is its own while it lives. */
function interrupt(handle: HostHandle): void {
  try {
    if (processState(handle) === 'alive') process.kill(-handle.pid, 'SIGINT');
  } catch {
    // It ended by itself.
  }
}
