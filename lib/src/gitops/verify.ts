import { AgentRunError, type Problem } from '../errors.ts';
import { GENERATOR_NAME, GENERATOR_VERSION } from '../render/generator.gen.ts';
import { branchProblem, recordDifferences, sourceDifferences } from './branch-differences.ts';
import { fetchBranch } from './branch-snapshot.ts';
import { foreignFiles } from './foreign-files.ts';
import { type Environment, type Git, GitFailure } from './git.ts';
import type { LaneRepository } from './lane-at-commit.ts';
import { findPublishCommit, type PublishCommit } from './publish-history.ts';
import { type PublishedTree, readPublishedTree } from './published-tree.ts';
import { assertBranch, remoteFailure, resolveRemote } from './remote.ts';
import { type RemoteObjects, withRemoteObjects } from './remote-objects.ts';
import { type RenderedAgain, renderAgain, type SourceLookup } from './render-again.ts';
import { staleProblem } from './stale-lane.ts';

/** What is verified, and where the lane's source is looked up. */
export interface VerifyOptions {
  /** A path or a URL; ssh, http and https URLs without a password. */
  readonly remote: string;
  /** What a relative path is relative to; default the working directory. */
  readonly cwd?: string;
  readonly branch: string;
  /** Version of the lane. */
  readonly lane: string;
  /** Path of the lane file in its repository; default the one that it was published from. */
  readonly laneFile?: string;
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

/** The answer to a verify. */
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
  /** The digest of the lane's files that the publish commit names. */
  readonly filesDigest: string;
}

const CURRENT = `${GENERATOR_NAME}@${GENERATOR_VERSION}`;

/**
 * Asks whether a GitOps branch is what its source renders to: reads where the lane's files come from, renders that
 * source again, and compares every file.
 *
 * @throws AgentRunError when the question cannot be answered: unreachable, never published, no such commit
 */
export async function verifyLane(options: VerifyOptions): Promise<VerifyResult> {
  const { branch, lane, repository, laneFile } = options;
  const remote = resolveRemote(options.remote, options.cwd);
  assertBranch(branch);
  const verify = async (objects: RemoteObjects): Promise<VerifyResult> => {
    const { git, read } = objects;
    const asked = async <T>(work: Promise<T>): Promise<T> =>
      work.catch((error: unknown) => {
        throw error instanceof GitFailure ? remoteFailure(error, remote) : error;
      });
    const state = await asked(fetchBranch(objects, branch));
    if (state.head === undefined) throw new AgentRunError('lane-not-published', `the branch ${branch} does not exist`);
    const published = await asked(findPublishCommit(objects, branch, state.head, lane));
    const { provenance } = published;
    const tree = await readPublishedTree(objects, published, state);
    const lookup: SourceLookup = { repository, ...(laneFile === undefined ? {} : { laneFile }) };
    const again = await renderedAgain(tree, published, lookup);
    const renderer = rendererProblem(published, again);

    const unsigned = options.requireSignature === true ? await signatureProblems(git, published, options) : [];
    const files =
      renderer !== undefined
        ? await recordDifferences(state.entries, tree, provenance)
        : differences(state.entries, published, again);
    const stale = again === undefined ? undefined : await staleProblem(again.rendered, provenance.laneCommit, lookup);
    const problems = [...unsigned, ...files];
    const status: VerifyStatus =
      problems.length > 0
        ? 'tampered'
        : renderer !== undefined
          ? 'renderer-differs'
          : stale !== undefined
            ? 'stale'
            : 'equal';
    const known = [
      ...files.flatMap(({ file }) => file ?? []),
      ...(again?.files ?? tree.inventory?.files ?? []).map(({ path }) => path),
    ];
    return {
      status,
      commit: state.head,
      publishCommit: published.id,
      problems: [...problems, ...[renderer, stale].filter((problem) => problem !== undefined)],
      foreignFiles: await foreignFiles(read, state, known),
      filesDigest: provenance.filesDigest,
    };
  };
  return withRemoteObjects(remote, verify, options.environment);
}

/** Undefined when the source cannot be rendered: another version may have known other fields, or another record. */
async function renderedAgain(
  tree: PublishedTree,
  { provenance }: PublishCommit,
  lookup: SourceLookup,
): Promise<RenderedAgain | undefined> {
  try {
    return await renderAgain(tree, provenance, lookup);
  } catch (error) {
    const unknown =
      error instanceof AgentRunError && error.code !== 'repository-missing' && error.code !== 'provenance-missing';
    if (unknown && provenance.generator !== CURRENT) return undefined;
    throw error;
  }
}

/** Another version of the renderer made other bytes: then only the publish commit can say what belongs there. */
function rendererProblem({ provenance }: PublishCommit, again: RenderedAgain | undefined): Problem | undefined {
  const { lane, generator, filesDigest } = provenance;
  if (generator === CURRENT || again?.rendered.filesDigest === filesDigest) return undefined;
  return branchProblem(
    'renderer-differs',
    `lane ${lane} was published by ${generator}; this is ${CURRENT}, which renders other bytes`,
  );
}

function differences(
  tip: PublishedTree['entries'],
  { id, provenance }: PublishCommit,
  again: RenderedAgain | undefined,
): Problem[] {
  if (again !== undefined) return sourceDifferences(tip, again, provenance);
  return [
    branchProblem('branch-edited', `the commit ${id} holds no image of lane ${provenance.lane} that fits its trailers`),
  ];
}

async function signatureProblems(git: Git, { id }: PublishCommit, options: VerifyOptions): Promise<Problem[]> {
  const signers =
    options.allowedSigners === undefined ? [] : ['-c', `gpg.ssh.allowedSignersFile=${options.allowedSigners}`];
  try {
    await git.text([...signers, 'verify-commit', '--raw', id]);
    return [];
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    return [branchProblem('signature-missing', `the commit ${id} has no signature that is trusted`)];
  }
}
