import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProfileConfig, ProfileCredential } from '@agentrun/lib/contract';
import { pino } from 'pino';
import type { LaneConfig } from '../../manager/src/config.ts';
import { openDataFolder } from '../../manager/src/local/data-folder.ts';
import { fileSecretStore } from '../../manager/src/local/file-secret-store.ts';
import { openHostProcessPlacement } from '../../manager/src/placement/host-process.ts';
import { type RunningManager, startManager } from '../../manager/src/start.ts';
import { hostFolders } from '../../manager/src/volumes/host-folders.ts';
import { freePort } from './free-port.ts';
import { API_KEY, laneConfig } from './lane-config.ts';
import { killAllWith } from './living-processes.ts';
import { type ManagerClient, managerClient } from './manager-client.ts';
import { type TestDatabase, testDatabase } from './postgres.ts';
import { runnerBundle } from './runner-process.ts';

/** A manager that starts real runners as processes of this machine, with short times. */
export interface PlacedManager extends ManagerClient {
  readonly running: RunningManager;
  readonly database: TestDatabase;
  readonly dataDir: string;
  readonly config: LaneConfig;
  readonly log: string[];
  /** Gives a profile its settings, and a credential where it needs one. */
  profile(name: string, config: ProfileConfig, credential?: ProfileCredential): Promise<void>;
  /** A run with its first turn, for which a runner is started. */
  placedTurn(prompt: string, run?: object): Promise<PlacedTurn>;
  /** Ends every runner, and removes what was made. */
  stop(): Promise<void>;
}

export interface PlacedTurn {
  readonly runId: string;
  readonly turnId: string;
}

export async function placedManager(config: Partial<LaneConfig> = {}): Promise<PlacedManager> {
  const database = await testDatabase();
  const dataDir = await mkdtemp(join(tmpdir(), 'agentrun-placed-'));
  const folder = await openDataFolder(dataDir);
  const port = await freePort();
  const lane: LaneConfig = {
    ...(await laneConfig()),
    runnerPlacement: 'host-process',
    internalManagerUrl: `http://127.0.0.1:${port}`,
    runnerIdleTimeoutMs: 300,
    staleHeartbeatFencingMs: 3000,
    cancelGracefulAbortMs: 300,
    cancelKillEscalationMs: 800,
    retryInitialBackoffMs: 10,
    retryMaxBackoffMs: 50,
    ...config,
  };
  const placement = await openHostProcessPlacement({
    folder: join(dataDir, 'attempts'),
    runnerCommand: [process.execPath, join(runnerBundle(), 'main.js')],
    path: process.env['PATH'] ?? '',
    home: dataDir,
  });
  const log: string[] = [];
  const running = await startManager({
    config: { manager: lane, apiKey: API_KEY, listen: { host: '127.0.0.1', port } },
    databaseUrl: database.url,
    placements: placement,
    volumes: hostFolders(dataDir, lane.runtimeNamespace),
    secrets: fileSecretStore(dataDir),
    log: pino({ level: 'info' }, { write: (line: string) => void log.push(line) }),
    version: '0.0.0-test',
    local: true,
    times: { claimMs: 30_000, graceMs: 0, tickMs: 50 },
    dutyRetryMs: 200,
  });
  const client = managerClient(running.url, API_KEY);
  return {
    ...client,
    running,
    database,
    dataDir,
    config: lane,
    log,
    profile: async (name, settings, credential) => {
      await client.ask('PUT', `provider-profiles/${name}/config`, settings);
      if (credential !== undefined) await client.ask('PUT', `provider-profiles/${name}/credential`, credential);
    },
    placedTurn: async (prompt, run = {}) => {
      const { id: runId } = await client.createRun(run);
      const { id: turnId } = await client.turn(runId, prompt);
      await client.ask('POST', `runs/${runId}/runner-jobs`, { commandId: turnId });
      return { runId, turnId };
    },
    stop: async () => {
      await placement.close({ leaveRunning: false, graceMs: 0 });
      await running.stop();
      killAllWith(dataDir);
      await folder.release();
      await database.drop();
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
