import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Pool } from 'pg';
import type { TestProject } from 'vitest/node';
import { type EmbeddedPostgres, startEmbedded } from '../../manager/src/db/embedded.ts';
import { databaseUrl } from './database-url.ts';

/** The server of a test run. What could not be prepared fails only the tests that need it. */
export interface TestServer {
  /** Null when the server did not start. */
  readonly adminUrl: string | null;
  readonly template: string;
  /** Why there is no server, or no migrated template. */
  readonly failure: string | null;
}

declare module 'vitest' {
  interface ProvidedContext {
    postgres: TestServer;
  }
}

const TEMPLATE = 'agentrun_template';
const FOLDER = /^agentrun-test-postgres-(\d+)-/;

/**
 * Global setup of vitest: one PostgreSQL for the run, with a template that has been migrated. Debian's programs are
 * used when AGENTRUN_TEST_POSTGRES is `debian`, those of npm else. It is fast and keeps nothing safe from a crash.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { server, end } = await start();
  project.provide('postgres', server);
  return end;
}

async function start(): Promise<{ server: TestServer; end: () => Promise<void> }> {
  await removeLeftovers();
  const folder = await mkdtemp(join(tmpdir(), `agentrun-test-postgres-${process.pid}-`));
  let postgres: EmbeddedPostgres | undefined;
  const end = async () => {
    await postgres?.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    postgres = await startTestServer(folder);
    await makeTemplate(postgres.url);
    return { server: { adminUrl: postgres.url, template: TEMPLATE, failure: null }, end };
  } catch (error) {
    const failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { server: { adminUrl: postgres?.url ?? null, template: TEMPLATE, failure }, end };
  }
}

function startTestServer(folder: string): Promise<EmbeddedPostgres> {
  const directory = process.env['AGENTRUN_TEST_POSTGRES'] === 'debian' ? debianPostgres() : null;
  if (process.env['AGENTRUN_TEST_POSTGRES'] === 'debian' && directory === null) {
    throw new Error('AGENTRUN_TEST_POSTGRES is "debian", and no Debian package of PostgreSQL is installed');
  }
  return startEmbedded(folder, {
    ...(directory === null ? {} : { binDirectory: directory }),
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '300' },
  });
}

/** The programs of the newest PostgreSQL that Debian's packages installed; null when there is none. */
export function debianPostgres(): string | null {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  return versions.map((version) => join(root, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb'))) ?? null;
}

async function makeTemplate(adminUrl: string): Promise<void> {
  const admin = new Client({ connectionString: adminUrl });
  await admin.connect();
  try {
    await admin.query(`CREATE DATABASE ${TEMPLATE}`);
  } finally {
    await admin.end();
  }
  const pool = new Pool({ connectionString: databaseUrl(adminUrl, TEMPLATE) });
  try {
    const { migrate } = await import('../../manager/src/db/migrate.ts');
    await migrate(pool);
  } finally {
    await pool.end();
  }
}

/** A run that was killed leaves its server behind; the name of the folder tells whose it was. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(FOLDER.exec(name)?.[1] ?? Number.NaN);
    if (!Number.isSafeInteger(pid) || isAlive(pid)) continue;
    const folder = join(tmpdir(), name);
    try {
      // A server that still runs is adopted, and can then be stopped.
      await (await startTestServer(folder)).stop();
    } catch {
      // What cannot be started is not running.
    }
    await rm(folder, { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
