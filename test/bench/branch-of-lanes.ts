import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { inventoryOf, inventoryPath, inventoryText } from '../../lib/src/gitops/inventory.ts';
import { imageArtifact, renderLane } from '../../lib/src/index.ts';
import { isolatedGitEnvironment } from '../helpers/git-remote.ts';
import { laneFileOf, laneOf, laneText } from '../helpers/publish-setup.ts';

const REPOSITORY_URL = 'ssh://git@git.example.internal/agentrun/agentrun.git';

interface BranchFile {
  readonly path: string;
  readonly content: string;
}

/** What a publish writes for one lane. Every `change` is another commit of the code, with an image of its own. */
function filesOf(number: number, change: number): BranchFile[] {
  const digest = createHash('sha256').update(`${number} ${change}`).digest('hex');
  const commit = digest.slice(0, 40);
  const text = laneText({ number });
  const lane = laneOf(text);
  const facts = { sourceCommit: commit, envIdentity: 'env-1', digest: `sha256:${digest}` };
  const artifact = imageArtifact(lane, { ...facts, status: 'built' });
  const rendered = renderLane(lane, { sourceCommit: commit, artifact, laneFile: laneFileOf(number) });
  const origin = { repository: REPOSITORY_URL, commit, text };
  const inventory = inventoryOf(rendered, origin, { name: 'agentrun', version: '0.1.0' });
  return [
    ...rendered.files.map(({ path, content }) => ({ path, content })),
    { path: inventoryPath(lane.version), content: inventoryText(inventory) },
    { path: `${lane.gitops.path}/hydrator.metadata`, content: `{\n  "drySha": "${commit}"\n}\n` },
  ];
}

/**
 * Writes a branch to a bare repository as publishes leave it: first all lanes, from the second one on, then commits that
 * each bring one lane up to date, in turns.
 *
 * @param atLeast number of files, which decides the number of lanes
 * @param updates number of commits after the first
 * @returns the number of files
 */
export function writeBranch(directory: string, branch: string, atLeast: number, updates: number): number {
  const all: BranchFile[] = [];
  let lanes = 0;
  for (; all.length < atLeast; lanes += 1) all.push(...filesOf(lanes + 2, 0));
  const commits = [all];
  for (let update = 0; update < updates; update += 1) {
    commits.push(filesOf((update % lanes) + 2, 1 + Math.floor(update / lanes)));
  }
  const input = commits.map((files, at) => commitOf(branch, 1767225600 + at, files)).join('');
  const env = isolatedGitEnvironment();
  const { status, stderr } = spawnSync('git', ['fast-import', '--quiet'], {
    cwd: directory,
    input,
    env,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`git fast-import ended with ${status}: ${stderr}`);
  return all.length;
}

function commitOf(branch: string, seconds: number, files: readonly BranchFile[]): string {
  const head = `commit refs/heads/${branch}\ncommitter Bench <bench@localhost> ${seconds} +0000\ndata 5\nlanes\n`;
  const changes = files.map(
    ({ path, content }) => `M 100644 inline ${path}\ndata ${Buffer.byteLength(content)}\n${content}\n`,
  );
  return head + changes.join('');
}
