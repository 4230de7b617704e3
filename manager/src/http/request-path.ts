import type { FastifyRequest } from 'fastify';

/** The path that was asked for, as it was sent: percent-encoded, without query and origin. */
export function requestPath(url: string): string {
  const path = url.replace(/^https?:\/\/[^/?#]*/i, '');
  const end = path.search(/[?#]/);
  return end === -1 ? path : path.slice(0, end);
}

/** The path for a message: short. */
export function shownPath(url: string): string {
  const path = requestPath(url);
  return path.length > 200 ? `${path.slice(0, 200)}…` : path;
}

/** The path of the route as it was declared, such as `/api/v1/runs/:runId`; null when no route matched. */
export function routeTemplate(request: FastifyRequest): string | null {
  return request.is404 ? null : (request.routeOptions.url ?? null);
}
