import type { FastifyRequest } from 'fastify';
import { Failure } from '../failure.ts';
import { isDatabaseTrouble } from './database-trouble.ts';

const RETRY_MS = 2_000;

/** What the caller may know of anything that was thrown. Text of errors that are not ours stays in the log. */
export function asFailure(error: unknown, request: FastifyRequest): Failure {
  if (error instanceof Failure) return error;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return tooLarge(request);
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new Failure('schema-invalid', 'The body is shorter or longer than its Content-Length says.');
    case 'FST_ERR_BAD_URL':
      return new Failure('schema-invalid', 'The path holds a "%" that no two hex digits of UTF-8 follow.');
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new Failure(
        'schema-invalid',
        'A segment of the path is too long: ids and names are at most 256 characters.',
      );
    case 'FST_ERR_HANDLER_TIMEOUT':
      return new Failure('unavailable', 'The answer took too long.', { cause: error, retryAfterMs: RETRY_MS });
  }
  if (request.raw.destroyed && !request.raw.complete) {
    return new Failure('schema-invalid', 'The connection was closed before the whole body had come.', { cause: error });
  }
  if (isDatabaseTrouble(error)) {
    return new Failure('unavailable', 'The database cannot be reached, or has no room now; try again in a moment.', {
      cause: error,
      retryAfterMs: RETRY_MS,
    });
  }
  return new Failure('infra-failed', 'Something failed within the manager; its log tells more under the traceId.', {
    cause: error,
  });
}

function tooLarge(request: FastifyRequest): Failure {
  const limitBytes = request.routeOptions.bodyLimit;
  const declared = Number(request.headers['content-length']);
  return new Failure(
    'too-large',
    `The body${declared > 0 ? ` of ${declared} bytes` : ''} is larger than ${limitBytes} bytes, the limit of this route.`,
    { details: { limitBytes, ...(declared > 0 ? { receivedBytes: declared } : {}) } },
  );
}
