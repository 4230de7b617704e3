import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { LaneConfig } from '../../manager/src/config.ts';
import { fileSecretStore } from '../../manager/src/local/file-secret-store.ts';
import { type RunningManager, type StartOptions, startManager } from '../../manager/src/start.ts';
import { hostFolders } from '../../manager/src/volumes/host-folders.ts';
import { API_KEY, laneConfig } from './lane-config.ts';
import { type ManagerClient, managerClient } from './manager-client.ts';
import { type TestDatabase, testDatabase } from './postgres.ts';
import { type ScriptedPlacement, scriptedPlacement } from './scripted-placement.ts';

export interface TestManager extends ManagerClient {
  readonly running: RunningManager;
  readonly database: TestDatabase;
  readonly placement: ScriptedPlacement;
  readonly dataDir: string;
  /** Lines of the log, for tests that look for what must not be in it. */
  readonly log: string[];
  stop(): Promise<void>;
}

export interface TestManagerOptions
  extends Partial<Pick<StartOptions, 'times' | 'withoutDuties' | 'dutyRetryMs' | 'poolSize' | 'server'>> {
  readonly config?: Partial<LaneConfig>;
  /** Another manager's database, to share it; it is not dropped at the end. */
  readonly database?: TestDatabase;
  readonly placement?: ScriptedPlacement;
}

let base: Promise<LaneConfig> | undefined;

/** A manager of its own, on a database of its own, with short times and a placement that the test scripts. */
export async function testManager(options: TestManagerOptions = {}): Promise<TestManager> {
  base ??= laneConfig();
  const config: LaneConfig = {
    ...(await base),
    runnerPlacement: 'host-process',
    staleHeartbeatFencingMs: 3000,
    cancelGracefulAbortMs: 300,
    cancelKillEscalationMs: 800,
    retryInitialBackoffMs: 10,
    retryMaxBackoffMs: 50,
    ...options.config,
  };
  const database = options.database ?? (await testDatabase());
  const dataDir = await mkdtemp(join(tmpdir(), 'agentrun-manager-'));
  await mkdir(join(dataDir, 'sessions'));
  const placement = options.placement ?? scriptedPlacement();
  const log: string[] = [];
  const running = await startManager({
    config: { manager: config, apiKey: API_KEY, listen: { host: '127.0.0.1', port: 0 } },
    databaseUrl: database.url,
    placements: placement,
    volumes: hostFolders(dataDir, config.runtimeNamespace),
    secrets: fileSecretStore(dataDir),
    log: pino({ level: 'debug' }, { write: (line: string) => void log.push(line) }),
    version: '0.0.0-test',
    local: false,
    times: { claimMs: 5000, graceMs: 0, tickMs: 50, killSlackMs: 50, leaveMs: 50, ...options.times },
    dutyRetryMs: options.dutyRetryMs ?? 200,
    ...(options.withoutDuties === undefined ? {} : { withoutDuties: options.withoutDuties }),
    ...(options.poolSize === undefined ? {} : { poolSize: options.poolSize }),
    ...(options.server === undefined ? {} : { server: options.server }),
  });
  return {
    ...managerClient(running.url, API_KEY),
    running,
    database,
    placement,
    dataDir,
    log,
    stop: async () => {
      await running.stop();
      if (options.database === undefined) await database.drop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
