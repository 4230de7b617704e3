import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ManagerClient, managerClient } from './manager-client.ts';
import { renderedManager, served } from './served-manager.ts';

/** `manager/src/main.ts` in local mode, at an address that stays the same when it is killed and started again. */
export interface MainProcess extends ManagerClient {
  readonly pid: number;
  /** What it wrote, for the message of a test that fails. */
  readonly said: () => string;
  kill(signal?: NodeJS.Signals): Promise<void>;
}

export interface MainProcessOptions {
  /** The bundle of `main.ts`. */
  readonly program: string;
  /** Where its data folder is, and the rendered environment. */
  readonly folder: string;
  readonly databaseUrl: string;
  readonly port: number;
  /** The argv of a runner. */
  readonly runner: readonly string[];
}

/** Starts it, and waits until it serves. */
export async function startMain(options: MainProcessOptions): Promise<MainProcess> {
  const { program, folder, databaseUrl, port, runner } = options;
  const environment = join(folder, 'mgr.yaml');
  const dataDir = join(folder, 'data');
  await writeFile(environment, await renderedManager());
  const child = spawn(
    process.execPath,
    [program, '--environment', environment, '--data-dir', dataDir, '--port', String(port)],
    {
      env: {
        PATH: process.env['PATH'],
        HOME: folder,
        DATABASE_URL: databaseUrl,
        AGENTRUN_RUNNER_COMMAND: JSON.stringify(runner),
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  const exited = once(child, 'exit');
  const said: string[] = [];
  const url = await served(child, said);
  const { apiKeyFile } = JSON.parse(await readFile(join(dataDir, 'client.json'), 'utf8')) as { apiKeyFile: string };
  return {
    ...managerClient(url, (await readFile(apiKeyFile, 'utf8')).trim()),
    pid: child.pid ?? 0,
    said: () => said.join('\n'),
    kill: async (signal = 'SIGKILL') => {
      child.kill(signal);
      await exited;
    },
  };
}

/** What the example lane renders for the manager. */
