import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Failure } from '../failure.ts';
import { requestPath, shownPath } from './request-path.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** Why no route takes the request: another method does, one without the slash at the end does, or none. */
export function unknownRoute(app: FastifyInstance, request: FastifyRequest): Failure {
  const path = requestPath(request.raw.url ?? '/');
  const shown = shownPath(path);
  const allowed = methodsOf(app, path);
  if (allowed.length > 0) {
    return new Failure(
      'method-not-allowed',
      `${request.method} is not allowed on ${shown}; allowed: ${allowed.join(', ')}.`,
      { details: { method: request.method, allowed } },
    );
  }
  const trimmed = path.replace(/\/+$/, '');
  const slash =
    trimmed !== path && trimmed !== '' && methodsOf(app, trimmed).length > 0
      ? ` Leave out the slash at the end: ${shownPath(trimmed)}`
      : ' GET /openapi.json lists what there is.';
  return new Failure('not-found', `No route ${request.method} ${shown}.${slash}`, { details: { resource: 'route' } });
}

function methodsOf(app: FastifyInstance, path: string): string[] {
  return METHODS.filter((method) => {
    // The types promise a route; without one the router gives null.
    const found = app.findRoute({ method, url: path }) as { params: Record<string, string | undefined> } | null;
    return found !== null && !hasEmptySegment(found.params);
  });
}

/** Whether a param stands for nothing: the router takes `/runs/` for `/runs/:runId`. */
export function hasEmptySegment(params: unknown): boolean {
  return Object.values(params ?? {}).includes('');
}
