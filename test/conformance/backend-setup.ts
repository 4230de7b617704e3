import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  EVENT_LIMITS,
  EVENT_TYPES,
  type EventInput,
  EXECUTION_POLICY_DEFAULTS,
  type ExecutionPolicy,
  type ProfileConfig,
} from '@agentrun/lib/contract';
import { fence, processesOfAttempt } from '@agentrun/lib/processes';
import { expect } from 'vitest';
import type { BackendContext, BackendSession, TurnInput, TurnResult } from '../../runner/src/backends/backend.ts';
import { openBackend } from '../../runner/src/backends/open-backend.ts';
import { type Profile, SHIPPED_AGENTS } from '../../runner/src/profile.ts';

/** One event with a payload that is there. */
export interface SeenEvent {
  readonly type: EventInput['type'];
  readonly payload: Record<string, unknown>;
}

/** A turn that runs: what it has said so far, and its result to come. */
export interface RunningTurn {
  readonly events: readonly SeenEvent[];
  readonly result: Promise<TurnResult>;
  /** Settles with the first event for which the test holds; fails when the turn ends without one. */
  until(test: (event: SeenEvent) => boolean): Promise<SeenEvent>;
}

export interface TurnOptions {
  readonly commandId?: string;
  readonly threadId?: string | null;
  readonly policy?: Partial<ExecutionPolicy>;
  readonly signal?: AbortSignal;
}

let attempts = 0;

/** Folders of one session in a place of their own, and the means to open it again and again, as runners do. */
export class BackendSetup {
  readonly attemptId: string;
  readonly workspace: string;
  readonly context: BackendContext;
  readonly #root: string;
  readonly #sessions: BackendSession[] = [];

  constructor(profile: Profile | ProfileConfig, context: Partial<BackendContext> = {}) {
    attempts += 1;
    this.attemptId = `att_test${process.pid}x${attempts}`;
    this.#root = mkdtempSync(join(tmpdir(), 'agentrun-backend-'));
    const [workspace, home, state] = ['workspace', 'home', 'state'].map((name) => join(this.#root, name));
    for (const folder of [workspace, home, state]) mkdirSync(folder ?? '');
    this.workspace = workspace ?? '';
    this.context = {
      profile: 'backend' in profile ? { name: 'test', config: profile, credential: { kind: 'none' } } : profile,
      attemptId: this.attemptId,
      home: home ?? '',
      state: state ?? '',
      environment: { PATH: process.env['PATH'], SECRET_OF_THE_RUNNER: 'must-not-pass' },
      sandbox: 'full',
      agents: SHIPPED_AGENTS,
      ...context,
    };
  }

  async open(open: (context: BackendContext) => Promise<BackendSession> = openBackend): Promise<BackendSession> {
    const session = await open(this.context);
    this.#sessions.push(session);
    return session;
  }

  /** Begins a turn. */
  turn(session: BackendSession, prompt: string, options: TurnOptions = {}): RunningTurn {
    const events: SeenEvent[] = [];
    const faults: string[] = [];
    const watchers = new Set<() => void>();
    const input: TurnInput = {
      command: { id: options.commandId ?? 'cmd_1' },
      prompt,
      workspace: this.workspace,
      policy: { ...EXECUTION_POLICY_DEFAULTS, ...options.policy },
      threadId: options.threadId ?? null,
      emit: (event) => {
        const fault = faultOf(event);
        if (fault !== null) faults.push(fault);
        events.push({ type: event.type, payload: event.payload ?? {} });
        for (const watch of watchers) watch();
      },
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    };
    const result = session.runTurn(input).then((ended) => {
      expect(faults).toEqual([]);
      return ended;
    });
    const until: RunningTurn['until'] = (test) =>
      new Promise((resolve, reject) => {
        const watch = (): void => {
          const found = events.find(test);
          if (found === undefined) return;
          watchers.delete(watch);
          resolve(found);
        };
        watchers.add(watch);
        watch();
        void result.then((ended) => reject(new Error(`the turn ended before: ${JSON.stringify([ended, events])}`)));
      });
    return { events, result, until };
  }

  /** Runs a turn to its end. */
  async run(
    session: BackendSession,
    prompt: string,
    options?: TurnOptions,
  ): Promise<TurnResult & Pick<RunningTurn, 'events'>> {
    const turn = this.turn(session, prompt, options);
    return { ...(await turn.result), events: turn.events };
  }

  /** Programs of the attempt that live. */
  async living(): Promise<readonly { readonly pid: number; readonly command: string }[]> {
    for (let looks = 0; looks < 20; looks += 1) {
      const { processes, couldNotLook } = await processesOfAttempt(this.attemptId);
      // On a busy machine processes may come and go faster than they can be listed.
      if (couldNotLook === null) return processes;
    }
    throw new Error('the processes of the attempt cannot be seen');
  }

  async remove(): Promise<void> {
    await Promise.all(this.#sessions.map((session) => session.close(2000)));
    await fence(this.attemptId, { deadlineMs: 5000 });
    rmSync(this.#root, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Waits for a state that must come. */
export async function eventually(test: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const until = performance.now() + 20_000; !(await test()); await delay(20)) {
    if (performance.now() > until) throw new Error(`never: ${what}`);
  }
}

/** What is wrong with an event: every store must be able to take it, whatever an agent said. */
function faultOf(event: EventInput): string | null {
  if (!EVENT_TYPES.includes(event.type)) return `${event.type} is no type of an event`;
  if (Buffer.byteLength(JSON.stringify(event)) > EVENT_LIMITS.eventBytes) return `${event.type} is too large`;
  const texts: string[] = [];
  JSON.stringify(event, (key, value: unknown) => {
    texts.push(key, typeof value === 'string' ? value : '');
    return value;
  });
  const unclean = texts.find((text) => /\0|\p{Surrogate}/u.test(text));
  return unclean === undefined ? null : `${event.type} holds ${JSON.stringify(unclean.slice(0, 200))}`;
}

export const typesOf = (events: readonly SeenEvent[]): string[] =>
  events.map(({ type, payload }) => (type === 'backend_status' ? String(payload['phase']) : type));

export const ofType = (events: readonly SeenEvent[], type: SeenEvent['type']): Record<string, unknown>[] =>
  events.filter((event) => event.type === type).map(({ payload }) => payload);
