import { connect, type Socket } from 'node:net';

/** One request; the body is JSON already. */
export interface LeanRequest {
  readonly method: 'GET' | 'POST' | 'PATCH';
  readonly path: string;
  readonly headers: string;
  readonly body?: string;
}

interface Waiting {
  resolve(answer: LeanAnswer): void;
  reject(error: Error): void;
}

export interface LeanAnswer {
  readonly status: number;
  readonly text: string;
}

const HEAD_END = '\r\n\r\n';

/**
 * A kept connection that costs the measuring process as little as possible: one request at a time, answers with a
 * Content-Length, nothing else.
 */
export class LeanConnection {
  readonly #socket: Socket;
  readonly #host: string;
  #received = '';
  #waiting: Waiting | undefined;

  constructor(url: string) {
    const { hostname, port, host } = new URL(url);
    this.#host = host;
    this.#socket = connect(Number(port), hostname).setNoDelay(true);
    // A character is a byte: only the length of the body is counted.
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (chunk) => this.#take(String(chunk)));
    this.#socket.on('error', (error) => this.#waiting?.reject(error));
    this.#socket.on('close', () => this.#waiting?.reject(new Error('the manager closed a connection')));
  }

  ask({ method, path, headers, body = '' }: LeanRequest): Promise<LeanAnswer> {
    const length = method === 'GET' ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
    const json = method === 'GET' ? '' : 'Content-Type: application/json\r\n';
    this.#socket.write(`${method} ${path} HTTP/1.1\r\nHost: ${this.#host}\r\n${headers}${json}${length}\r\n${body}`);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  /** As {@link ask}, for an answer that must be a success. */
  async data<T>(request: LeanRequest): Promise<T> {
    const { status, text } = await this.ask(request);
    if (status !== 200) throw new Error(`${request.method} ${request.path}: ${status} ${text}`);
    return (JSON.parse(text) as { data: T }).data;
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #take(chunk: string): void {
    this.#received += chunk;
    const headEnd = this.#received.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(this.#received.slice(0, headEnd))?.[1]);
    const end = headEnd + HEAD_END.length + length;
    if (!(this.#received.length >= end)) return;
    const answer = {
      status: Number(this.#received.slice(9, 12)),
      text: this.#received.slice(headEnd + HEAD_END.length, end),
    };
    this.#received = this.#received.slice(end);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(answer);
  }
}

/** The value below which a share of all values lies; `share` from 0 to 1. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
