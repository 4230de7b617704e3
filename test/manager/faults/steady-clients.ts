import { setTimeout as sleep } from 'node:timers/promises';
import type { EventInput } from '@agentrun/lib/contract';
import {
  type Answer,
  type ManagerClient,
  RUN_INPUT,
  type ScriptedRunner,
  scriptedRunner,
} from '../../helpers/manager-client.ts';

/** What was answered to clients that go on through trouble, each of them with one run after the other. */
export interface Work {
  /** Runs whose end was answered, with the events that were. */
  readonly done: { readonly runId: string; readonly turnId: string; readonly texts: readonly string[] }[];
  /** Every answer that was not a success, by status and kind. */
  readonly refused: Map<string, number>;
  /** Answers of 503 that did not say when to come again. */
  readonly rude: string[];
  /** When the last success came, by `performance.now()`. */
  lastSuccess: number;
  /** Ends when every client has come to the end of its run. */
  readonly ended: Promise<void>;
  stop(): void;
}

const RETRY_MS = 100;
let keys = 0;

/** So many clients, each of which plays operator and runner of one run after the other, and asks again when it must. */
export function steadyClients(client: ManagerClient, count: number): Work {
  const stopping = new AbortController();
  const work: { -readonly [Name in keyof Work]: Work[Name] } = {
    done: [],
    refused: new Map(),
    rude: [],
    lastSuccess: performance.now(),
    ended: Promise.resolve(),
    stop: () => stopping.abort(),
  };
  const insist = async <T>(ask: () => Promise<Answer<T>>): Promise<T> => {
    for (;;) {
      const answer = await ask();
      if (answer.ok) {
        work.lastSuccess = performance.now();
        return answer.data;
      }
      const outcome = `${answer.status} ${answer.failureKind}`;
      work.refused.set(outcome, (work.refused.get(outcome) ?? 0) + 1);
      if (answer.status !== 503) throw new Error(`${outcome}: ${answer.message}`);
      if (!/^\d+$/.test(answer.headers.get('retry-after') ?? '')) work.rude.push(answer.message ?? '');
      await sleep(RETRY_MS);
    }
  };
  const one = async (name: string): Promise<void> => {
    keys += 1;
    const key = { 'idempotency-key': `steady-${keys}` };
    const { id: runId } = await insist(() => client.request<{ id: string }>('POST', 'runs', RUN_INPUT, key));
    const turn = { type: 'turn', payload: { prompt: 'work' } };
    const { id: turnId } = await insist(() =>
      client.request<{ id: string }>('POST', `runs/${runId}/commands`, turn, key),
    );
    const registered = await insist(() =>
      client.request<{ id: string; attemptId: string; token: string }>('POST', 'runners/register', { runId }),
    );
    const runner: ScriptedRunner = scriptedRunner(client, { ...registered, runId, runnerId: registered.id });
    await insist(() => runner.claim());
    await insist(() => runner.ack(turnId));
    const texts: string[] = [];
    for (let seq = 1; seq <= 8; seq += 1) {
      const text = `${name} ${seq}`;
      const event: EventInput = { type: 'assistant_message', payload: { commandId: turnId, text } };
      await insist(() => runner.append([event], seq));
      texts.push(text);
      if (seq % 4 === 0) await insist(() => runner.beat());
    }
    await insist(() => runner.report(turnId));
    await insist(() => runner.release());
    work.done.push({ runId, turnId, texts });
  };
  work.ended = Promise.all(
    Array.from({ length: count }, async (_, index) => {
      while (!stopping.signal.aborted) await one(`client-${index}`);
    }),
  ).then(() => undefined);
  // Whoever waits for the end is told; nobody may wait yet.
  work.ended.catch(() => undefined);
  return work;
}
