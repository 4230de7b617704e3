import { connect, type Socket } from 'node:net';
import type { Problem } from '../../manager/src/http/problem.ts';
import { buildServer, type ManagerServer, type ServerOptions } from '../../manager/src/http/server.ts';
import { createLog } from '../../manager/src/telemetry/log.ts';

export const OPERATOR_KEY = 'the-key-of-the-operator-of-the-tests';

export interface KernelServer {
  readonly app: ManagerServer;
  readonly url: string;
  readonly port: number;
  /** What was logged, a line each. */
  readonly lines: Record<string, unknown>[];
  /** Asks with the API key, unless other headers are given. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** Sends bytes as they are, and gives all that comes back until the connection ends or `enough` is found. */
  raw(bytes: string | readonly string[], enough?: RegExp): Promise<string>;
  close(): Promise<void>;
}

interface CallOptions {
  readonly body?: string | Uint8Array | ReadableStream | undefined;
  readonly json?: unknown;
  readonly headers?: Record<string, string>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as a success. */
  readonly data: unknown;
  /** The body as a problem. */
  readonly problem: Problem;
}

/** A kernel with the routes that a test adds, listening on a free port. */
export async function kernelServer(
  routes: (app: ManagerServer) => void,
  options: Partial<ServerOptions> = {},
): Promise<KernelServer> {
  const lines: Record<string, unknown>[] = [];
  const log = createLog({
    level: 'debug',
    destination: { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  });
  const app = await buildServer({ log, version: '0.0.0-test', operatorKey: OPERATOR_KEY, ...options });
  routes(app);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const port = Number(new URL(url).port);
  return {
    app,
    url,
    port,
    lines,
    call: async (method, path, { body, json, headers = { authorization: `Bearer ${OPERATOR_KEY}` } } = {}) => {
      const sent = json === undefined ? body : JSON.stringify(json);
      const response = await fetch(`${url}${path}`, {
        method,
        headers,
        ...(sent === undefined ? {} : { body: sent, duplex: 'half' as const }),
      });
      const text = await response.text();
      const parsed = (
        /json/.test(response.headers.get('content-type') ?? '') && text !== '' ? JSON.parse(text) : {}
      ) as {
        data?: unknown;
      } & Problem;
      return { status: response.status, headers: response.headers, text, data: parsed.data, problem: parsed };
    },
    raw: (bytes, enough) => exchange(port, typeof bytes === 'string' ? [bytes] : bytes, enough),
    close: async () => {
      await app.drain.begin({ deadlineMs: 1000 });
    },
  };
}

async function exchange(port: number, parts: readonly string[], enough?: RegExp): Promise<string> {
  const socket = await openSocket(port);
  let received = '';
  const done = new Promise<string>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      if (enough?.test(received) === true) {
        socket.destroy();
        resolve(received);
      }
    });
    socket.on('close', () => resolve(received));
    socket.on('error', () => resolve(received));
  });
  for (const part of parts) socket.write(part, 'latin1');
  return done;
}

export function openSocket(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.once('error', reject);
  });
}
