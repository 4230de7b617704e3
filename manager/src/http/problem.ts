import type { FailureKind, Redactor } from '@agentrun/lib/contract';
import type { Failure } from '../failure.ts';

export const PROBLEM_TYPE = 'application/problem+json';

/** The answer to a request that failed: RFC 9457, with the members of the contract's envelope beside it. */
export interface Problem {
  /** `urn:agentrun:failure:<failureKind>` */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** The same text as `message`. */
  readonly detail: string;
  /** The path that was asked for, without its query. */
  readonly instance: string;
  readonly ok: false;
  readonly failureKind: FailureKind;
  readonly message: string;
  readonly traceId: string;
  /** Whether the same request can succeed later. */
  readonly retryable: boolean;
  readonly nextStep: string;
  readonly error: {
    readonly failureKind: FailureKind;
    readonly message: string;
    readonly httpStatus: number;
    readonly details: unknown;
  };
}

export interface ProblemContext {
  readonly traceId: string;
  /** The path that was asked for. */
  readonly instance: string;
  readonly redactor: Redactor;
  /** Differs from that of the kind only below HTTP, such as 408. */
  readonly status?: number;
}

/** The problem of a failure, without secrets. */
export function problemOf(failure: Failure, { traceId, instance, redactor, status }: ProblemContext): Problem {
  const message = redactor.text(failure.message);
  const httpStatus = status ?? failure.httpStatus;
  return {
    type: `urn:agentrun:failure:${failure.kind}`,
    title: titleOf(failure.kind),
    status: httpStatus,
    detail: message,
    instance: redactor.text(instance),
    ok: false,
    failureKind: failure.kind,
    message,
    traceId,
    retryable: failure.rule.retryable,
    nextStep: failure.rule.nextStep,
    error: { failureKind: failure.kind, message, httpStatus, details: redactor.json(failure.details) },
  };
}

function titleOf(kind: FailureKind): string {
  const words = kind.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
