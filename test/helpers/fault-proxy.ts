import { createServer, request as forward, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it came to the proxy. */
export interface ProxiedRequest {
  readonly method: string;
  /** Without /api/v1 and query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  /** Parsed; undefined without one. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
  readonly at: number;
}

/**
 * What the proxy does with a request: hand it on; break the connection before the server sees it, or after it has
 * answered; send it twice; or answer by itself.
 */
export type Fate =
  | 'pass'
  | 'drop'
  | 'drop-answer'
  | 'twice'
  | { readonly status: number; readonly body?: object; readonly headers?: Record<string, string> };

/** A proxy before a real server, with the faults of a network. */
export interface FaultProxy {
  readonly url: string;
  /** All requests so far, in the order of their coming. */
  readonly requests: readonly ProxiedRequest[];
  /** Decides from now on. */
  fate: (request: ProxiedRequest) => Fate;
  /** Nobody listens any more, and open connections break. */
  down(): Promise<void>;
  /** Listens again, at the same address. */
  up(): Promise<void>;
  close(): Promise<void>;
}

export async function faultProxy(target: string): Promise<FaultProxy> {
  const requests: ProxiedRequest[] = [];
  let server: Server | null = null;
  let port = 0;
  const listen = async (): Promise<void> => {
    server = createServer((request, response) => void handle(request, response));
    await new Promise<void>((resolve) => server?.listen(port, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  };
  const down = async (): Promise<void> => {
    const closing = server;
    server = null;
    if (closing === null) return;
    const closed = new Promise((resolve) => closing.close(resolve));
    closing.closeAllConnections();
    await closed;
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const body = Buffer.concat(chunks);
    const url = new URL(request.url ?? '/', target);
    const seen: ProxiedRequest = {
      method: request.method ?? 'GET',
      path: url.pathname.replace(/^\/api\/v1/, ''),
      query: url.searchParams,
      headers: request.headers,
      body: body.length === 0 ? undefined : (JSON.parse(body.toString()) as Record<string, unknown>),
      at: performance.now(),
    };
    requests.push(seen);
    const fate = proxy.fate(seen);
    if (fate === 'drop') return void request.socket.destroy();
    if (typeof fate === 'object') {
      response.writeHead(fate.status, { 'content-type': 'application/problem+json', ...fate.headers });
      return void response.end(JSON.stringify(fate.body ?? {}));
    }
    const send = (): Promise<{ status: number; headers: IncomingMessage['headers']; body: Buffer }> =>
      new Promise((resolve, reject) => {
        const sent = forward(
          url,
          { method: request.method, headers: { ...request.headers, host: url.host } },
          (answer) => {
            const parts: Buffer[] = [];
            answer.on('data', (part: Buffer) => parts.push(part));
            answer.on('end', () =>
              resolve({ status: answer.statusCode ?? 500, headers: answer.headers, body: Buffer.concat(parts) }),
            );
            answer.on('error', reject);
          },
        );
        sent.on('error', reject);
        response.on('close', () => sent.destroy());
        sent.end(body);
      });
    try {
      const first = await send();
      const answer = fate === 'twice' ? await send() : first;
      if (fate === 'drop-answer') return void request.socket.destroy();
      const { 'transfer-encoding': _encoding, connection: _connection, ...headers } = answer.headers;
      response.writeHead(answer.status, headers);
      response.end(answer.body);
    } catch {
      request.socket.destroy();
    }
  };

  const proxy: FaultProxy = {
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    requests,
    fate: () => 'pass',
    down,
    up: listen,
    close: down,
  };
  await listen();
  return proxy;
}
