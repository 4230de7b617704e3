import { freePort } from './free-port.ts';
import { StartError } from './start-error.ts';

/** Where a local manager listens, and how the runners on this machine reach it. */
export interface LocalAddress {
  readonly host: string;
  readonly port: number;
  readonly internalUrl: string;
}

const HOST = '127.0.0.1';
const PORT = 8080;
const TRIES = 20;

/**
 * Finds a port that is free now. A port that is given is taken or refused; the default is 8080, or one of the nineteen
 * after it. The port is chosen before anything listens, because the address of the manager is part of what the runners
 * are told; who takes it in between makes the listening fail.
 *
 * @param host null for 127.0.0.1.
 * @param port null for the default, 0 for any free one.
 * @throws StartError `port-in-use`.
 */
export async function localAddress(host: string | null, port: number | null): Promise<LocalAddress> {
  const address = host ?? HOST;
  const candidates = port === null ? Array.from({ length: TRIES }, (_, index) => PORT + index) : [port];
  for (const candidate of candidates) {
    const free = await probe(address, candidate);
    if (free !== null) return { host: address, port: free, internalUrl: `http://${reachable(address)}:${free}` };
  }
  const what = port === null ? `No port from ${PORT} to ${PORT + TRIES - 1} is free` : `Port ${port} is in use`;
  throw new StartError('port-in-use', `${what} on ${address}.`);
}

async function probe(host: string, port: number): Promise<number | null> {
  try {
    return await freePort(host, port);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StartError('port-in-use', `The manager cannot listen on ${host}, port ${port}: ${reason}.`, {
      hint: 'Give a --host of this machine, and a --port that this user may open.',
      cause,
    });
  }
}

/** A server on all addresses is reached by the loopback one. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return HOST;
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
