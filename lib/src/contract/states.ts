/**
 * The states of runs, commands, attempts and sessions, and which of them are final.
 *
 * `claimed`: a runner holds the lease, nothing is acknowledged. `running`: a turn is acknowledged. `cancelling`: a
 * cancel was asked for and is not confirmed yet; such a run always ends cancelled.
 */
export const TERMINAL_STATUSES = ['completed', 'failed', 'blocked', 'cancelled'] as const;
/** One of {@link TERMINAL_STATUSES}. */
export type TerminalStatus = (typeof TERMINAL_STATUSES)[number];

/** Statuses of runs that have not ended. */
export const OPEN_RUN_STATUSES = ['pending', 'claimed', 'running', 'cancelling'] as const;
/** All statuses of runs. */
export const RUN_STATUSES = [...OPEN_RUN_STATUSES, ...TERMINAL_STATUSES] as const;
/** One of {@link RUN_STATUSES}. */
export type RunStatus = (typeof RUN_STATUSES)[number];

/** What can be asked of a run. */
export const COMMAND_TYPES = ['turn', 'steer'] as const;
/** One of {@link COMMAND_TYPES}. */
export type CommandType = (typeof COMMAND_TYPES)[number];

/** States of commands that have not ended. */
export const OPEN_COMMAND_STATES = ['pending', 'acknowledged'] as const;
/** States of commands that have ended. */
export const TERMINAL_COMMAND_STATES = ['completed', 'failed', 'cancelled'] as const;
/** All states of commands. */
export const COMMAND_STATES = [...OPEN_COMMAND_STATES, ...TERMINAL_COMMAND_STATES] as const;
/** One of {@link COMMAND_STATES}. */
export type CommandState = (typeof COMMAND_STATES)[number];

/** `created`: its runner was not heard of yet. `lost`: its lease ran out or its process ended. `ended`: it gave up the run. */
export const ATTEMPT_STATUSES = ['created', 'claimed', 'lost', 'ended'] as const;
/** One of {@link ATTEMPT_STATUSES}. */
export type AttemptStatus = (typeof ATTEMPT_STATUSES)[number];

/** `terminal` is a session whose volume was evicted: it takes no more turns. */
export const EXECUTION_STATES = ['idle', 'running', 'terminal'] as const;
/** One of {@link EXECUTION_STATES}. */
export type ExecutionState = (typeof EXECUTION_STATES)[number];

/** Whether a session has a volume: not yet, yes, not any more. */
export const STORAGE_KINDS = ['none', 'pvc', 'evicted'] as const;
/** One of {@link STORAGE_KINDS}. */
export type StorageKind = (typeof STORAGE_KINDS)[number];

/** `terminal`: idle with an outcome. `unread`: changed since the reader looked. `default`: all but evicted ones. */
export const SESSION_LIST_STATES = ['default', 'all', 'running', 'idle', 'terminal', 'unread'] as const;
/** One of {@link SESSION_LIST_STATES}. */
export type SessionListState = (typeof SESSION_LIST_STATES)[number];

/** Whether a session asks for a look. */
export const ATTENTION_STATES = ['active-session', 'unread', 'failed', 'quiet'] as const;
/** One of {@link ATTENTION_STATES}. */
export type AttentionState = (typeof ATTENTION_STATES)[number];

/** Whether a run with this status has ended. */
export function isTerminal(status: RunStatus): status is TerminalStatus {
  return (TERMINAL_STATUSES as readonly string[]).includes(status);
}

/** The state of a command that ends with a status: commands know no `blocked`. */
export function commandStateOf(status: TerminalStatus): CommandState {
  return status === 'blocked' ? 'failed' : status;
}
