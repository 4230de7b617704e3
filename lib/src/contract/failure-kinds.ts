/**
 * Every failure that AgentRun names on the wire, as `failureKind`: of a request, of a run, of a command.
 *
 * `httpStatus` is the answer to a request that fails so; null where no request does. `terminalStatus` is how a run or a
 * command ends by it; null where none does. `retryable` says whether the same thing, tried again without a change, can
 * succeed. `nextStep` is for the person who meets it.
 */
export const FAILURE_KINDS = {
  // Requests
  'schema-invalid': refused(400, 'Correct the field that is named.'),
  unauthenticated: refused(401, 'Send the API key, or the token of the attempt, as "Authorization: Bearer".'),
  forbidden: refused(403, 'Use a credential that may do this.'),
  'lease-fenced': refused(403, 'Stop: another attempt holds the run, or the lease ran out and must be claimed again.'),
  'not-found': refused(404, 'Look at the id; lists show what there is.'),
  'method-not-allowed': refused(405, 'Use one of the methods in the header Allow.'),
  conflict: refused(409, 'Read the object again, and decide anew.'),
  'idempotency-conflict': refused(409, 'Use a new key for another request.'),
  'already-terminal': refused(409, 'Create a new run: this one has ended.'),
  'runner-lease-conflict': refused(409, 'Leave the run to the runner that holds it.'),
  'session-busy': refused(409, 'Wait for the open run of the session, send to the session, or cancel the run.'),
  'commands-pending': refused(409, 'Serve the pending commands before the release.'),
  'session-store-evicted': ended(409, 'blocked', 'Create a session with a new id: the volume of this one is gone.'),
  'event-gap': refused(409, 'Send the events again from the number that is expected.'),
  'too-large': refused(413, 'Send less at once; the message names the limit.'),
  unavailable: { ...refused(503, 'Try again; the answer says when.'), retryable: true },
  'infra-failed': { ...ended(500, 'failed', 'Look for the traceId in the log of the manager.'), retryable: true },
  // Outcomes that a person must act on
  'provider-auth-failed': ended(null, 'blocked', 'Give the profile a credential that the provider accepts.'),
  'provider-quota': ended(null, 'blocked', 'Raise the quota at the provider, or use another profile.'),
  'resource-bundle-invalid': ended(null, 'blocked', 'Correct the resource bundle: the message names the part.'),
  'profile-invalid': ended(null, 'blocked', 'Correct the profile; validate it before the next run.'),
  'approval-required': ended(null, 'blocked', 'Let the execution policy approve it, or ask for something else.'),
  'context-overflow': ended(null, 'blocked', 'Begin a new session, or send less.'),
  'outcome-unknown': ended(null, 'blocked', 'Look at what the agent did; the next turn resumes the conversation.'),
  'never-claimed': ended(null, 'blocked', 'Start a runner for the run, or look why none could start.'),
  'fence-unconfirmed': ended(null, 'blocked', 'Stop what is left of the attempt by hand, then begin a new run.'),
  // Outcomes that may go away by themselves
  'provider-unavailable': { ...ended(null, 'failed', 'Send the turn again later.'), retryable: true },
  'provider-rate-limited': { ...ended(null, 'failed', 'Send the turn again later.'), retryable: true },
  'backend-crashed': { ...ended(null, 'failed', 'Look at the last events; send the turn again.'), retryable: true },
  'backend-protocol': ended(null, 'failed', 'Use a version of the agent that this AgentRun knows.'),
  'turn-timeout': ended(null, 'failed', 'Raise executionPolicy.turnTimeoutMs, or ask for less in one turn.'),
  'turn-idle-timeout': ended(null, 'failed', 'Raise executionPolicy.idleEventTimeoutMs, or look what hangs.'),
  'steer-not-applied': ended(null, 'failed', 'Send the text as a turn.'),
  'disk-full': ended(null, 'failed', 'Make room on the volume of the session.'),
  cancelled: ended(null, 'cancelled', 'Send a new turn to go on.'),
} as const satisfies Record<string, FailureRule>;

/** One of the names of {@link FAILURE_KINDS}. */
export type FailureKind = keyof typeof FAILURE_KINDS;

/** What {@link FAILURE_KINDS} says of one kind. */
export interface FailureRule {
  readonly httpStatus: number | null;
  readonly terminalStatus: 'failed' | 'blocked' | 'cancelled' | null;
  readonly retryable: boolean;
  readonly nextStep: string;
}

/** The names alone, for schemas. */
export const FAILURE_KIND_NAMES = Object.keys(FAILURE_KINDS) as FailureKind[];

/** The kinds with which a run or a command can end. */
export const OUTCOME_KINDS = FAILURE_KIND_NAMES.filter((kind) => FAILURE_KINDS[kind].terminalStatus !== null);

/** Whether a text is one of the kinds. */
export function isFailureKind(text: string): text is FailureKind {
  return Object.hasOwn(FAILURE_KINDS, text);
}

function refused<const Status extends number>(httpStatus: Status, nextStep: string) {
  return { httpStatus, terminalStatus: null, retryable: false, nextStep };
}

function ended<const Status extends number | null, const Terminal extends 'failed' | 'blocked' | 'cancelled'>(
  httpStatus: Status,
  terminalStatus: Terminal,
  nextStep: string,
) {
  return { httpStatus, terminalStatus, retryable: false, nextStep };
}
