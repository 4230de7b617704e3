import type { FastifyRequest } from 'fastify';
import { Failure } from '../failure.ts';
import { credentialOf, isRunnerToken, keyComparison, type RunnerCredential, runnerCredential } from './credentials.ts';

/** Who may use a route: everybody, the operator by the API key, a runner by the token of its attempt, or both of these. */
export type RouteAuth = 'open' | 'operator' | 'runner' | 'any';

/**
 * Looks a runner's token up, before the body is read.
 *
 * @throws {Failure} `unauthenticated` for an unknown token, `forbidden` for one of another run
 */
export type VerifyRunner = (runner: RunnerCredential, request: FastifyRequest) => void | Promise<void>;

export interface AuthOptions {
  /** Null: everybody is the operator; only in local mode. */
  readonly operatorKey: string | null;
  readonly verifyRunner?: VerifyRunner | undefined;
}

/** Checks the credential of a request against what its route asks for, and sets `request.runner`. */
export function authenticator({ operatorKey, verifyRunner }: AuthOptions): (request: FastifyRequest) => Promise<void> {
  const isOperator = operatorKey === null ? () => true : keyComparison(operatorKey);
  return async (request) => {
    const auth = request.routeOptions.config.auth ?? 'operator';
    if (auth === 'open') return;
    const credential = credentialOf(request);
    if (auth !== 'operator' && credential !== null && isRunnerToken(credential)) {
      const runner = runnerCredential(credential, request);
      await verifyRunner?.(runner, request);
      request.runner = runner;
      return;
    }
    if (auth === 'runner') throw new Failure('unauthenticated', runnerWanted(credential));
    if (credential === null && operatorKey !== null) {
      throw new Failure(
        'unauthenticated',
        'The request has no credential: send the API key as "Authorization: Bearer" or "x-api-key".',
      );
    }
    if (isOperator(credential ?? '')) return;
    throw new Failure('unauthenticated', operatorWanted(credential ?? ''));
  };
}

function runnerWanted(credential: string | null): string {
  const wanted = 'this route asks for the token of an attempt (art_…) as "Authorization: Bearer"';
  return credential === null ? `The request has no credential: ${wanted}.` : `The credential is not one: ${wanted}.`;
}

function operatorWanted(credential: string): string {
  if (credential === '') return 'The header Authorization must be "Bearer" and the API key.';
  return isRunnerToken(credential)
    ? 'The token of an attempt is not enough: this route asks for the API key of the operator.'
    : 'The API key is not the one of this manager.';
}
