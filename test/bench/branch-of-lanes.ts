import { spawnSync } from 'node:child_process';
import { inventoryOf, inventoryPath, inventoryText } from '../../lib/src/gitops/inventory.ts';
import { imageArtifact, renderLane } from '../../lib/src/index.ts';
import { isolatedGitEnvironment } from '../helpers/git-remote.ts';
import { laneFileOf, laneOf, laneText } from '../helpers/publish-setup.ts';

const COMMIT = '1'.repeat(40);
const REPOSITORY_URL = 'ssh://git@git.example.internal/agentrun/agentrun.git';

/** What a publish writes for one lane. */
function filesOf(number: number): { path: string; content: string }[] {
  const text = laneText({ number });
  const lane = laneOf(text);
  const facts = { sourceCommit: COMMIT, envIdentity: 'env-1', digest: `sha256:${'1a2b'.repeat(16)}` };
  const artifact = imageArtifact(lane, { ...facts, status: 'built' });
  const rendered = renderLane(lane, { sourceCommit: COMMIT, artifact, laneFile: laneFileOf(number) });
  const origin = { repository: REPOSITORY_URL, commit: COMMIT, text };
  const inventory = inventoryOf(rendered, origin, { name: 'agentrun', version: '0.1.0' });
  return [
    ...rendered.files.map(({ path, content }) => ({ path, content })),
    { path: inventoryPath(lane.version), content: inventoryText(inventory) },
    { path: `${lane.gitops.path}/hydrator.metadata`, content: `{\n  "drySha": "${COMMIT}"\n}\n` },
  ];
}

/**
 * Writes a commit with the files of as many lanes as it takes, from the second one on, to a branch of a bare
 * repository.
 *
 * @returns the number of files
 */
export function writeBranch(directory: string, branch: string, atLeast: number): number {
  const changes: string[] = [];
  for (let number = 2; changes.length < atLeast; number += 1) {
    for (const { path, content } of filesOf(number)) {
      changes.push(`M 100644 inline ${path}\ndata ${Buffer.byteLength(content)}\n${content}\n`);
    }
  }
  const head = `commit refs/heads/${branch}\ncommitter Bench <bench@localhost> 1767225600 +0000\ndata 5\nlanes\n`;
  const options = {
    cwd: directory,
    input: head + changes.join(''),
    env: isolatedGitEnvironment(),
    encoding: 'utf8',
  } as const;
  const { status, stderr } = spawnSync('git', ['fast-import', '--quiet'], options);
  if (status !== 0) throw new Error(`git fast-import ended with ${status}: ${stderr}`);
  return changes.length;
}
