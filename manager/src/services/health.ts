import type { Pool } from 'pg';
import { newestMigration } from '../store/health.ts';

/** What the manager knows of its database. */
export interface DatabaseHealth {
  readonly adapter: 'postgres';
  readonly ready: boolean;
  readonly reachable: boolean;
  readonly migrationReady: boolean;
  readonly migrationId: string | null;
  readonly failureKind: 'infra-failed' | 'unavailable' | null;
  readonly message: string | null;
  readonly credentialValuesPrinted: false;
}

const TIMEOUT_MS = 2000;

/**
 * Asks the database, for at most two seconds, which migration it has. Ready is what has the one that this manager knows
 * as the newest: a database that has more was made by a newer manager, whose schema only adds.
 */
export async function databaseHealth(pool: Pool, latest: string): Promise<DatabaseHealth> {
  const known = { adapter: 'postgres', credentialValuesPrinted: false } as const;
  let timer: NodeJS.Timeout | undefined;
  try {
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error('timeout')), TIMEOUT_MS);
    });
    const { id, hasLatest } = await Promise.race([newestMigration(pool, latest), late]);
    return {
      ...known,
      ready: hasLatest,
      reachable: true,
      migrationReady: hasLatest,
      migrationId: id,
      failureKind: hasLatest ? null : 'infra-failed',
      message: hasLatest ? null : `the database lacks migration ${latest}`,
    };
  } catch {
    return {
      ...known,
      ready: false,
      reachable: false,
      migrationReady: false,
      migrationId: null,
      failureKind: 'unavailable',
      message: 'the database is not reached',
    };
  } finally {
    clearTimeout(timer);
  }
}
