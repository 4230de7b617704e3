import type { FailureKind } from '@agentrun/lib/contract';

/** What a placement can refuse, or fail at. */
const REASONS = {
  'placement-closed': { failureKind: 'unavailable', retryable: true },
  'placement-unavailable': { failureKind: 'infra-failed', retryable: false },
  'attempt-invalid': { failureKind: 'infra-failed', retryable: false },
  'handle-invalid': { failureKind: 'infra-failed', retryable: false },
  'former-start-alive': { failureKind: 'fence-unconfirmed', retryable: true },
  'still-running': { failureKind: 'conflict', retryable: true },
  'runner-command': { failureKind: 'infra-failed', retryable: false },
  'out-of-resources': { failureKind: 'infra-failed', retryable: true },
  'disk-full': { failureKind: 'disk-full', retryable: true },
  'folder-failed': { failureKind: 'infra-failed', retryable: false },
} as const satisfies Record<string, { failureKind: FailureKind; retryable: boolean }>;

export type PlacementErrorReason = keyof typeof REASONS;

/** A placement that could not do what was asked. The message is for people and holds no secret. */
export class PlacementError extends Error {
  readonly reason: PlacementErrorReason;
  readonly failureKind: FailureKind;
  /** Whether the same call can succeed later, although nobody changes anything. */
  readonly retryable: boolean;
  /** The end of the runner's log, as it was written: mask secrets before it is shown. Empty when there is none. */
  readonly logTail: string;

  constructor(reason: PlacementErrorReason, message: string, options: { logTail?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'PlacementError';
    this.reason = reason;
    this.failureKind = REASONS[reason].failureKind;
    this.retryable = REASONS[reason].retryable;
    this.logTail = options.logTail ?? '';
  }
}
