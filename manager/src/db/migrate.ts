import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { Failure } from '../failure.ts';

/** One file of `manager/migrations`: applied once, in the order of its name, and never changed after. */
export interface Migration {
  readonly id: string;
  readonly sql: string;
  /** SHA-256 of the text, in hex. */
  readonly checksum: string;
}

const FOLDER = join(import.meta.dirname, '..', '..', 'migrations');
/** Any number, the same in every manager: who holds it migrates. */
const LOCK = 4_201_701;
/** A migration, and the wait for the manager that makes it, may take long. */
const patient = (text: string) => ({ text, query_timeout: 24 * 3_600_000 });

export async function readMigrations(folder: string = FOLDER): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  return await Promise.all(
    names.map(async (name) => {
      const sql = await readFile(join(folder, name), 'utf8');
      return { id: name.slice(0, -'.sql'.length), sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

/**
 * Brings the database to the newest migration: all in one transaction, by one manager at a time. A database that knows
 * more than these migrations is left as it is: a newer manager made it, and newer schemas only add.
 *
 * @throws Failure `infra-failed` when a migration that was applied has another text now.
 */
export async function migrate(pool: Pool, migrations?: readonly Migration[]): Promise<void> {
  const wanted = migrations ?? (await readMigrations());
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query('SET LOCAL statement_timeout = 0');
    await client.query('SET LOCAL lock_timeout = 0');
    await client.query(patient(`SELECT pg_advisory_xact_lock(${LOCK})`));
    await client.query(
      `CREATE TABLE IF NOT EXISTS agentrun_schema_migrations (
         id text COLLATE "C" PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`,
    );
    const { rows } = await client.query<{ id: string; checksum: string }>(
      'SELECT id, checksum FROM agentrun_schema_migrations',
    );
    const applied = new Map(rows.map(({ id, checksum }) => [id, checksum]));
    for (const { id, sql, checksum } of wanted) {
      const former = applied.get(id);
      if (former === checksum) continue;
      if (former !== undefined) {
        throw new Failure('infra-failed', `migration ${id} was changed after it was applied: restore its file`, {
          details: { migrationId: id },
        });
      }
      await client.query(patient(sql));
      await client.query('INSERT INTO agentrun_schema_migrations (id, checksum) VALUES ($1, $2)', [id, checksum]);
    }
    await client.query('COMMIT');
    client.release();
  } catch (error) {
    // The connection is thrown away: with it goes the transaction, whatever state it is in.
    client.release(true);
    throw error;
  }
}
