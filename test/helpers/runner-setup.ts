import { setTimeout as delay } from 'node:timers/promises';
import type { RunEvent } from '@agentrun/lib/contract';
import type { CommandRecord } from '../../manager/src/store/commands.ts';
import { type FaultProxy, faultProxy } from './fault-proxy.ts';
import { type TestManager, type TestManagerOptions, testManager } from './manager.ts';
import { externalAttempt, RunnerProcess, type RunnerSetup } from './runner-process.ts';

/** A real manager, a network with faults before it, and runners that are processes. */
export interface RunnerWorld {
  readonly manager: TestManager;
  readonly proxy: FaultProxy;
  /** A run whose agent is the scripted program. */
  createRun(input?: object): Promise<string>;
  /** Starts a runner for a run that nobody places. */
  start(runId: string, setup?: Partial<RunnerSetup>): Promise<RunnerProcess>;
  /** The command as it is when it has ended. */
  ended(runId: string, commandId: string): Promise<CommandRecord>;
  /** Waits for an event of the run. */
  event(runId: string, good: (event: RunEvent) => boolean): Promise<RunEvent>;
  /** Ends the runners of a test, and the faults. */
  clean(): Promise<void>;
  stop(): Promise<void>;
}

export async function runnerWorld(options: TestManagerOptions = {}): Promise<RunnerWorld> {
  const manager = await testManager(options);
  const proxy = await faultProxy(manager.url);
  const runners: RunnerProcess[] = [];
  const world: RunnerWorld = {
    manager,
    proxy,
    createRun: async (input = {}) => (await manager.createRun({ backendProfile: 'command', ...input })).id,
    start: async (runId, setup = {}) => {
      const runner = new RunnerProcess({ managerUrl: proxy.url, ...(await externalAttempt(manager, runId)), ...setup });
      runners.push(runner);
      return runner;
    },
    ended: async (runId, commandId) =>
      await eventually(
        () => manager.command(runId, commandId),
        ({ terminalStatus }) => terminalStatus !== null,
        `the end of ${commandId}`,
      ),
    event: async (runId, good) => {
      const events = await eventually(
        () => manager.events(runId),
        (seen) => seen.some(good),
        'an event',
      );
      return events.find(good) as RunEvent;
    },
    clean: async () => {
      proxy.fate = () => 'pass';
      for (const runner of runners.splice(0)) await runner.remove();
    },
    stop: async () => {
      await world.clean();
      await proxy.close();
      await manager.stop();
    },
  };
  return world;
}

/** Looks until it is good, or fails with what was seen last. */
export async function eventually<T>(look: () => Promise<T> | T, good: (value: T) => boolean, what: string): Promise<T> {
  for (const until = performance.now() + 30_000; ; await delay(25)) {
    const value = await look();
    if (good(value)) return value;
    if (performance.now() > until)
      throw new Error(`waited in vain for ${what}; saw ${JSON.stringify(value)?.slice(0, 4000)}`);
  }
}

/** Types, or phases of status events, in order. */
export const storyOf = (events: readonly RunEvent[]): string[] =>
  events.map(({ type, payload }) => (type === 'backend_status' ? String(payload?.['phase']) : type));

/** The events of a type. */
export const payloadsOf = (events: readonly RunEvent[], type: RunEvent['type']): Record<string, unknown>[] =>
  events.filter((event) => event.type === type).map(({ payload }) => payload ?? {});
