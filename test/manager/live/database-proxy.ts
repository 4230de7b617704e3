import { connect, createServer, type Socket } from 'node:net';

/** Stands before a PostgreSQL, and lets the connection of the listener pass, or not. */
export interface DatabaseProxy {
  readonly url: string;
  /** How many connections of the listener there are. */
  readonly listeners: number;
  /** `silent`: nothing passes any more in either direction, and nobody is told; `open`: a new one passes. */
  listener: 'open' | 'silent';
  /** Cuts the connections of the listener. */
  cut(): void;
  close(): void;
}

const LISTENER = 'agentrun-mgr-listen';

export async function databaseProxy(databaseUrl: string): Promise<DatabaseProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  const listening = new Set<Socket>();
  const server = createServer((client) => {
    const database = connect(Number(target.port), target.hostname);
    let isListener = false;
    for (const socket of [client, database]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        sockets.delete(socket);
        listening.delete(socket);
        client.destroy();
        database.destroy();
      });
    }
    const pass = (to: Socket) => (chunk: Buffer) => {
      // The name of the application is in the first packet.
      if (!isListener && to === database && chunk.includes(LISTENER)) {
        isListener = true;
        listening.add(client);
      }
      if (!isListener || proxy.listener === 'open') to.write(chunk);
    };
    client.on('data', pass(database));
    database.on('data', pass(client));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const proxy: DatabaseProxy = {
    url: Object.assign(new URL(databaseUrl), { hostname: '127.0.0.1', port: String(port) }).href,
    get listeners() {
      return listening.size;
    },
    listener: 'open',
    cut: () => {
      for (const socket of listening) socket.destroy();
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
  return proxy;
}
