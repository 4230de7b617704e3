import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A wire to a server that can be cut, and led to another server. */
export interface CutProxy {
  readonly url: string;
  /** How many connections there were. */
  readonly connections: number;
  /** Cuts every connection that is open. */
  cut(): void;
  /** Cuts each connection after so many bytes of the server, from now on; null for never. */
  cutAfter: number | null;
  /** Lets the next request with such a first line through, and cuts the connection when its answer comes. */
  loseAnswerTo: RegExp | null;
  /** Answers instead of the server, from now on; null for the server itself. */
  answer: string | null;
  /** Leads new connections to another server. */
  target: string;
  close(): Promise<void>;
}

export const UNAVAILABLE =
  'HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}';

export async function cutProxy(target: string): Promise<CutProxy> {
  const open = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    open.add(socket);
    socket.on('error', () => {}).on('close', () => open.delete(socket));
    if (proxy.answer !== null) {
      const answer = proxy.answer;
      socket.once('data', () => socket.end(answer));
      return;
    }
    const { hostname, port } = new URL(proxy.target);
    const server = connect(Number(port), hostname);
    server.on('error', () => socket.destroy());
    socket.on('close', () => server.destroy());
    let isLost = false;
    socket.on('data', (data) => {
      if (proxy.loseAnswerTo?.test(data.toString('latin1')) === true) {
        proxy.loseAnswerTo = null;
        isLost = true;
      }
      server.write(data);
    });
    let passed = 0;
    server.on('data', (data) => {
      if (isLost) return void socket.destroy();
      const room = proxy.cutAfter === null ? data.length : proxy.cutAfter - passed;
      passed += data.length;
      if (data.length < room) socket.write(data);
      // What was passed on must arrive before the cut.
      else if (proxy.cutAfter === null) socket.write(data);
      else socket.write(data.subarray(0, Math.max(0, room)), () => socket.destroy());
      return undefined;
    });
    server.on('end', () => socket.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const proxy: CutProxy = {
    url: `http://127.0.0.1:${port}`,
    get connections() {
      return connections;
    },
    cutAfter: null,
    loseAnswerTo: null,
    answer: null,
    target,
    cut: () => {
      for (const socket of open) socket.destroy();
    },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      proxy.cut();
      await closed;
    },
  };
  return proxy;
}
