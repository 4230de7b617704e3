import type { Appended, EventInput, RunEvent } from '@agentrun/lib/contract';
import type { LeasedRun } from '../../manager/src/services/leased-run.ts';
import type { NextCommands } from '../../manager/src/services/work.ts';
import type { CommandRecord } from '../../manager/src/store/commands.ts';
import type { RunRecord } from '../../manager/src/store/runs.ts';

/** An answer of the manager, with what went wrong when it failed. */
export interface Answer<T> {
  readonly status: number;
  readonly ok: boolean;
  readonly data: T;
  readonly traceId: string;
  readonly failureKind?: string;
  readonly message?: string;
  readonly error?: { readonly details: Readonly<Record<string, unknown>> };
  readonly headers: Headers;
}

/** A request that was refused: what the manager said. */
class Refused extends Error {
  readonly answer: Answer<unknown>;

  constructor(method: string, path: string, answer: Answer<unknown>) {
    super(`${method} ${path}: ${answer.status} ${answer.failureKind} ${answer.message}`);
    this.answer = answer;
  }
}

type Headers_ = Readonly<Record<string, string>>;

/** Talks to a manager over HTTP as the operator, or as whoever the credential says. */
export interface ManagerClient {
  readonly url: string;
  readonly key: string;
  request<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Headers_,
  ): Promise<Answer<T>>;
  /** The data of a request that must succeed. */
  ask<T = Record<string, unknown>>(method: string, path: string, body?: unknown, headers?: Headers_): Promise<T>;
  createRun(input?: object): Promise<RunRecord>;
  run(id: string): Promise<RunRecord>;
  turn(runId: string, prompt?: string, more?: object): Promise<CommandRecord>;
  steer(runId: string, prompt?: string, more?: object): Promise<CommandRecord>;
  command(runId: string, id: string): Promise<CommandRecord>;
  events(runId: string): Promise<RunEvent[]>;
  /** The phases of the status events of a run, in order. */
  phases(runId: string): Promise<string[]>;
}

export const RUN_INPUT = {
  tenantId: 'tenant',
  projectId: 'project',
  providerId: 'test',
  backendProfile: 'codex',
  workspaceRef: { kind: 'ephemeral' },
} as const;

export function managerClient(url: string, key: string): ManagerClient {
  const request = async <T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Headers_ = {},
  ): Promise<Answer<T>> => {
    const response = await fetch(`${url}${path.startsWith('/') ? path : `/api/v1/${path}`}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as Omit<Answer<T>, 'status' | 'headers'>;
    return { ...answer, status: response.status, headers: response.headers };
  };
  const ask = async <T>(method: string, path: string, body?: unknown, headers?: Headers_): Promise<T> => {
    const answer = await request<T>(method, path, body, headers);
    if (!answer.ok) throw new Refused(method, path, answer);
    return answer.data;
  };
  const events = async (runId: string): Promise<RunEvent[]> => {
    const all: RunEvent[] = [];
    for (;;) {
      const path = `runs/${runId}/events?limit=500&afterSeq=${all.at(-1)?.seq ?? 0}`;
      const { items } = await ask<{ items: RunEvent[] }>('GET', path);
      all.push(...items);
      if (items.length < 500) return all;
    }
  };
  return {
    url,
    key,
    request,
    ask,
    createRun: (input = {}) => ask('POST', 'runs', { ...RUN_INPUT, ...input }),
    run: (id) => ask('GET', `runs/${id}`),
    turn: (runId, prompt = 'do it', more = {}) =>
      ask('POST', `runs/${runId}/commands`, { type: 'turn', payload: { prompt }, ...more }),
    steer: (runId, prompt = 'rather so', more = {}) =>
      ask('POST', `runs/${runId}/commands`, { type: 'steer', payload: { prompt }, ...more }),
    command: (runId, id) => ask('GET', `runs/${runId}/commands/${id}`),
    events,
    phases: async (runId) =>
      (await events(runId)).map(({ payload }) => payload['phase']).filter((phase) => typeof phase === 'string'),
  };
}

/** A runner that does what the test says, over the same HTTP interface as a real one. */
export interface ScriptedRunner {
  readonly runId: string;
  readonly attemptId: string;
  readonly runnerId: string;
  readonly token: string;
  epoch: number;
  /** Sends a request of the runner; the epoch goes with it. */
  send<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Headers_,
  ): Promise<Answer<T>>;
  claim(runnerId?: string): Promise<Answer<LeasedRun>>;
  beat(): Promise<Answer<LeasedRun>>;
  next(afterSeq?: number, waitMs?: number): Promise<Answer<NextCommands>>;
  ack(commandId: string): Promise<Answer<CommandRecord>>;
  report(commandId: string, status?: string, more?: object): Promise<Answer<CommandRecord>>;
  append(events: readonly EventInput[], producerSeq?: number): Promise<Answer<Appended>>;
  finish(status?: string, more?: object): Promise<Answer<RunRecord>>;
  release(reason?: 'idle' | 'drain'): Promise<Answer<RunRecord>>;
}

export function scriptedRunner(
  client: ManagerClient,
  identity: { readonly runId: string; readonly attemptId: string; readonly runnerId: string; readonly token: string },
): ScriptedRunner {
  const { runId, runnerId, token } = identity;
  const send = <T>(method: string, path: string, body?: unknown, headers: Headers_ = {}) =>
    client.request<T>(method, path, body, {
      authorization: `Bearer ${token}`,
      'runner-epoch': String(runner.epoch),
      ...headers,
    });
  const runner: ScriptedRunner = {
    ...identity,
    epoch: 0,
    send,
    claim: async (as = runnerId) => {
      const answer = await send<LeasedRun>('POST', `runs/${runId}/claim`, { runnerId: as });
      if (answer.ok) runner.epoch = answer.data.leaseEpoch;
      return answer;
    },
    beat: () => send('PATCH', `runs/${runId}/lease`, { runnerId }),
    next: (afterSeq = 0, waitMs = 0) =>
      send('GET', `runs/${runId}/commands/next?afterSeq=${afterSeq}&waitMs=${waitMs}`),
    ack: (commandId) => send('POST', `commands/${commandId}/ack`),
    report: (commandId, terminalStatus = 'completed', more = {}) =>
      send('PATCH', `commands/${commandId}/status`, { terminalStatus, ...more }),
    append: (events, producerSeq) =>
      send(
        'POST',
        `runs/${runId}/events`,
        { events },
        producerSeq === undefined ? {} : { 'producer-seq': String(producerSeq) },
      ),
    finish: (terminalStatus = 'completed', more = {}) =>
      send('PATCH', `runs/${runId}/status`, { terminalStatus, ...more }),
    release: (reason = 'idle') => send('POST', `runs/${runId}/release`, { reason }),
  };
  return runner;
}

/** A runner that registered with the API key, for a run that no placement serves. */
export async function externalRunner(client: ManagerClient, runId: string): Promise<ScriptedRunner> {
  const { id, attemptId, token } = await client.ask<{ id: string; attemptId: string; token: string }>(
    'POST',
    'runners/register',
    { runId },
  );
  return scriptedRunner(client, { runId, attemptId, runnerId: id, token });
}

/** The runner of an attempt that a placement started. */
export function placedRunner(
  client: ManagerClient,
  start: {
    readonly attempt: { readonly runId: string; readonly attemptId: string; readonly runnerId: string };
    readonly token: string;
  },
): ScriptedRunner {
  const { runId, attemptId, runnerId } = start.attempt;
  return scriptedRunner(client, { runId, attemptId, runnerId, token: start.token });
}
