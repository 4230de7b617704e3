import type { ProfileConfig } from '@agentrun/lib/contract';
import type { Sql } from '../db/transaction.ts';

/** A profile that somebody changed or added. */
export interface BackendRow {
  readonly profile: string;
  readonly config: ProfileConfig;
  readonly updated_at: Date;
}

export async function listBackends(sql: Sql): Promise<BackendRow[]> {
  return (await sql.query<BackendRow>('SELECT * FROM agentrun_backends ORDER BY profile')).rows;
}

export async function findBackend(sql: Sql, profile: string): Promise<BackendRow | undefined> {
  const { rows } = await sql.query<BackendRow>({
    name: 'find-backend',
    text: 'SELECT * FROM agentrun_backends WHERE profile = $1',
    values: [profile],
  });
  return rows[0];
}

export async function putBackend(sql: Sql, profile: string, config: ProfileConfig): Promise<void> {
  await sql.query(
    `INSERT INTO agentrun_backends (profile, config) VALUES ($1, $2)
     ON CONFLICT (profile) DO UPDATE SET config = excluded.config, updated_at = now()`,
    [profile, config],
  );
}

/** True when there was one. */
export async function deleteBackend(sql: Sql, profile: string): Promise<boolean> {
  return (await sql.query('DELETE FROM agentrun_backends WHERE profile = $1', [profile])).rowCount === 1;
}
