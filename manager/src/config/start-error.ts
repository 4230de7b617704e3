/** What may keep the manager from starting, besides a wrong environment; with the next step for the person. */
const START_ERRORS = {
  'local-in-cluster': 'Start without --local and --data-dir, and let the rendered Deployment set the environment.',
  'port-in-use': 'End the process that listens there, or give another --port.',
  'data-folder-invalid': 'Name a folder that this user owns and may write, with --data-dir or AGENTRUN_DATA_DIR.',
  'data-folder-locked': 'End the manager that runs, or give another --data-dir.',
  'secret-name-invalid': 'Correct the secretKeyRef: its name and key are letters, digits, "-", "_" and ".".',
  'secret-unreadable': 'Correct the owner or the mode of the file, which is 0600.',
  'database-unreachable': 'Start the server, or correct DATABASE_URL; the manager starts again when it is there.',
  'database-refused': 'Correct the user, the password or the name of the database in DATABASE_URL.',
  'database-version': 'Use a PostgreSQL of at least 15.',
  'postgres-missing': 'Install the package that is named, or give --database-url of a PostgreSQL of at least 15.',
  'postgres-broken': 'Install what is missing, or give --database-url of a PostgreSQL of at least 15.',
  'postgres-version': 'Dump the database with the version that made it, and load it into a new one.',
  'postgres-owner': 'Start as the user that owns the database, or give another --data-dir.',
  'postgres-failed': 'Read the log of PostgreSQL that is named.',
} as const;

/** One of the codes of {@link START_ERRORS}. */
export type StartErrorCode = keyof typeof START_ERRORS;

/** The manager cannot start: what is wrong, and what to do. The message never holds a secret. */
export class StartError extends Error {
  readonly code: StartErrorCode;
  /** The next step. */
  readonly hint: string;

  constructor(code: StartErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'StartError';
    this.code = code;
    this.hint = options.hint ?? START_ERRORS[code];
  }
}
