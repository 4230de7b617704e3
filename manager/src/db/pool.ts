import pg from 'pg';

/** What the pool needs of the logger. */
export interface PoolLog {
  warn(details: object, message: string): void;
}

/** Counts stay below 2^53: sequence numbers, epochs and sizes are read as numbers. */
const { INT8 } = pg.types.builtins;
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) => (oid === INT8 && format !== 'binary' ? Number : pg.types.getTypeParser(oid, format)),
};

export interface PoolOptions {
  readonly max?: number;
  /** Shown in `pg_stat_activity`. */
  readonly name?: string;
}

const SILENCE_MS = 10_000;

/**
 * Connections to the database, each with limits of its own: a statement at most 8 s, a wait for a lock at most 6 s, an
 * idle transaction at most 15 s. A server that hangs keeps none of these: its answer is waited for 10 s. A connection
 * that breaks while idle is told to the log and replaced.
 */
export function openPool(url: string, log: PoolLog, { max = 12, name = 'agentrun-mgr' }: PoolOptions = {}): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    types,
    application_name: name,
    connectionTimeoutMillis: 5000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    statement_timeout: 8000,
    lock_timeout: 6000,
    query_timeout: SILENCE_MS,
    idle_in_transaction_session_timeout: 15_000,
  });
  // Without a listener a server that restarts would end the process.
  pool.on('error', (error) => log.warn({ err: error }, 'a connection to the database was lost'));
  return pool;
}

/**
 * A connection of its own, outside the pool, for what lives long: LISTEN, and the lock of the duties. A server that does
 * not answer a statement for `silenceMs` counts as lost: a connection that was cut on the way tells nothing by itself.
 */
export function ownClient(url: string, name: string, silenceMs = 20_000): pg.Client {
  return new pg.Client({
    connectionString: url,
    types,
    application_name: name,
    keepAlive: true,
    connectionTimeoutMillis: 5000,
    statement_timeout: 15_000,
    query_timeout: silenceMs,
  });
}
