import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REPOSITORY } from './repository-root.ts';
import { renderedManager, served } from './served-manager.ts';

/** A manager as it is started by a person, in a process of its own and in local mode. */
export interface ManagerMain {
  readonly url: string;
  readonly key: string;
  readonly pid: number;
  /** What it holds, in bytes; with `collect` after a garbage collection, which needs the option --expose-gc. */
  memory(collect?: boolean): Promise<NodeJS.MemoryUsage>;
  stop(): Promise<void>;
}

export interface ManagerMainOptions {
  readonly databaseUrl: string;
  /** `source` runs what is there now, `dist` what was compiled. */
  readonly from: 'source' | 'dist';
  readonly nodeOptions?: readonly string[];
}

const REPORT = join(import.meta.dirname, 'report-memory.cjs');

/** Starts it on any free port, and waits until it serves. */
export async function startManagerMain({
  databaseUrl,
  from,
  nodeOptions = [],
}: ManagerMainOptions): Promise<ManagerMain> {
  const folder = await mkdtemp(join(tmpdir(), 'agentrun-manager-main-'));
  const environment = join(folder, 'mgr.yaml');
  await writeFile(environment, await renderedManager());
  const program =
    from === 'dist'
      ? [join(REPOSITORY, 'manager/bin/agentrun-manager.js')]
      : ['--conditions=@agentrun/source', '--import', 'tsx', join(REPOSITORY, 'manager/src/main.ts')];
  const dataDir = join(folder, 'data');
  const child = spawn(
    process.execPath,
    [
      '--require',
      REPORT,
      ...nodeOptions,
      ...program,
      '--environment',
      environment,
      '--data-dir',
      dataDir,
      '--port',
      '0',
    ],
    {
      cwd: REPOSITORY,
      env: { PATH: process.env['PATH'], HOME: folder, DATABASE_URL: databaseUrl },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    },
  );
  const url = await served(child, []);
  const { apiKeyFile } = JSON.parse(await readFile(join(dataDir, 'client.json'), 'utf8')) as { apiKeyFile: string };
  return {
    url,
    key: (await readFile(apiKeyFile, 'utf8')).trim(),
    pid: child.pid ?? 0,
    memory: async (collect = false) => {
      const answer = once(child, 'message') as Promise<[NodeJS.MemoryUsage]>;
      child.send({ collect });
      return (await answer)[0];
    },
    stop: async () => {
      const exit = once(child, 'exit');
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        await exit;
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}
