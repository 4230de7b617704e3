import { FAILURE_KINDS, type FailureKind, type TerminalStatus } from '@agentrun/lib/contract';

/** The kinds with which a turn can fail: those that are an outcome. */
export type TurnFailureKind = Exclude<
  {
    [Kind in FailureKind]: (typeof FAILURE_KINDS)[Kind]['terminalStatus'] extends null ? never : Kind;
  }[FailureKind],
  'cancelled'
>;

const KINDS = Object.keys(FAILURE_KINDS) as FailureKind[];

/** All of them. */
export const TURN_FAILURE_KINDS = KINDS.filter(
  (kind): kind is TurnFailureKind => kind !== 'cancelled' && FAILURE_KINDS[kind].terminalStatus !== null,
);

/**
 * A backend that cannot be opened, or a steer whose fate nobody knows. A turn does not throw it: its result says how it
 * ended. The message is for people, and holds no secret.
 */
export class BackendFailure extends Error {
  readonly failureKind: TurnFailureKind;

  constructor(failureKind: TurnFailureKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BackendFailure';
    this.failureKind = failureKind;
  }

  get terminalStatus(): TerminalStatus {
    return FAILURE_KINDS[this.failureKind].terminalStatus;
  }
}

/** Any error as a failure: what says that the disk is full is that, all else the given kind. */
export function asBackendFailure(error: unknown, otherwise: TurnFailureKind, doing: string): BackendFailure {
  if (error instanceof BackendFailure) return error;
  const said = error instanceof Error ? error.message : String(error);
  const kind = saysDiskFull(said) || (error as { code?: unknown } | null)?.code === 'ENOSPC' ? 'disk-full' : otherwise;
  return new BackendFailure(kind, `${doing}: ${said}`, { cause: error });
}

/** Whether a text of an agent or of the system tells of a full disk. */
export function saysDiskFull(text: string): boolean {
  return /\bENOSPC\b|\bEDQUOT\b|no space left on device|disk quota exceeded/i.test(text);
}
