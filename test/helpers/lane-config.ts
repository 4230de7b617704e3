import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadLane, placeholderArtifact, renderLane } from '@agentrun/lib';
import { type LaneConfig, readConfig } from '../../manager/src/config.ts';
import { REPOSITORY } from './repository-root.ts';

/** The manager's configuration as the example lane renders it: what a deployed manager would read. */
export async function laneConfig(): Promise<LaneConfig> {
  const scratch = await mkdtemp(join(tmpdir(), 'agentrun-lane-config-'));
  try {
    const { lane } = await loadLane(join(REPOSITORY, 'lanes', 'v0.1.yaml'));
    const sourceCommit = 'c'.repeat(40);
    const { files } = renderLane(lane, { sourceCommit, artifact: placeholderArtifact(lane, sourceCommit) });
    const file = join(scratch, 'mgr.yaml');
    writeFileSync(file, files.find(({ path }) => path.endsWith('/mgr.yaml'))?.content ?? '');
    const config = await readConfig({
      argv: ['--environment', file],
      env: { DATABASE_URL: 'postgres://nobody@127.0.0.1/none', AGENTRUN_API_KEY: API_KEY },
    });
    if (config === 'help') throw new Error('help was not asked for');
    return config.manager;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The operator's key of managers in tests. */
export const API_KEY = 'operator-key-of-the-tests-0123456789';
