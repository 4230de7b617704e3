import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  AgentRunError,
  defaultLaneFile,
  imageArtifact,
  type LoadedLane,
  placeholderArtifact,
  publishedArtifact,
  type RenderInput,
  type RepositoryState,
  readArtifact,
  sameRepository,
} from '@agentrun/lib';
import { pathInRepository, type RepositoryLookup } from './repository-lookup.ts';

/** What says which commit and image a lane is rendered with. */
export interface RenderOptions {
  readonly sourceCommit?: string;
  readonly artifact?: string;
  readonly imageDigest?: string;
  readonly envIdentity?: string;
  readonly placeholder?: boolean;
  readonly allowDirty?: boolean;
  /** Whether the output goes to a branch. */
  readonly publishes?: boolean;
  /** Where `--artifact branch` looks; default the lane's GitOps repository and branch. */
  readonly remote?: string;
  readonly branch?: string;
}

/** @throws AgentRunError `usage` or `artifact-missing` unless exactly one way to name the image is given */
export function assertOneArtifact(options: RenderOptions): void {
  const byDigest = options.imageDigest !== undefined || options.envIdentity !== undefined;
  if (byDigest && (options.imageDigest === undefined || options.envIdentity === undefined)) {
    throw new AgentRunError('usage', '--image-digest and --env-identity go together');
  }
  const given = [options.artifact !== undefined, byDigest, options.placeholder === true].filter(Boolean).length;
  if (given === 0) throw new AgentRunError('artifact-missing', 'nothing says which image the lane runs');
  if (given > 1) {
    throw new AgentRunError(
      'usage',
      '--artifact, --image-digest with --env-identity, and --placeholder exclude each other',
    );
  }
}

/** Works out commit, image and lane path for one lane. */
export async function renderInput(
  loaded: LoadedLane,
  path: string,
  options: RenderOptions,
  cwd: string,
  repositories: RepositoryLookup,
): Promise<RenderInput> {
  // With both given, git has nothing to add.
  const state =
    options.sourceCommit !== undefined && options.allowDirty === true ? undefined : await repositories(path);
  if (state !== undefined && options.allowDirty !== true) refuseDirty(state, options.publishes === true);
  const laneFile = state === undefined ? defaultLaneFile(loaded.lane) : pathInRepository(state, path);
  const sourceCommit = commitOf(loaded, state, options);
  return { sourceCommit, laneFile, artifact: await artifactOf(loaded, sourceCommit, laneFile, options, cwd) };
}

function refuseDirty({ changed }: RepositoryState, publishes: boolean): void {
  const [first] = changed;
  if (first === undefined) return;
  const more = changed.length > 1 ? ` and ${changed.length - 1} more` : '';
  throw new AgentRunError(
    'repository-dirty',
    `the repository has changes that are not committed: ${first}${more}; the output would name a commit that does not hold them`,
    publishes ? { hint: 'Commit the change, and publish again.' } : {},
  );
}

/** The repository's own commit counts where it is the lane's source, or where no image is meant to run anyway. */
function commitOf(loaded: LoadedLane, state: RepositoryState | undefined, options: RenderOptions): string {
  if (options.sourceCommit !== undefined) return options.sourceCommit;
  const { remote } = loaded.lane.source;
  if (state?.head === undefined) {
    throw new AgentRunError('repository-missing', `${loaded.file} lies in no git repository with a commit`);
  }
  if (options.placeholder !== true && !state.remotes.some(({ url }) => sameRepository(url, remote))) {
    throw new AgentRunError(
      'source-commit-missing',
      `the lane boots code of ${remote}, which is no remote of the repository that holds ${loaded.file}`,
    );
  }
  return state.head;
}

async function artifactOf(
  loaded: LoadedLane,
  sourceCommit: string,
  laneFile: string,
  options: RenderOptions,
  cwd: string,
) {
  const { lane } = loaded;
  if (options.placeholder === true) return placeholderArtifact(lane, sourceCommit);
  if (options.artifact === undefined) {
    const facts = {
      envIdentity: options.envIdentity ?? '',
      digest: options.imageDigest ?? '',
      status: 'built',
    } as const;
    return imageArtifact(lane, { ...facts, sourceCommit, laneFile });
  }
  if (options.artifact === 'branch') {
    const remote = options.remote ?? lane.gitops.repoURL;
    return publishedArtifact({
      lane,
      sourceCommit,
      laneFile,
      cwd,
      remote,
      branch: options.branch ?? lane.gitops.branch,
    });
  }
  const file = options.artifact.replaceAll('{lane}', lane.version);
  let text: string;
  try {
    const path = resolve(cwd, file);
    const stats = await stat(path);
    if (!stats.isFile() || stats.size > LARGEST_ARTIFACT) throw new Error('it is no file of less than 1 MiB');
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new AgentRunError('artifact-invalid', `the artifact ${file} cannot be read: ${reasonOf(cause)}`, { cause });
  }
  const artifact = readArtifact(text, file, lane, sourceCommit, laneFile);
  if (artifact.status === 'placeholder') {
    throw new AgentRunError('artifact-invalid', `${file} holds the placeholder, which is no image`, {
      hint: 'Pass --placeholder if a lane that cannot run is meant.',
    });
  }
  return artifact;
}

/** A record is less than a kilobyte. */
const LARGEST_ARTIFACT = 1024 * 1024;

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
