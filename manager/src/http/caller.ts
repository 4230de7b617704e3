import type { FastifyRequest } from 'fastify';
import { Failure } from '../failure.ts';
import { invalidField } from '../invalid-field.ts';
import { type AttemptIdentity, attemptOf } from '../services/attempt-token.ts';
import type { Claimant } from '../services/claim.ts';
import type { Caller } from '../services/holder.ts';
import type { Manager } from '../services/manager.ts';
import { runOfCommand } from '../services/work.ts';

/** Attempts by the requests that carry their tokens. */
const attempts = new WeakMap<FastifyRequest, AttemptIdentity>();

/** Looks up the token of a runner's request; its run must be the one that the path names. */
export function runnerVerifier(manager: Manager) {
  return async ({ token }: { readonly token: string }, request: FastifyRequest): Promise<void> => {
    const attempt = await attemptOf(manager, token);
    if (attempt === undefined) throw new Failure('unauthenticated', 'The token is not one of an attempt.');
    const { runId, commandId } = request.params as { readonly runId?: string; readonly commandId?: string };
    const named = runId ?? (commandId === undefined ? undefined : await runOfCommand(manager.pool, commandId));
    if (named !== undefined && named !== attempt.runId) {
      throw new Failure('forbidden', `The token is for run ${attempt.runId}.`, { details: { runId: attempt.runId } });
    }
    attempts.set(request, attempt);
  };
}

/** The attempt that sends a request. */
export function attemptOfRequest(request: FastifyRequest): AttemptIdentity | undefined {
  return attempts.get(request);
}

/** Who writes, by token; the epoch is not asked for. */
export function claimant(request: FastifyRequest): Claimant {
  const attempt = attempts.get(request);
  if (attempt === undefined) throw new Failure('unauthenticated', 'The request has no token of an attempt.');
  return {
    attemptId: attempt.id,
    runId: attempt.runId,
    tokenHash: attempt.tokenHash,
    route: `${request.method} ${request.routeOptions.url ?? ''}`,
  };
}

/**
 * Who writes, by token and by the header `Runner-Epoch`.
 *
 * @throws Failure `schema-invalid` without the header
 */
export function holder(request: FastifyRequest): Caller {
  const epoch = request.runner?.epoch;
  if (epoch == null) throw invalidField('headers.runner-epoch', 'is missing: send the epoch that the claim answered');
  return { ...claimant(request), epoch };
}
