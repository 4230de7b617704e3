import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RUNNER_NODE_OPTIONS, redactor } from '@agentrun/lib/contract';
import { replacementLines } from './config/local-replacements.ts';
import { StartError } from './config/start-error.ts';
import type { Config } from './config.ts';
import { writeClientFile } from './local/client-file.ts';
import { openDataFolder } from './local/data-folder.ts';
import { fileSecretStore } from './local/file-secret-store.ts';
import { noSecrets } from './local/no-secrets.ts';
import { openHostProcessPlacement } from './placement/host-process.ts';
import type { Placement } from './placement/placement.ts';
import { unavailablePlacement } from './placement/unavailable.ts';
import { type RunningManager, startManager } from './start.ts';
import { createLog } from './telemetry/log.ts';
import { VERSION } from './version.ts';
import { hostFolders } from './volumes/host-folders.ts';
import { unavailableVolumes } from './volumes/unavailable.ts';
import type { Volumes } from './volumes/volumes.ts';

/** How a manager stops. */
interface StopOptions {
  /** True: runners go on, and the next manager adopts them. False: they are interrupted, and ended after 5 s. */
  readonly leaveRunning: boolean;
  /** Milliseconds for the interrupt; default 5000. */
  readonly graceMs?: number;
}

/** A manager with all that it opened. */
export interface Service {
  readonly url: string;
  stop(options: StopOptions): Promise<void>;
}

/** Time that interrupted runners have by default, in milliseconds. */
const GRACE_MS = 5000;

/** The runner that is installed beside the manager. */
const INSTALLED_RUNNER = fileURLToPath(new URL('../../runner/bin/agentrun-runner.js', import.meta.url));

/** Undoes what was opened, the last first; one that fails does not keep the others from it. */
class Opened {
  readonly #undo: (() => Promise<unknown>)[] = [];

  push(undo: () => Promise<unknown>): void {
    this.#undo.push(undo);
  }

  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const undo of this.#undo.splice(0).reverse()) {
      try {
        await undo();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}

/**
 * Opens everything that a configuration asks for, in local mode the data folder and PostgreSQL too, and serves. What
 * local mode replaces is told by `print`.
 *
 * It stops in the opposite order: requests, duties, connections, runners, and PostgreSQL last. Only runners that shall
 * not be left running end before all else.
 *
 * @throws StartError
 */
export async function serve(config: Config, print: (line: string) => void): Promise<Service> {
  const opened = new Opened();
  try {
    for (const line of replacementLines(config.replaced)) print(line);
    const dataDir = config.local?.dataDir;
    if (dataDir !== undefined) {
      const folder = await openDataFolder(dataDir);
      opened.push(() => folder.release());
      print(`data: ${dataDir}`);
    }
    const databaseUrl = await openDatabase(config, opened);
    const placements = await openPlacement(config);
    let leaveRunning = true;
    let graceMs = GRACE_MS;
    opened.push(() => placements.close({ leaveRunning, graceMs }));
    const log = createLog({ redactor: redactor([config.apiKey, databaseUrl]) });
    const running = await start(config, { databaseUrl, placements, volumes: volumesOf(config), log });
    opened.push(() => running.stop());
    if (config.local !== null) {
      const { apiKeyFile, dataDir: folder } = config.local;
      opened.push(await writeClientFile(folder, { url: running.url, apiKeyFile }));
    }
    let closing: Promise<void> | undefined;
    const close = async () => {
      // Runners that shall end are told while they are still heard: they report how their turns ended.
      if (!leaveRunning) await placements.close({ leaveRunning, graceMs });
      await opened.close();
    };
    return {
      url: running.url,
      stop: async (how) => {
        ({ leaveRunning, graceMs = GRACE_MS } = how);
        // Asked again meanwhile: the runners have less time, and the end that is under way is waited for.
        const hurried = closing && placements.close({ leaveRunning, graceMs });
        closing ??= close();
        await Promise.all([closing, hurried]);
      },
    };
  } catch (error) {
    await opened.close().catch(() => undefined);
    throw error;
  }
}

async function openDatabase({ database }: Config, opened: Opened): Promise<string> {
  if ('url' in database) return database.url;
  const { startEmbedded } = await import('./db/embedded.ts');
  const postgres = await startEmbedded(database.embedded.dataDir);
  opened.push(() => postgres.stop());
  return postgres.url;
}

async function openPlacement({ manager, local, host, runnerCommand }: Config): Promise<Placement> {
  if (manager.runnerPlacement !== 'host-process') return unavailablePlacement(manager.runnerPlacement);
  return await openHostProcessPlacement({
    folder: join(local?.dataDir ?? host.home, 'attempts'),
    runnerCommand: runnerCommand ?? [process.execPath, ...RUNNER_NODE_OPTIONS, INSTALLED_RUNNER],
    path: host.path,
    home: host.home,
  });
}

function volumesOf({ manager, local }: Config): Volumes {
  return local === null ? unavailableVolumes() : hostFolders(local.dataDir, manager.runtimeNamespace);
}

async function start(
  config: Config,
  parts: { databaseUrl: string; placements: Placement; volumes: Volumes; log: ReturnType<typeof createLog> },
): Promise<RunningManager> {
  try {
    return await startManager({
      config,
      ...parts,
      secrets: config.local === null ? noSecrets() : fileSecretStore(config.local.dataDir),
      version: VERSION,
      local: config.local !== null,
      telemetryEndpoint: config.telemetryEndpoint,
    });
  } catch (error) {
    const { code, port } = error as NodeJS.ErrnoException & { port?: number };
    if (code !== 'EADDRINUSE') throw error;
    throw new StartError('port-in-use', `Port ${port} of ${config.listen.host} is in use.`, { cause: error });
  }
}
