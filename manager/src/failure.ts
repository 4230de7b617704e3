import { FAILURE_KINDS, type FailureKind, type FailureRule } from '@agentrun/lib/contract';

export interface FailureOptions {
  /** Facts for a program, answered as `error.details`. Never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
  /** When the same request may be tried again, in milliseconds; answered as `Retry-After`. */
  readonly retryAfterMs?: number;
}

/**
 * Something that AgentRun refuses or cannot do, by one of the kinds of the contract. Its message goes to the caller: it
 * names the object, what was received and the next step, and holds no secret.
 *
 * Everything else that is thrown is answered as `infra-failed` without its text.
 */
export class Failure extends Error {
  readonly kind: FailureKind;
  readonly details: Readonly<Record<string, unknown>>;
  readonly retryAfterMs: number | null;

  constructor(kind: FailureKind, message: string, options: FailureOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'Failure';
    this.kind = kind;
    this.details = options.details ?? {};
    this.retryAfterMs = options.retryAfterMs ?? null;
  }

  /** What the contract says of the kind. */
  get rule(): FailureRule {
    return FAILURE_KINDS[this.kind];
  }

  /** The status of the answer; 500 for kinds that are outcomes of runs and should not reach a request. */
  get httpStatus(): number {
    return this.rule.httpStatus ?? 500;
  }
}
