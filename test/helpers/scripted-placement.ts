import type {
  AttemptStart,
  ExitEvent,
  FenceOutcome,
  Handle,
  Observation,
  Placement,
} from '../../manager/src/placement/placement.ts';

/** A placement whose attempts are run by the test: it notes what is asked of it, and answers as it is told. */
export interface ScriptedPlacement extends Placement {
  /** Attempts in the order of their starts. */
  readonly started: AttemptStart[];
  readonly fenced: string[];
  /** Resolves with the start of an attempt that nobody has taken yet. */
  nextStart(): Promise<AttemptStart>;
  /** Tells the manager that a runner ended. */
  exit(attemptId: string, exit?: Partial<ExitEvent>): void;
  /** What the next starts do; default: they work. */
  onStart: (attempt: AttemptStart) => Promise<void>;
  /** What a fence answers; default: gone. */
  onFence: (attemptId: string) => Promise<FenceOutcome>;
  observation: (attemptId: string) => Observation;
}

export function scriptedPlacement(): ScriptedPlacement {
  const callbacks = new Set<(event: ExitEvent) => void>();
  const waiting: ((start: AttemptStart) => void)[] = [];
  const untaken: AttemptStart[] = [];
  const handleOf = (attemptId: string): Handle => ({ kind: 'host-process', attemptId });
  const placement: ScriptedPlacement = {
    kind: 'host-process',
    started: [],
    fenced: [],
    onStart: async () => undefined,
    onFence: async () => ({ gone: true, ended: 0 }),
    observation: () => ({ state: 'running' }),
    start: async (attempt) => {
      await placement.onStart(attempt);
      placement.started.push(attempt);
      const taker = waiting.shift();
      if (taker === undefined) untaken.push(attempt);
      else taker(attempt);
      return handleOf(attempt.attempt.attemptId);
    },
    observe: async (handle) => placement.observation(String(handle['attemptId'])),
    fence: async (attemptId) => {
      placement.fenced.push(attemptId);
      return await placement.onFence(attemptId);
    },
    list: async () => [],
    remove: async () => undefined,
    onExit: (callback) => {
      callbacks.add(callback);
      return () => callbacks.delete(callback);
    },
    close: async () => [],
    nextStart: async () => {
      const known = untaken.shift();
      return known ?? (await new Promise<AttemptStart>((resolve) => waiting.push(resolve)));
    },
    exit: (attemptId, event) => {
      for (const callback of callbacks) {
        callback({
          attemptId,
          handle: handleOf(attemptId),
          exit: { code: 1, signal: null, reason: null },
          logTail: '',
          ...event,
        });
      }
    },
  };
  return placement;
}
