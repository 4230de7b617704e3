import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { fileSecretStore } from '../../../manager/src/local/file-secret-store.ts';
import type { AttemptStart } from '../../../manager/src/placement/placement.ts';
import { startManager } from '../../../manager/src/start.ts';
import { hostFolders } from '../../../manager/src/volumes/host-folders.ts';
import { API_KEY, laneConfig } from '../../helpers/lane-config.ts';
import { type ManagerClient, managerClient } from '../../helpers/manager-client.ts';
import { testDatabase } from '../../helpers/postgres.ts';
import { scriptedPlacement } from '../../helpers/scripted-placement.ts';

export interface SpanningManager extends ManagerClient {
  /** The start of an attempt of this run. */
  startOf(runId: string): Promise<AttemptStart>;
  readonly log: string[];
  /** Stops it; what it has of spans is sent. */
  stop(): Promise<void>;
}

/** A manager, on a database of its own, that sends its spans to a collector; without one it sends none. */
export async function spanningManager(telemetryEndpoint: string | null): Promise<SpanningManager> {
  const config = { ...(await laneConfig()), runnerPlacement: 'host-process' as const, staleHeartbeatFencingMs: 20_000 };
  const database = await testDatabase();
  const dataDir = await mkdtemp(join(tmpdir(), 'agentrun-spans-'));
  await mkdir(join(dataDir, 'sessions'));
  const placement = scriptedPlacement();
  const log: string[] = [];
  const running = await startManager({
    config: { manager: config, apiKey: API_KEY, listen: { host: '127.0.0.1', port: 0 } },
    databaseUrl: database.url,
    placements: placement,
    volumes: hostFolders(dataDir, config.runtimeNamespace),
    secrets: fileSecretStore(dataDir),
    log: pino({ level: 'info' }, { write: (line: string) => void log.push(line) }),
    version: '0.0.0-test',
    local: false,
    times: { graceMs: 0, tickMs: 50 },
    dutyRetryMs: 200,
    telemetryEndpoint,
    spanBounds: { delayMs: 30 },
  });
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    await running.stop();
    await database.drop();
    await rm(dataDir, { recursive: true, force: true });
  };
  return {
    ...managerClient(running.url, API_KEY),
    startOf: async (runId) => {
      for (;;) {
        const start = await placement.nextStart();
        if (start.attempt.runId === runId) return start;
      }
    },
    log,
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}
