/**
 * The states of runs, commands, attempts and sessions, and which of them are final.
 *
 * `claimed`: a runner holds the lease, nothing is acknowledged. `running`: a turn is acknowledged. `cancelling`: a
 * cancel was asked for and is not confirmed yet; such a run always ends cancelled.
 */
export const TERMINAL_STATUSES = ['completed', 'failed', 'blocked', 'cancelled'] as const;
export type TerminalStatus = (typeof TERMINAL_STATUSES)[number];

export const OPEN_RUN_STATUSES = ['pending', 'claimed', 'running', 'cancelling'] as const;
export const RUN_STATUSES = [...OPEN_RUN_STATUSES, ...TERMINAL_STATUSES] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export const COMMAND_TYPES = ['turn', 'steer'] as const;
export type CommandType = (typeof COMMAND_TYPES)[number];

export const OPEN_COMMAND_STATES = ['pending', 'acknowledged'] as const;
export const TERMINAL_COMMAND_STATES = ['completed', 'failed', 'cancelled'] as const;
export const COMMAND_STATES = [...OPEN_COMMAND_STATES, ...TERMINAL_COMMAND_STATES] as const;
export type CommandState = (typeof COMMAND_STATES)[number];

/** `created`: its runner was not heard of yet. `lost`: its lease ran out or its process ended. `ended`: it gave up the run. */
export const ATTEMPT_STATUSES = ['created', 'claimed', 'lost', 'ended'] as const;
export type AttemptStatus = (typeof ATTEMPT_STATUSES)[number];

/** `terminal` is a session whose volume was evicted: it takes no more turns. */
export const EXECUTION_STATES = ['idle', 'running', 'terminal'] as const;
export type ExecutionState = (typeof EXECUTION_STATES)[number];

export const STORAGE_KINDS = ['none', 'pvc', 'evicted'] as const;
export type StorageKind = (typeof STORAGE_KINDS)[number];

/** `terminal`: idle with an outcome. `unread`: changed since the reader looked. `default`: all but evicted ones. */
export const SESSION_LIST_STATES = ['default', 'all', 'running', 'idle', 'terminal', 'unread'] as const;
export type SessionListState = (typeof SESSION_LIST_STATES)[number];

export const ATTENTION_STATES = ['active-session', 'unread', 'failed', 'quiet'] as const;
export type AttentionState = (typeof ATTENTION_STATES)[number];

export function isTerminal(status: RunStatus): status is TerminalStatus {
  return (TERMINAL_STATUSES as readonly string[]).includes(status);
}

/** The state of a command that ends with a status: commands know no `blocked`. */
export function commandStateOf(status: TerminalStatus): CommandState {
  return status === 'blocked' ? 'failed' : status;
}
