import { AgentRunError } from '../errors.ts';
import type { Lane } from '../lane/lane.ts';
import { validateLane } from '../lane/validate-lane.ts';
import { type Environment, type Git, GitFailure, gitIn } from './git.ts';

/** The repository in which lanes are looked up. */
export interface LaneRepository {
  /** A directory in the caller's repository. */
  readonly directory: string;
  /** Its URL, from which commits are fetched that the caller's clone does not hold. */
  readonly url: string;
  readonly environment?: Environment;
}

/** A lane as one commit holds it. */
export interface LaneAtCommit {
  readonly lane: Lane;
  readonly text: string;
}

/**
 * Reads a lane file at a commit: from the caller's repository, else from its remote, fetched into `scratch`. Never
 * from an address that stands on the branch: it may be somebody's who can write there.
 *
 * @returns undefined when the commit holds no such file
 * @throws AgentRunError `repository-missing` when the commit cannot be had; the lane's first error when it has any
 */
export async function laneAtCommit(repository: LaneRepository, scratch: Git, commit: string, laneFile: string): Promise<LaneAtCommit | undefined> {
  const own = gitIn(repository.directory, repository.environment);
  let git = own;
  if (!(await hasCommit(own, commit))) {
    try {
      await scratch.text(['fetch', '--no-tags', '--depth=1', '--', repository.url, commit]);
      git = scratch;
    } catch (cause) {
      if (!(cause instanceof GitFailure)) throw cause;
      throw new AgentRunError('repository-missing', `the commit ${commit} of the lane is neither here nor at ${repository.url}`, {
        cause,
        hint: 'Run in a clone of the repository that holds the lane.',
      });
    }
  }
  let text: string;
  try {
    text = await git.text(['cat-file', 'blob', `${commit}:${laneFile}`]);
  } catch (error) {
    if (error instanceof GitFailure) return undefined;
    throw error;
  }
  const { lane, problems } = validateLane(text, `${laneFile} at ${commit.slice(0, 12)}`);
  const [first] = problems.filter(({ severity }) => severity === 'error');
  if (lane === undefined) throw new AgentRunError(first?.code ?? 'lane-syntax', first?.message ?? 'the lane is not right', { problems });
  return { lane, text };
}

async function hasCommit(git: Git, commit: string): Promise<boolean> {
  return git.text(['rev-parse', '--verify', `${commit}^{commit}`]).then(
    () => true,
    () => false,
  );
}

