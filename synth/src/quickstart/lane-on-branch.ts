import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  AgentRunError,
  checkLane,
  type LoadedLane,
  loadLane,
  type PublishResult,
  placeholderArtifact,
  publishLane,
  type RenderedLane,
  readLaneCommit,
  renderLane,
  repositoryState,
  verifyLane,
} from '@agentrun/lib';
import { clientError } from '../client/client-error.ts';
import { pathInRepository } from '../repository-lookup.ts';
import type { LaneSource } from './lane-source.ts';
import { runProgram } from './program.ts';

/** A lane on its way to the branch. */
export interface LaneAtWork {
  readonly loaded: LoadedLane;
  readonly rendered: RenderedLane;
  readonly laneFile: string;
  readonly commit: Awaited<ReturnType<typeof readLaneCommit>>;
  readonly source: LaneSource;
  /** By which the branch names the repository of the lane. */
  readonly repository: string;
}

/** Renders the lane, with an image that stands for none: on this machine no image runs. */
export async function renderForBranch(source: LaneSource): Promise<LaneAtWork> {
  const loaded = await loadLane(source.path, { displayPath: source.shown });
  const state = await repositoryState(dirname(source.path));
  if (state === undefined) throw new AgentRunError('repository-missing', `${source.shown} lies in no git repository`);
  const commit = await readLaneCommit(source.path);
  const laneFile = pathInRepository(state, source.path);
  const artifact = placeholderArtifact(loaded.lane, commit.id);
  const rendered = renderLane(loaded.lane, { sourceCommit: commit.id, laneFile, artifact });
  const problems = checkLane(loaded, rendered);
  const [first] = problems;
  if (first !== undefined) throw new AgentRunError(first.code, first.message, { problems });
  return { loaded, rendered, laneFile, commit, source, repository: state.root };
}

/** Brings it to the branch of a bare repository, which is made if it is not there. */
export async function publishToBranch(
  work: LaneAtWork,
  remote: string,
  env: Readonly<Record<string, string>>,
): Promise<PublishResult> {
  if (!existsSync(remote)) await git(['init', '--quiet', '--bare', remote], dirname(remote), env);
  const { rendered, loaded, source, commit, repository } = work;
  return await publishLane(
    { rendered, text: loaded.text, path: source.path, repository, commit },
    // The branch is the quickstart's own: whatever checkout it is started from comes to it.
    { remote, allowOlder: true, force: true },
  );
}

/** @throws ClientError `branch-differs` when the branch is not what the lane renders to */
export async function verifyBranch({ rendered, laneFile, source, repository }: LaneAtWork, remote: string) {
  const { lane } = rendered;
  const directory = dirname(source.path);
  const { branch } = lane.gitops;
  const result = await verifyLane({
    remote,
    branch,
    lane: lane.version,
    laneFile,
    repository: { directory, url: repository },
  });
  if (result.status === 'equal') return result;
  const [problem] = result.problems;
  throw clientError('branch-differs', `the branch ${branch} is ${result.status}: ${problem?.message ?? ''}`);
}

/** Writes the manager's environment to a file, as it stands on the branch. */
export async function readBackEnvironment(
  { rendered }: LaneAtWork,
  remote: string,
  file: string,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const path = rendered.files.find((rendered) => rendered.path.endsWith('/mgr.yaml'))?.path ?? '';
  const object = `refs/heads/${rendered.lane.gitops.branch}:${path}`;
  await writeFile(file, await git(['--git-dir', remote, 'cat-file', 'blob', object], dirname(remote), env));
  return path;
}

async function git(args: readonly string[], cwd: string, env: Readonly<Record<string, string>>): Promise<string> {
  const { code, stdout, stderr } = await runProgram(['git', ...args], { cwd, env });
  if (code !== 0) throw new AgentRunError('git-failed', `git ${args[0]} failed: ${stderr.trim()}`);
  return stdout;
}
