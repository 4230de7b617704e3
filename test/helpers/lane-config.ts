import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadLane, placeholderArtifact, renderLane } from '@agentrun/lib';
import { readRenderedEnvironment } from '../../manager/src/config/rendered-environment.ts';
import { type LaneConfig, readConfig } from '../../manager/src/config.ts';
import { REPOSITORY } from './repository-root.ts';

/** The environment of the manager as the example lane renders it, without the values of Secrets. */
export async function laneEnvironment(): Promise<Record<string, string>> {
  return await withRendered(async (file) => {
    const variables = await readRenderedEnvironment(file);
    return Object.fromEntries(variables.flatMap((row) => ('value' in row ? [[row.name, row.value]] : [])));
  });
}

/** The manager's configuration as the example lane renders it: what a deployed manager would read. */
export async function laneConfig(): Promise<LaneConfig> {
  return await withRendered(async (file) => {
    const config = await readConfig({
      argv: ['--environment', file],
      env: { DATABASE_URL: 'postgres://nobody@127.0.0.1/none', AGENTRUN_API_KEY: API_KEY },
    });
    if (config === 'help') throw new Error('help was not asked for');
    return config.manager;
  });
}

/** Gives the rendered mgr.yaml of the example lane, as a file. */
async function withRendered<T>(work: (file: string) => Promise<T>): Promise<T> {
  const scratch = await mkdtemp(join(tmpdir(), 'agentrun-lane-config-'));
  try {
    const { lane } = await loadLane(join(REPOSITORY, 'lanes', 'v0.1.yaml'));
    const sourceCommit = 'c'.repeat(40);
    const { files } = renderLane(lane, { sourceCommit, artifact: placeholderArtifact(lane, sourceCommit) });
    const file = join(scratch, 'mgr.yaml');
    writeFileSync(file, files.find(({ path }) => path.endsWith('/mgr.yaml'))?.content ?? '');
    return await work(file);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The operator's key of managers in tests. */
export const API_KEY = 'operator-key-of-the-tests-0123456789';
