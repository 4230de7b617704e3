import { FAILURE_KINDS, type FailureKind, isFailureKind } from '@agentrun/lib/contract';

/** What the manager answered instead of doing what it was asked. */
export class ManagerFailure extends Error {
  readonly status: number;
  readonly failureKind: FailureKind;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(status: number, failureKind: FailureKind, message: string, details: Readonly<Record<string, unknown>>) {
    super(message);
    this.name = 'ManagerFailure';
    this.status = status;
    this.failureKind = failureKind;
    this.details = details;
  }

  /** Whether the same request, sent again, can succeed. */
  get retryable(): boolean {
    return FAILURE_KINDS[this.failureKind].retryable;
  }
}

/** No answer of the manager: the connection failed, or something else answered. What was asked may have been done. */
export class ManagerUnreachable extends Error {
  /** How long it asked us to wait, in milliseconds; null when it did not. */
  readonly retryAfterMs: number | null;

  constructor(message: string, options: { readonly retryAfterMs?: number | null; readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'ManagerUnreachable';
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}

/** A problem that the manager answered; null for an answer that is not the manager's. */
export function failureOf(status: number, body: unknown, what: string): ManagerFailure | null {
  if (typeof body !== 'object' || body === null) return null;
  const { failureKind, message, error } = body as Record<string, unknown>;
  if (typeof failureKind !== 'string' || !isFailureKind(failureKind)) return null;
  const inner = typeof error === 'object' && error !== null ? (error as Record<string, unknown>)['details'] : undefined;
  const details = typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : {};
  const said = typeof message === 'string' ? message : failureKind;
  return new ManagerFailure(status, failureKind, `${what}: ${said} (${failureKind})`, details);
}
