import { AgentRunError, type ErrorCode, type Problem } from '../errors.ts';
import { renderLane } from '../render/render-lane.ts';
import { artifactForLane } from '../artifacts/artifact-rules.ts';
import { runtimeDirectory } from '../lane/rendered-paths.ts';
import { GENERATOR_NAME, GENERATOR_VERSION } from '../render/generator.gen.ts';
import { type BranchState, blobId, fetchBranch, readBlobs } from './branch-snapshot.ts';
import { type Environment, type Git, GitFailure, gitIn, inDisposableRepository } from './git.ts';
import { laneOfInventory, type LaneInventory, parseInventory } from './inventory.ts';
import { laneAtCommit, type LaneRepository } from './lane-at-commit.ts';
import { findPublishCommit, type PublishCommit } from './publish-history.ts';
import { remoteFailure, resolveRemote } from './remote.ts';
import { type RenderedAgain, renderAgain } from './render-again.ts';

export interface VerifyOptions {
  /** A path or a URL; ssh, http and https URLs without a password. */
  readonly remote: string;
  /** What a relative path is relative to; default the working directory. */
  readonly cwd?: string;
  readonly branch: string;
  /** Version of the lane. */
  readonly lane: string;
  /** Where the lane's commits are looked up; the checked-out one decides what is stale. */
  readonly repository: LaneRepository;
  /** Whether the publish commit must carry a signature that git trusts. */
  readonly requireSignature?: boolean;
  /** File of ssh keys that may sign, as `gpg.ssh.allowedSignersFile`; default git's configuration. */
  readonly allowedSigners?: string;
  readonly environment?: Environment;
}

/** Whether a branch is what its source says; the first that applies. */
export type VerifyStatus = 'tampered' | 'renderer-differs' | 'stale' | 'equal';

export interface VerifyResult {
  readonly status: VerifyStatus;
  /** The newest commit of the branch. */
  readonly commit: string;
  /** The newest commit that published the lane. */
  readonly publishCommit: string;
  /** Every difference, one problem for each file. */
  readonly problems: readonly Problem[];
  /** Files that no lane owns, outside of the directory that Argo CD syncs. */
  readonly foreignFiles: readonly string[];
  readonly filesDigest: string;
}

/**
 * Asks whether a GitOps branch is what its source renders to: reads where the lane's files come from, renders that
 * source again, and compares every file.
 *
 * @throws AgentRunError when the question cannot be answered: unreachable, never published, no such commit
 */
export async function verifyLane(options: VerifyOptions): Promise<VerifyResult> {
  const { branch, lane, repository } = options;
  const remote = resolveRemote(options.remote, options.cwd);
  return inDisposableRepository(async (git) => {
    const asked = async <T>(work: Promise<T>): Promise<T> =>
      work.catch((error: unknown) => {
        throw error instanceof GitFailure ? remoteFailure(error, remote) : error;
      });
    const state = await asked(fetchBranch(git, remote, branch));
    if (state.head === undefined) throw new AgentRunError('lane-not-published', `the branch ${branch} does not exist`);
    const published = await asked(findPublishCommit(git, remote, branch, state.head, lane));
    const again = await renderAgain(git, published, repository);
    const renderer = rendererProblem(again, published);
    const problems = [
      ...(options.requireSignature === true ? await signatureProblems(git, published, options) : []),
      ...differences(state, again, renderer === undefined),
    ];
    const stale = await staleProblem(git, again, repository);
    const status: VerifyStatus =
      problems.length > 0 ? 'tampered' : renderer !== undefined ? 'renderer-differs' : stale !== undefined ? 'stale' : 'equal';
    return {
      status,
      commit: state.head,
      publishCommit: published.id,
      problems: [...problems, ...(renderer === undefined ? [] : [renderer]), ...(stale === undefined ? [] : [stale])],
      foreignFiles: await foreignFiles(git, state, again),
      filesDigest: again.inventory.filesDigest,
    };
  }, options.environment);
}

const problem = (code: ErrorCode, message: string, file?: string): Problem => ({
  code,
  severity: 'error',
  message,
  ...(file === undefined ? {} : { file }),
});

