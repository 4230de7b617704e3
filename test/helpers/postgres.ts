import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { inject } from 'vitest';
import { databaseUrl } from './database-url.ts';
import type { TestServer } from './postgres-server.ts';

/** A database of its own for one test file, with all migrations applied. */
export interface TestDatabase {
  readonly url: string;
  readonly name: string;
  /** Closes what is still connected, and removes the database. */
  drop(): Promise<void>;
}

/**
 * Makes a database on the server of this test run; a copy of the migrated template, or an empty one.
 *
 * Needs `globalSetup: ['helpers/postgres-server.ts']` in the vitest project.
 */
export async function testDatabase(options: { readonly empty?: boolean } = {}): Promise<TestDatabase> {
  // Undefined at run time where the project does not start the server.
  const server = inject('postgres') as TestServer | undefined;
  if (server === undefined) throw new Error('this vitest project has no globalSetup "helpers/postgres-server.ts"');
  const { adminUrl, template, failure } = server;
  if (adminUrl === null || (failure !== null && options.empty !== true)) {
    throw new Error(`the PostgreSQL of this test run could not be prepared: ${failure}`);
  }
  const name = `test_${randomBytes(8).toString('hex')}`;
  await asAdmin(adminUrl, `CREATE DATABASE ${name} TEMPLATE ${options.empty === true ? 'template0' : template}`);
  return {
    url: databaseUrl(adminUrl, name),
    name,
    drop: () => asAdmin(adminUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

async function asAdmin(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
