import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';

/** What a store function works on: one connection within a transaction, or the pool for a single statement. */
export type Sql = Pick<PoolClient, 'query'>;

const TRIES = 6;
/** Deadlock, serialization failure: the same work may succeed at once. */
const AGAIN = new Set(['40P01', '40001']);

/**
 * Runs work in one transaction, and again when the database says that two of them stood in each other's way. The work
 * must have no effect but on the database. A client whose rollback fails is thrown away, and the first error is told.
 */
export async function inTransaction<T>(pool: Pool, work: (sql: Sql) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await once(pool, work);
    } catch (error) {
      if (attempt === TRIES || !AGAIN.has(codeOf(error))) throw error;
      await sleep(Math.random() * 10 * 2 ** attempt);
    }
  }
}

async function once<T>(pool: Pool, work: (sql: Sql) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // A connection that is cut between two statements says so by this event, which must not end the process.
  const onError = (error: Error) => {
    broken = error;
  };
  client.on('error', onError);
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    try {
      // A statement that was given up is still under way on its connection: nothing can be said after it.
      if (isGivenUp(error)) throw error;
      await client.query('ROLLBACK');
    } catch (rollback) {
      broken ??= rollback instanceof Error ? rollback : new Error('the rollback failed');
    }
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}

function isGivenUp(error: unknown): boolean {
  return error instanceof Error && error.message === 'Query read timeout';
}

/** The SQLSTATE of an error, or an empty text. */
export function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';
}
