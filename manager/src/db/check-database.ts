import type { Pool } from 'pg';
import { StartError } from '../config/start-error.ts';
import { POSTGRES_FLOOR } from './embedded-binaries.ts';

/**
 * Connects once before anything is served, so that a wrong address or password is told as such.
 *
 * @throws StartError `database-unreachable`, `database-refused`, `database-version`; without the password
 */
export async function checkDatabase(pool: Pool, url: string): Promise<void> {
  const { host, pathname } = new URL(url);
  const name = `${host}${pathname}`;
  const version = await pool
    .query<{ version: string }>("SELECT current_setting('server_version_num') AS version")
    .then(({ rows }) => Math.floor(Number(rows[0]?.version) / 10_000))
    .catch((cause: unknown) => {
      const { code = 'no answer' } = cause as NodeJS.ErrnoException;
      // SQLSTATE 28: who asks; 3D: no such database.
      if (/^(?:28|3D)/.test(code))
        throw new StartError('database-refused', `The database ${name} refuses us (${code}).`, { cause });
      throw new StartError('database-unreachable', `The database ${name} is not reached (${code}).`, { cause });
    });
  if (version < POSTGRES_FLOOR) {
    throw new StartError('database-version', `The database ${name} is a PostgreSQL ${version}.`);
  }
}
