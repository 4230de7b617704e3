import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What happens to a request instead of an answer. */
export type Fault =
  | { readonly status: number; readonly before?: () => Promise<unknown> }
  /** Something else happens first, and then what was asked for. */
  | { readonly before: () => Promise<unknown> }
  /** The connection is cut before the server has read the whole request. */
  | 'cut'
  /** The server does what it is asked to, and the connection is cut before it answers. */
  | 'lose-answer';

export interface FaultyServer {
  /** URL of the repository. */
  readonly url: string;
  /** The requests so far: method, and path without the repository. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

/** Stands before an http server of git, and spoils what `faultOf` says; the rest is passed on. */
export async function faultyServer(
  target: string,
  faultOf: (request: string, nth: number) => Fault | undefined,
): Promise<FaultyServer> {
  const { origin, pathname } = new URL(target);
  const requests: string[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const shown = `${request.method} ${(request.url ?? '').slice(pathname.length)}`;
    const nth = requests.filter((one) => one === shown).length + 1;
    requests.push(shown);
    const fault = faultOf(shown, nth);
    if (fault === 'cut') {
      await sleep(20);
      request.socket.destroy();
      return;
    }
    if (typeof fault === 'object') await fault.before?.();
    if (typeof fault === 'object' && 'status' in fault) {
      request.resume();
      response.writeHead(fault.status, fault.status === 401 ? { 'www-authenticate': 'Basic realm="git"' } : {}).end();
      return;
    }
    const passed = forward(new URL(request.url ?? '/', origin), { method: request.method, headers: request.headers });
    passed.on('error', () => response.destroy());
    passed.on('response', (answered) => {
      if (fault === 'lose-answer') {
        answered.resume();
        answered.on('end', () => request.socket.destroy());
        return;
      }
      response.writeHead(answered.statusCode ?? 500, answered.headers);
      answered.pipe(response);
    });
    request.pipe(passed);
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${pathname}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A port of this machine at which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}
