import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestManager, testManager } from '../../helpers/manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await testManager();
});
afterAll(() => manager.stop());

const get = (path: string) => manager.request(`GET`, path);

/** What an operator of the database does when the manager cannot reach it any more. */
async function withoutDatabase<T>(work: () => Promise<T>): Promise<T> {
  const url = new URL(manager.database.url);
  const name = url.pathname.slice(1);
  url.pathname = '/postgres';
  const admin = new Client({ connectionString: url.href });
  await admin.connect();
  try {
    await admin.query(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS false`);
    await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
    return await work();
  } finally {
    await admin.query(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS true`);
    await admin.end();
  }
}

describe('health', () => {
  it('tells what the manager is and knows, to everybody, and no secret', async () => {
    const response = await fetch(`${manager.url}/health`);
    const { data } = (await response.json()) as { data: Record<string, unknown> };
    expect({ status: response.status, data }).toMatchObject({
      status: 200,
      data: {
        serviceId: 'agentrun-mgr',
        live: true,
        ready: true,
        database: {
          adapter: 'postgres',
          ready: true,
          reachable: true,
          migrationReady: true,
          failureKind: null,
          message: null,
          credentialValuesPrinted: false,
        },
        sourceCommit: 'c'.repeat(40),
        lane: 'v0.1',
        secretRefs: { databaseUrl: 'redacted', valuesPrinted: false },
      },
    });
    expect(JSON.stringify(data)).not.toContain(new URL(manager.database.url).password);
    expect(data['database']).toMatchObject({ migrationId: manager.running.serving.latestMigration });
  });

  it('says 503 of readiness without the database, lives without it, and is ready again with it', async () => {
    await withoutDatabase(async () => {
      await expect.poll(async () => (await get('/health/readiness')).status).toBe(503);
      const refused = await get('/health/readiness');
      expect(refused).toMatchObject({
        failureKind: 'unavailable',
        error: { details: { live: true, ready: false, database: { ready: false, reachable: false } } },
      });
      expect(refused.headers.get('retry-after')).toBe('1');
      expect(refused.headers.get('content-type')).toContain('application/problem+json');
      expect(await get('/health/live')).toMatchObject({
        status: 200,
        data: { live: true, ready: true, database: null },
      });
      expect(await get('/health')).toMatchObject({
        status: 200,
        data: { ready: false, database: { reachable: false, failureKind: 'unavailable' } },
      });
      const request = await manager.request('GET', 'runs');
      expect(request).toMatchObject({ status: 503, failureKind: 'unavailable', retryable: true });
      expect(request.message).not.toMatch(/postgres|database "/);
    });
    await expect.poll(async () => (await get('/health/readiness')).status).toBe(200);
    expect((await manager.createRun()).status).toBe('pending');
  });

  it('is not ready with a database that lacks a migration, and is with one that has more', async () => {
    const { pool, latestMigration } = manager.running.serving;
    await pool.query(`INSERT INTO agentrun_schema_migrations (id, checksum) VALUES ('999-of-a-newer-manager', 'x')`);
    expect(await get('/health/readiness')).toMatchObject({ status: 200 });
    const { rows } = await pool.query('DELETE FROM agentrun_schema_migrations WHERE id = $1 RETURNING *', [
      latestMigration,
    ]);
    try {
      expect(await get('/health/readiness')).toMatchObject({
        status: 503,
        error: { details: { database: { reachable: true, migrationReady: false, failureKind: 'infra-failed' } } },
      });
    } finally {
      await pool.query(
        'INSERT INTO agentrun_schema_migrations SELECT * FROM json_populate_recordset(NULL::agentrun_schema_migrations, $1)',
        [JSON.stringify(rows)],
      );
    }
  });
});
