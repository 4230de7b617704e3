import { AgentRunError } from '../errors.ts';
import type { Lane } from '../lane/lane.ts';
import { validateLane } from '../lane/validate-lane.ts';
import { type Environment, type Git, GitFailure, gitIn, inDisposableRepository } from './git.ts';
import { isPartialClone } from './lane-commit.ts';
import { resolveRemote, shownRemote } from './remote.ts';

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
 * Reads a lane file at a commit: from the caller's repository, else from its remote. Never from an address that stands
 * on the branch: it may be somebody's who can write there.
 *
 * @param commit 40 hex digits
 * @returns undefined when the commit holds no such file
 * @throws AgentRunError `repository-missing` when the commit cannot be had; the lane's first error when it has any
 */
export async function laneAtCommit(
  repository: LaneRepository,
  commit: string,
  laneFile: string,
): Promise<LaneAtCommit | undefined> {
  const own = gitIn(repository.directory, repository.environment);
  const object = `${commit}:${laneFile}`;
  let text = await readBlob(own, object);
  // A partial clone holds the commit, and maybe not the file.
  if (text === undefined && ((await isPartialClone(own)) || !(await hasCommit(own, commit)))) {
    text = await inDisposableRepository(async (scratch) => {
      await fetchCommit(repository, scratch, commit);
      return readBlob(scratch, object);
    }, repository.environment);
  }
  if (text === undefined) return undefined;
  const { lane, problems } = validateLane(text, `${laneFile} at ${commit.slice(0, 12)}`);
  const [first] = problems.filter(({ severity }) => severity === 'error');
  if (lane === undefined)
    throw new AgentRunError(first?.code ?? 'lane-syntax', first?.message ?? 'the lane is not right', { problems });
  return { lane, text };
}

/** The checked-out commit of the caller's repository. @throws AgentRunError `repository-missing` when there is none */
export async function checkedOutCommit({ directory, environment }: LaneRepository): Promise<string> {
  try {
    return (await gitIn(directory, environment).text(['rev-parse', '--verify', 'HEAD^{commit}'])).trim();
  } catch (cause) {
    if (!(cause instanceof GitFailure)) throw cause;
    throw new AgentRunError('repository-missing', `${directory} lies in no git repository with a commit`, { cause });
  }
}

/** By its id; where a server gives out only what its branches and tags name, by all of them. */
async function fetchCommit({ directory, url }: LaneRepository, scratch: Git, commit: string): Promise<void> {
  const remote = resolveRemote(url, directory);
  const fetch = (...what: string[]) => scratch.text(['fetch', '--no-tags', ...what]);
  try {
    await fetch('--depth=1', '--', remote, commit).catch(async (error: unknown) => {
      if (!(error instanceof GitFailure)) throw error;
      await fetch('--', remote, '+refs/heads/*:refs/agentrun/lanes/*', '+refs/tags/*:refs/agentrun/lane-tags/*');
    });
    await scratch.text(['rev-parse', '--verify', `${commit}^{commit}`]);
  } catch (cause) {
    if (!(cause instanceof GitFailure)) throw cause;
    throw new AgentRunError(
      'repository-missing',
      `the commit ${commit} of the lane is neither here nor at ${shownRemote(url)}`,
      {
        cause,
        hint: 'Run in a clone of the repository that holds the lane.',
      },
    );
  }
}

async function readBlob(git: Git, object: string): Promise<string | undefined> {
  try {
    return await git.text(['cat-file', 'blob', object]);
  } catch (error) {
    if (error instanceof GitFailure) return undefined;
    throw error;
  }
}

async function hasCommit(git: Git, commit: string): Promise<boolean> {
  return git.text(['rev-parse', '--verify', `${commit}^{commit}`]).then(
    () => true,
    () => false,
  );
}
