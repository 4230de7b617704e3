import { Failure } from '../failure.ts';
import type { ManagerServer } from '../http/server.ts';
import { type DatabaseHealth, databaseHealth } from '../services/health.ts';
import { HEALTH } from './health-answers.ts';
import type { Serving } from './serving.ts';

/** Health: `/health/live` asks nothing of anybody; readiness is 503 while the manager cannot serve. */
export function healthRoutes(app: ManagerServer, serving: Serving): void {
  const record = (ready: boolean, database: DatabaseHealth | null) => ({
    serviceId: 'agentrun-mgr',
    live: true,
    ready,
    database,
    sourceCommit: serving.config.sourceCommit,
    lane: serving.config.lane,
    auth: { operatorKey: 'configured', attemptTokens: true, valuesPrinted: false },
    runnerWorkReady: { placement: serving.config.runnerPlacement, valuesPrinted: false },
    secretRefs: { databaseUrl: 'redacted', valuesPrinted: false },
  });
  const options = { config: { auth: 'open' as const }, schema: { response: { 200: HEALTH } } };

  app.get('/health/live', options, async () => record(true, null));
  app.get('/health', options, async () => {
    const database = await databaseHealth(serving.pool, serving.latestMigration);
    return record(database.ready && app.drain.ready, database);
  });
  app.get('/health/readiness', options, async () => {
    const database = await databaseHealth(serving.pool, serving.latestMigration);
    const details = record(database.ready && app.drain.ready, database);
    if (details.ready) return details;
    const why = app.drain.ready ? (database.message ?? 'the database is not ready') : 'the manager is stopping';
    throw new Failure('unavailable', `the manager is not ready: ${why}`, { details, retryAfterMs: 1000 });
  });
}
