import { redactor } from '@agentrun/lib/contract';
import type { FastifyBaseLogger, FastifyRequest } from 'fastify';
import { Failure } from '../failure.ts';
import { PROBLEM_TYPE, problemOf } from './problem.ts';
import { traceIdOf } from './trace.ts';

type Socket = FastifyRequest['socket'];

/** All headers of a request together. */
export const MAX_HEADER_BYTES = 16 * 1024;
/** How long a socket may take to pass on the last answer, in milliseconds. */
const LAST_WORDS_MS = 1_000;

const ANSWERS: Readonly<Record<string, { status: string; failure: Failure }>> = {
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: '408 Request Timeout',
    failure: new Failure('unavailable', 'The request was not complete in time; send it faster.', {
      retryAfterMs: 1000,
    }),
  },
  HPE_HEADER_OVERFLOW: {
    status: '431 Request Header Fields Too Large',
    failure: new Failure('too-large', `The headers are larger than ${MAX_HEADER_BYTES} bytes.`),
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    status: '413 Content Too Large',
    failure: new Failure('too-large', 'The extensions of the chunks are too large.'),
  },
};
/** The texts are our own: nothing of the caller stands in them. */
const NOTHING_RECEIVED = redactor();

const BAD_REQUEST = {
  status: '400 Bad Request',
  failure: new Failure('schema-invalid', 'This is no valid HTTP request.'),
};

/** Answers what is no HTTP request, came too slowly or has too large headers; no route and no hook sees it. */
export function clientErrorHandler(log: FastifyBaseLogger) {
  return (error: Error & { code?: string }, socket: Socket): void => {
    const answering = (socket as Socket & { _httpMessage?: { headersSent: boolean } | null })._httpMessage;
    if (error.code === 'ECONNRESET' || !socket.writable || answering?.headersSent === true) {
      socket.destroy();
      return;
    }
    const { status, failure } = ANSWERS[error.code ?? ''] ?? BAD_REQUEST;
    const traceId = traceIdOf(undefined);
    log.info({ traceId, failureKind: failure.kind, status: Number.parseInt(status, 10), code: error.code }, 'request');
    const body = `${JSON.stringify(problemOf(failure, { traceId, instance: '', redactor: NOTHING_RECEIVED, status: Number.parseInt(status, 10) }))}\n`;
    socket.end(
      `HTTP/1.1 ${status}\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nx-trace-id: ${traceId}\r\nConnection: close\r\n\r\n${body}`,
    );
    setTimeout(() => socket.destroy(), LAST_WORDS_MS).unref();
  };
}
