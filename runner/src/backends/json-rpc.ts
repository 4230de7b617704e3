import { setTimeout as delay } from 'node:timers/promises';

export type JsonObject = Readonly<Record<string, unknown>>;

/** An error that the other side answered. */
export class RpcError extends Error {
  readonly code: number;
  readonly data: unknown;

  constructor(method: string, code: number, message: string, data: unknown) {
    super(`${method}: ${message} (${code})`);
    this.name = 'RpcError';
    this.code = code;
    this.data = data;
  }
}

/** A call that was not answered in time, or whose other side is gone: what it did nobody knows. */
export class RpcSilence extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'RpcSilence';
  }
}

interface Handlers {
  /** Writes one message, without a newline. */
  readonly send: (line: string) => void;
  readonly onNotification: (method: string, params: JsonObject) => void;
  /** Answers a request of the other side; a rejection becomes an error answer. */
  readonly onRequest: (method: string, params: JsonObject, id: number | string) => Promise<unknown>;
  /** A message that is none: not JSON, not an object, or without a meaning. */
  readonly onGarbage: (text: string) => void;
}

interface Pending {
  readonly method: string;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** "Server overloaded; retry later." */
const OVERLOADED = -32001;
const METHOD_MISSING = -32601;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2000;

/** JSON-RPC over lines. Every call has a deadline. */
export class JsonRpc {
  readonly #handlers: Handlers;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #closed: string | null = null;

  constructor(handlers: Handlers) {
    this.#handlers = handlers;
  }

  /**
   * Calls a method. While the other side says that it is overloaded the call is repeated, with growing pauses.
   *
   * @throws RpcError for an error answer, RpcSilence for none within `timeoutMs`
   */
  async call(method: string, params: JsonObject, timeoutMs: number): Promise<JsonObject> {
    const until = performance.now() + timeoutMs;
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      try {
        const result = await this.#once(method, params, until - performance.now());
        return isObject(result) ? result : {};
      } catch (error) {
        const wait = pause * (0.5 + Math.random() / 2);
        const again = error instanceof RpcError && error.code === OVERLOADED && performance.now() + wait < until;
        if (!again) throw error;
        await delay(wait);
      }
    }
  }

  notify(method: string, params?: JsonObject): void {
    this.#send(params === undefined ? { method } : { method, params });
  }

  /** Takes one message of the other side. Never throws. */
  receive(text: string): void {
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      return this.#handlers.onGarbage(text);
    }
    if (!isObject(message)) return this.#handlers.onGarbage(text);
    const { id, method } = message;
    const params = isObject(message['params']) ? message['params'] : {};
    if (typeof method === 'string') {
      if (typeof id === 'number' || typeof id === 'string') void this.#answer(id, method, params);
      else this.#handlers.onNotification(method, params);
    } else if (typeof id === 'number') this.#settle(id, message);
    else this.#handlers.onGarbage(text);
  }

  /** The other side is gone: whoever waits is told so. */
  close(reason: string): void {
    this.#closed ??= reason;
    for (const [id, { reject, timer }] of this.#pending) {
      clearTimeout(timer);
      this.#pending.delete(id);
      reject(new RpcSilence(reason));
    }
  }

  #once(method: string, params: JsonObject, timeoutMs: number): Promise<unknown> {
    if (this.#closed !== null) return Promise.reject(new RpcSilence(this.#closed));
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => {
          this.#pending.delete(id);
          reject(new RpcSilence(`${method} was not answered within ${Math.round(timeoutMs)} ms`));
        },
        Math.max(timeoutMs, 0),
      );
      this.#pending.set(id, { method, resolve, reject, timer });
      this.#send({ id, method, params });
    });
  }

  #settle(id: number, message: JsonObject): void {
    const pending = this.#pending.get(id);
    // An answer that came too late, or that nobody asked for.
    if (pending === undefined) return;
    this.#pending.delete(id);
    clearTimeout(pending.timer);
    const { error } = message;
    if (!isObject(error)) return pending.resolve(message['result']);
    const code = typeof error['code'] === 'number' ? error['code'] : 0;
    pending.reject(new RpcError(pending.method, code, text(error['message']) ?? 'unknown error', error['data']));
  }

  async #answer(id: number | string, method: string, params: JsonObject): Promise<void> {
    try {
      this.#send({ id, result: await this.#handlers.onRequest(method, params, id) });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#send({ id, error: { code: METHOD_MISSING, message } });
    }
  }

  #send(message: JsonObject): void {
    if (this.#closed === null) this.#handlers.send(JSON.stringify(message));
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A member that is a text; undefined for anything else. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** A member that is a number; undefined for anything else. */
export function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
