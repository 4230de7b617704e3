import type { FastifyBaseLogger } from 'fastify';
import { buildApp } from './app.ts';
import type { Config } from './config.ts';
import { checkDatabase } from './db/check-database.ts';
import { migrate, readMigrations } from './db/migrate.ts';
import { openPool } from './db/pool.ts';
import type { ManagerServer, ServerOptions } from './http/server.ts';
import { EventNews } from './live/event-news.ts';
import { listen } from './live/listener.ts';
import { readRun } from './live/run-stream.ts';
import { RunTails } from './live/run-tails.ts';
import { createWakeups } from './live/wakeups.ts';
import type { SecretStore } from './local/secret-store.ts';
import type { WithStarts } from './maintenance/attempt-start.ts';
import { type DutyCounts, startDuties } from './maintenance/duties.ts';
import type { Placement } from './placement/placement.ts';
import { storedProfiles } from './profiles/stored-profiles.ts';
import type { Serving } from './routes/serving.ts';
import { TIMES, type Times } from './services/manager.ts';
import { findRun } from './store/runs.ts';
import { knownSecrets } from './telemetry/known-secrets.ts';
import { Metrics } from './telemetry/metrics.ts';
import { serviceMetrics } from './telemetry/service-metrics.ts';
import { openSpans, type SpanBounds } from './telemetry/spans.ts';
import type { Volumes } from './volumes/volumes.ts';

/** What a manager is made of; everything is open already but the connections to the database. */
export interface StartOptions {
  readonly config: Pick<Config, 'manager' | 'apiKey' | 'listen'>;
  readonly databaseUrl: string;
  readonly placements: Placement;
  readonly volumes: Volumes;
  /** Where credentials are kept. */
  readonly secrets: SecretStore;
  readonly log: FastifyBaseLogger;
  readonly version: string;
  readonly local: boolean;
  readonly times?: Partial<Times>;
  /** Between two tries for the duties, in milliseconds. */
  readonly dutyRetryMs?: number;
  /** For tests: none of the duties is done here. */
  readonly withoutDuties?: boolean;
  readonly poolSize?: number;
  /** Where spans go: the URL of a collector for OTLP over HTTP; absent or null for no spans. */
  readonly telemetryEndpoint?: string | null;
  /** What spans may cost, where it is not the usual. */
  readonly spanBounds?: Partial<SpanBounds>;
  readonly server?: Pick<ServerOptions, 'timeouts' | 'heartbeatMs'>;
}

export interface RunningManager {
  /** Where it listens, with the port that it got. */
  readonly url: string;
  readonly app: ManagerServer;
  readonly serving: Serving & WithStarts;
  /** Whether it does the duties of its database now. */
  readonly onDuty: boolean;
  /** Drains and ends everything that it opened; the placement is left to the caller. */
  stop(): Promise<void>;
}

const DRAIN_MS = 8000;

/**
 * Migrates the database, does the duties when nobody else does, and serves.
 *
 * Its end is in the order that loses nothing: no new work, waiting requests are answered, streams end with their last
 * id, requests that run are finished, the duties go to another manager, and the connections close last.
 */
export async function startManager(options: StartOptions): Promise<RunningManager> {
  const { config, databaseUrl, log, placements, volumes, secrets } = options;
  const pool = openPool(databaseUrl, log, options.poolSize === undefined ? {} : { max: options.poolSize });
  try {
    await checkDatabase(pool, databaseUrl);
    const migrations = await readMigrations();
    await migrate(pool, migrations);
    const wakeups = createWakeups();
    const redact = knownSecrets([config.apiKey]);
    const profiles = storedProfiles({
      pool,
      secrets,
      namespace: config.manager.runtimeNamespace,
      secretName: `${config.manager.managerServiceAccount}-provider-credentials`,
      onSecret: (value) => redact.learn(value),
    });
    // Whatever is configured must not be shown from the first request on.
    await profiles.list();
    const manager = {
      pool,
      config: config.manager,
      times: { ...TIMES, ...options.times },
      wakeups,
      redact,
      profiles,
      placements,
      volumes,
    };
    const serving = {
      ...manager,
      news: new EventNews(pool, wakeups, log),
      tails: new RunTails((...read) => readRun(manager, ...read), wakeups),
      latestMigration: migrations.at(-1)?.id ?? '',
    };
    const metrics = new Metrics();
    const spans = await openSpans({
      endpoint: options.telemetryEndpoint ?? null,
      version: options.version,
      lane: config.manager.lane,
      redact,
      log,
      metrics,
      traceOfRun: async (runId) => (await findRun(pool, runId))?.trace_sink?.traceparent ?? null,
      ...(options.spanBounds === undefined ? {} : { bounds: options.spanBounds }),
    });
    const app = await buildApp(serving, {
      log,
      version: options.version,
      operatorKey: config.apiKey,
      local: options.local,
      metrics,
      spans,
      ...options.server,
    });
    const counts: DutyCounts = serviceMetrics(metrics, serving);
    const listener = listen(databaseUrl, wakeups, log);
    const duty =
      options.withoutDuties === true
        ? undefined
        : startDuties(serving, {
            url: databaseUrl,
            log,
            counts,
            ...(options.dutyRetryMs === undefined ? {} : { retryMs: options.dutyRetryMs }),
          });
    const url = await app.listen(config.listen);
    return {
      url,
      app,
      serving,
      get onDuty() {
        return duty?.held ?? false;
      },
      stop: async () => {
        await app.drain.begin({ deadlineMs: DRAIN_MS });
        await duty?.stop();
        await listener.stop();
        await spans.close();
        await pool.end();
      },
    };
  } catch (error) {
    await pool.end();
    throw error;
  }
}
