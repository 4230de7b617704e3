import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { Failure } from '../failure.ts';

/** What a runner says of itself, read from headers; whether it is true is for the store to say. */
export interface RunnerCredential {
  /** `art_<attemptId>_<secret>` */
  readonly token: string;
  /** `Runner-Epoch`: the lease epoch under which it writes; null when it sends none. */
  readonly epoch: number | null;
  /** `Producer-Seq`: the number of the first event of an append, from 1; null when it sends none. */
  readonly producerSeq: number | null;
}

const TOKEN = /^art_[A-Za-z0-9._-]{8,400}$/;
const DIGITS = /^(?:0|[1-9]\d{0,15})$/;
/** Events are numbered by the integers of four bytes. */
const MOST_EVENTS = 2_147_483_647;

/** The credential of a request: `Authorization: Bearer`, else `x-api-key`; null when there is none. */
export function credentialOf(request: FastifyRequest): string | null {
  const { authorization } = request.headers;
  if (authorization !== undefined && authorization !== '') return /^Bearer +(\S+) *$/i.exec(authorization)?.[1] ?? '';
  const key = request.headers['x-api-key'];
  return typeof key === 'string' && key !== '' ? key : null;
}

/** Whether a credential is the token of an attempt by its form. */
export function isRunnerToken(credential: string): boolean {
  return TOKEN.test(credential);
}

/**
 * The runner's headers beside its token.
 *
 * @throws {Failure} `schema-invalid` when a number is malformed
 */
export function runnerCredential(token: string, request: FastifyRequest): RunnerCredential {
  return {
    token,
    epoch: integerHeader(request, 'runner-epoch', 0, Number.MAX_SAFE_INTEGER),
    producerSeq: integerHeader(request, 'producer-seq', 1, MOST_EVENTS),
  };
}

/** Compares with a key in a time that does not depend on where they differ, nor on their lengths. */
export function keyComparison(key: string): (candidate: string) => boolean {
  const expected = sha256(key);
  return (candidate) => timingSafeEqual(sha256(candidate), expected);
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

function integerHeader(request: FastifyRequest, name: string, least: number, most: number): number | null {
  const value = request.headers[name];
  if (value === undefined || value === '') return null;
  const number = typeof value === 'string' && DIGITS.test(value) ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(number) && number >= least && number <= most) return number;
  const received = JSON.stringify(String(value).slice(0, 40));
  const bounds = most === Number.MAX_SAFE_INTEGER ? `>= ${least}` : `from ${least} to ${most}`;
  const message = `The header ${name} must be an integer ${bounds}, received ${received}`;
  throw new Failure('schema-invalid', message, {
    details: { part: 'headers', errors: [{ path: `headers.${name}`, pointer: `/${name}`, message, received }] },
  });
}
