import { setTimeout as delay } from 'node:timers/promises';
import type { RunEvent } from '@agentrun/lib/contract';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { dataOf, type ManagerApi, Unanswered, unansweredBecause } from './manager-api.ts';

export interface FollowOptions {
  /** The id of an event: the stream begins after it. */
  readonly after?: string;
  readonly signal?: AbortSignal;
  /** How long a manager may be away before this gives up, in milliseconds. */
  readonly reconnectMs: number;
  /** Told once when the connection is lost, and once when it is there again. */
  readonly onConnection?: (state: 'lost' | 'again', reason: string) => void;
}

/** A gap: the manager deleted older events because of their age. */
export interface Gap {
  readonly type: 'gap';
}

const RETRY_MS = 1000;
/** The manager sends a sign of life every 15 s; after three without one the connection is dead. */
const SILENCE_MS = 45_000;

/**
 * The events of a stream of the manager, each once and in order, until the manager says that it is over. When the
 * connection ends before that, however it ends, it is made again after the last event that came whole.
 *
 * @param path below `/api/v1/`, of a route that answers with server-sent events
 * @throws ClientError when the manager refuses, or stays away for `reconnectMs`
 */
export async function* follow(
  api: ManagerApi,
  path: string,
  options: FollowOptions,
): AsyncGenerator<RunEvent | Gap, void> {
  const state = { lastId: options.after, retryMs: RETRY_MS, seen: new Map<string, number>() };
  let lostAt: number | undefined;
  for (;;) {
    let reason = 'the connection ended';
    try {
      for await (const message of messages(api, path, state, options.signal)) {
        if (lostAt !== undefined) options.onConnection?.('again', '');
        lostAt = undefined;
        if (message === 'open') continue;
        if (message.event === 'end') return;
        if (message.event === 'gap') yield { type: 'gap' };
        else if (message.event === undefined) yield* once(message, state.seen);
      }
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      reason = error.message;
    }
    const now = performance.now();
    if (lostAt === undefined) options.onConnection?.('lost', reason);
    lostAt ??= now;
    if (now - lostAt + state.retryMs > options.reconnectMs) throw api.unreachable(reason);
    await delay(state.retryMs, undefined, options.signal === undefined ? {} : { signal: options.signal });
    await api.refresh();
  }
}

/** The event of a message, unless it came before. */
function* once({ data }: EventSourceMessage, seen: Map<string, number>): Generator<RunEvent> {
  const event = JSON.parse(data) as RunEvent;
  if (event.seq <= (seen.get(event.runId) ?? 0)) return;
  seen.set(event.runId, event.seq);
  yield event;
}

/** The messages of one connection; `open` first. What did not come whole is left out. */
async function* messages(
  api: ManagerApi,
  path: string,
  state: { lastId: string | undefined; retryMs: number },
  signal: AbortSignal | undefined,
): AsyncGenerator<EventSourceMessage | 'open'> {
  const silence = new AbortController();
  const ended = signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal]);
  const watch = () => setTimeout(() => silence.abort(), SILENCE_MS).unref();
  let watchdog = watch();
  try {
    const response = await api.fetch(
      'GET',
      path,
      { signal: ended },
      { accept: 'text/event-stream', ...(state.lastId === undefined ? {} : { 'last-event-id': state.lastId }) },
    );
    if (response.status !== 200 || response.body === null) {
      await refused(response, api.url);
      return;
    }
    yield 'open';
    const waiting: EventSourceMessage[] = [];
    const parser = createParser({
      onEvent: (message) => waiting.push(message),
      onRetry: (ms) => {
        state.retryMs = ms;
      },
    });
    const decoder = new TextDecoder();
    for await (const chunk of response.body) {
      clearTimeout(watchdog);
      watchdog = watch();
      parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }));
      for (const message of waiting.splice(0)) {
        yield message;
        // Only now it was taken; it carries the place to go on from.
        state.lastId = message.id ?? state.lastId;
      }
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (silence.signal.aborted) throw new Unanswered('busy', `nothing was heard for ${SILENCE_MS / 1000} s`);
    throw isConnectionFault(error) ? unansweredBecause(error) : error;
  } finally {
    clearTimeout(watchdog);
  }
}

/** A fault within the manager may pass; what it refuses stays refused. */
async function refused(response: Response, url: string): Promise<void> {
  if (response.status >= 500) throw new Unanswered('busy', `it answered ${response.status}`);
  await dataOf(response, url);
}

/** fetch throws a TypeError when a connection breaks. */
const isConnectionFault = (error: unknown): boolean => error instanceof TypeError || error instanceof DOMException;