/** Another version of the renderer made other bytes: then only the publish commit can say what belongs there. */
function rendererProblem({ inventory, rendered }: RenderedAgain, { provenance }: PublishCommit): Problem | undefined {
  const current = `${GENERATOR_NAME}@${GENERATOR_VERSION}`;
  if (provenance.generator === current || rendered.filesDigest === inventory.filesDigest) return undefined;
  return problem('renderer-differs', `lane ${inventory.lane} was published by ${provenance.generator}; this is ${current}, which renders other bytes`);
}

/** Every file of the lane that is not as it was published, or not as its source says. */
function differences(state: BranchState, again: RenderedAgain, sameRenderer: boolean): Problem[] {
  const { lane } = again.rendered;
  const paths = new Set(again.files.map(({ path }) => path));
  for (const { path } of again.inventory.files) paths.add(path);
  const wanted = new Map(again.files.map(({ path, content }) => [path, blobId(content)]));
  const problems: Problem[] = [];
  for (const path of [...paths].sort()) {
    const tip = state.entries.get(path);
    const expected = sameRenderer ? wanted.get(path) : again.entries.get(path)?.id;
    if (tip === undefined) problems.push(problem('branch-missing', `${path} is missing`, path));
    else if (expected === undefined) problems.push(problem('branch-unknown-file', `${path} is not rendered by its source`, path));
    else if (tip.id !== expected || tip.mode !== '100644') {
      problems.push(problem('branch-edited', `${path} is not what its source renders to`, path));
    }
  }
  const synced = `${runtimeDirectory(lane)}/`;
  const unknown = [...state.entries.keys()].filter((path) => path.startsWith(synced) && !paths.has(path));
  return [...problems, ...unknown.map((path) => problem('branch-unknown-file', `${path} was put there by somebody else`, path))];
}

/** Whether the checked-out lane would render to something else, with the same code and image. */
async function staleProblem(git: Git, { rendered, inventory }: RenderedAgain, repository: LaneRepository): Promise<Problem | undefined> {
  const { laneFile, filesDigest, lane } = inventory;
  const head = (await gitIn(repository.directory, repository.environment).text(['rev-parse', 'HEAD'])).trim();
  if (head === inventory.laneCommit) return undefined;
  const newest = await laneAtCommit(repository, git, head, laneFile);
  if (newest === undefined) return problem('branch-stale', `lane ${lane} is gone from its repository: ${head} holds no ${laneFile}`);
  const artifact = artifactForLane(newest.lane, rendered.input.artifact, laneFile);
  const now = renderLane(newest.lane, { ...rendered.input, artifact }).filesDigest;
  if (now === rendered.filesDigest) return undefined;
  return problem('branch-stale', `lane ${lane} has changed since ${inventory.laneCommit}: ${head} renders to ${now}, the branch holds ${filesDigest}`);
}

async function signatureProblems(git: Git, { id }: PublishCommit, options: VerifyOptions): Promise<Problem[]> {
  const signers = options.allowedSigners === undefined ? [] : ['-c', `gpg.ssh.allowedSignersFile=${options.allowedSigners}`];
  try {
    await git.text([...signers, 'verify-commit', '--raw', id]);
    return [];
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    return [problem('signature-missing', `the commit ${id} has no signature that is trusted`)];
  }
}

/** Files that belong to nobody; an inventory that cannot be read owns nothing here, its lane's own verify says so. */
async function foreignFiles(git: Git, state: BranchState, again: RenderedAgain): Promise<string[]> {
  const owned = new Set(['hydrator.metadata', ...again.files.map(({ path }) => path)]);
  for (const entry of state.entries.values()) {
    const lane = laneOfInventory(entry.path);
    if (lane === undefined) continue;
    owned.add(entry.path);
    const text = (await readBlobs(git, [entry.id])).get(entry.id)?.toString('utf8') ?? '';
    for (const path of pathsOf(lane, text)) owned.add(path);
  }
  const synced = `${runtimeDirectory(again.rendered.lane)}/`;
  return [...state.entries.keys()].filter((path) => !owned.has(path) && !path.startsWith(synced)).sort();
}

function pathsOf(lane: string, text: string): string[] {
  let inventory: LaneInventory;
  try {
    inventory = parseInventory(lane, text);
  } catch {
    return [];
  }
  const kustomization = inventory.files.find(({ path }) => path.endsWith('/kustomization.yaml'))?.path ?? '';
  return [...inventory.files.map(({ path }) => path), kustomization.replace(/kustomization\.yaml$/, 'hydrator.metadata')];
}
