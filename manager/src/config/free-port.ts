import { createServer } from 'node:net';

/**
 * Whether the port can be listened on now; the port itself, or the one that the system chose for 0. Null when another
 * process has it. Other errors, such as a host that is not of this machine, are thrown.
 */
export async function freePort(host: string, port: number): Promise<number | null> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen({ host, port, exclusive: true }, resolve);
    });
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : null;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return null;
    throw error;
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}
