import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { startEmbedded } from '../../manager/src/db/embedded.ts';
import { type ManagerMain, startManagerMain } from '../helpers/manager-main.ts';
import { LeanConnection } from './lean-http.ts';

/** A compiled manager, and a PostgreSQL that keeps every commit, each in processes of its own. */
export interface Bench {
  readonly manager: ManagerMain;
  readonly databaseUrl: string;
  /** Process id of the PostgreSQL server. */
  readonly postgresPid: number;
  /** A connection to the database, for what is prepared. */
  readonly sql: Client;
  /** The headers of the operator. */
  readonly operator: string;
  connect(count: number): LeanConnection[];
  end(): Promise<void>;
}

/** What keeps a commit safe stays on; memory as for the references. */
export const POSTGRES_SETTINGS = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  shared_buffers: '256MB',
  max_connections: '200',
} as const;

export async function openBench(): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), 'agentrun-bench-'));
  const postgres = await startEmbedded(folder, { settings: POSTGRES_SETTINGS });
  const sql = new Client({ connectionString: postgres.url });
  const endDatabase = async () => {
    await sql.end();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await sql.connect();
    const nodeOptions = (process.env['BENCH_NODE_OPTIONS'] ?? '').split(' ').filter((option) => option !== '');
    const manager = await startManagerMain({ databaseUrl: postgres.url, from: 'dist', nodeOptions });
    const connections: LeanConnection[] = [];
    return {
      manager,
      databaseUrl: postgres.url,
      postgresPid: postgres.pid,
      sql,
      operator: `Authorization: Bearer ${manager.key}\r\n`,
      connect: (count) => {
        const made = Array.from({ length: count }, () => new LeanConnection(manager.url));
        connections.push(...made);
        return made;
      },
      end: async () => {
        for (const connection of connections) connection.close();
        await manager.stop();
        await endDatabase();
      },
    };
  } catch (error) {
    await endDatabase();
    throw error;
  }
}

/** A run that is held by a runner which need not beat. */
export interface HeldRun {
  readonly runId: string;
  readonly attemptId: string;
  readonly runnerId: string;
  /** Of the runner, with its epoch. */
  readonly headers: string;
}

const RUN = JSON.stringify({
  tenantId: 'bench',
  projectId: 'bench',
  providerId: 'bench',
  backendProfile: 'codex',
  workspaceRef: { kind: 'ephemeral' },
});

/** Makes pending runs, each with a registered runner. */
export async function pendingRuns(bench: Bench, count: number): Promise<HeldRun[]> {
  const { operator: headers } = bench;
  return await inParallel(bench.connect(12), count, async (connection) => {
    const { id: runId } = await connection.data<{ id: string }>({
      method: 'POST',
      path: '/api/v1/runs',
      headers,
      body: RUN,
    });
    const runner = await connection.data<{ id: string; attemptId: string; token: string }>({
      method: 'POST',
      path: '/api/v1/runners/register',
      headers,
      body: JSON.stringify({ runId }),
    });
    return {
      runId,
      attemptId: runner.attemptId,
      runnerId: runner.id,
      headers: `Authorization: Bearer ${runner.token}\r\nRunner-Epoch: 1\r\n`,
    };
  });
}

export async function claim(connection: LeanConnection, { runId, runnerId, headers }: HeldRun): Promise<void> {
  const body = JSON.stringify({ runnerId });
  await connection.data({ method: 'POST', path: `/api/v1/runs/${runId}/claim`, headers, body });
}

/** Makes runs that are claimed, with leases that last as long as the measurements. */
export async function heldRuns(bench: Bench, count: number): Promise<HeldRun[]> {
  const runs = await pendingRuns(bench, count);
  const waiting = [...runs];
  await inParallel(bench.connect(12), count, async (connection) => {
    const run = waiting.pop();
    if (run !== undefined) await claim(connection, run);
  });
  await bench.sql.query(`UPDATE agentrun_runs SET lease_expires_at = now() + interval '1 day' WHERE id = ANY ($1)`, [
    runs.map(({ runId }) => runId),
  ]);
  return runs;
}

/** Does a thing so many times, over connections each of which does one at a time. */
export async function inParallel<T>(
  connections: readonly LeanConnection[],
  count: number,
  work: (connection: LeanConnection) => Promise<T>,
): Promise<T[]> {
  const done: T[] = [];
  let left = count;
  await Promise.all(
    connections.map(async (connection) => {
      while (left > 0) {
        left -= 1;
        done.push(await work(connection));
      }
    }),
  );
  return done;
}
