import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';

type Socket = FastifyRequest['socket'];

export interface DrainOptions {
  /** How long requests are still served while readiness already says no, in milliseconds; default 0. */
  readonly graceMs?: number;
  /** When connections that are still open are cut, in milliseconds from the begin; default 15 s. */
  readonly deadlineMs?: number;
}

export interface DrainReport {
  readonly ms: number;
  /** Whether connections had to be cut at the deadline. */
  readonly forced: boolean;
}

const DEADLINE_MS = 15_000;
const IDLE_CHECK_MS = 50;

/** How the server stops: not ready, waiting requests and streams end, requests that run are answered, then it closes. */
export class Drain {
  readonly #waiting = new AbortController();
  #state: 'serving' | 'draining' | 'closing' | 'closed' = 'serving';
  #end: Promise<DrainReport> | undefined;
  readonly #app: FastifyInstance;
  /** Connections on which nothing was asked yet: the server does not count them as idle. */
  readonly #fresh = new Set<Socket>();

  constructor(app: FastifyInstance) {
    this.#app = app;
    setMaxListeners(0, this.#waiting.signal);
    app.server.on('connection', (socket: Socket) => {
      this.#fresh.add(socket);
      socket.once('close', () => this.#fresh.delete(socket));
    });
    app.server.on('request', ({ socket }: { socket: Socket }) => this.#fresh.delete(socket));
  }

  get state(): 'serving' | 'draining' | 'closing' | 'closed' {
    return this.#state;
  }

  /** What readiness answers: false from the begin of the stop. */
  get ready(): boolean {
    return this.#state === 'serving';
  }

  /** Aborted when the stop begins: long-polls answer with what they have. */
  get signal(): AbortSignal {
    return this.#waiting.signal;
  }

  /** Stops the server, once; every call gives the same promise, which does not reject. */
  begin(options: DrainOptions = {}): Promise<DrainReport> {
    this.#end ??= this.#stop(options);
    return this.#end;
  }

  async #stop({ graceMs = 0, deadlineMs = DEADLINE_MS }: DrainOptions): Promise<DrainReport> {
    const app = this.#app;
    const begun = performance.now();
    this.#state = 'draining';
    this.#waiting.abort();
    app.streams.closeAll('drain');
    if (graceMs > 0) await delay(Math.min(graceMs, deadlineMs));
    this.#state = 'closing';
    let forced = false;
    // A connection whose last answer went out after the close would stay open for its keep-alive time.
    const closeIdle = () => {
      app.server.closeIdleConnections();
      for (const socket of this.#fresh) socket.destroy();
    };
    closeIdle();
    const idle = setInterval(closeIdle, IDLE_CHECK_MS);
    const deadline = setTimeout(
      () => {
        forced = true;
        app.server.closeAllConnections();
      },
      Math.max(0, deadlineMs - (performance.now() - begun)),
    );
    try {
      await app.close();
    } catch (error) {
      app.log.error({ err: error }, 'the server did not close cleanly');
    } finally {
      clearInterval(idle);
      clearTimeout(deadline);
    }
    this.#state = 'closed';
    return { ms: Math.round(performance.now() - begun), forced };
  }
}
