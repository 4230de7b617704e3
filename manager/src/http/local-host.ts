import type { FastifyRequest } from 'fastify';
import { Failure } from '../failure.ts';

const LOOPBACK = /^(?:localhost|(?:[a-z0-9-]+\.)+localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;

/**
 * On one machine, a page of any web site could reach the manager through the browser: by a name that the site resolves to
 * 127.0.0.1 (DNS rebinding), or by a plain form. So the Host must be a loopback name, and an Origin the same place.
 *
 * @throws {Failure} `forbidden`
 */
export function assertLocalHost(request: FastifyRequest): void {
  const host = request.headers.host ?? '';
  if (!LOOPBACK.test(host)) {
    throw new Failure(
      'forbidden',
      `The Host ${shown(host)} is not this machine. In local mode only localhost, 127.0.0.1 and [::1] are answered, so that no web site can reach the manager through a name of its own (DNS rebinding).`,
    );
  }
  const { origin } = request.headers;
  if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`) {
    throw new Failure(
      'forbidden',
      `A page of ${shown(origin)} may not use the manager: in local mode only its own pages may.`,
    );
  }
}

const shown = (text: string): string => JSON.stringify(text.slice(0, 100));
