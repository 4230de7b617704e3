import { dirname } from 'node:path';
import { AgentRunError } from '../errors.ts';
import { type Environment, type Git, GitFailure, gitIn, inDisposableRepository } from './git.ts';

/** The commit of the repository that holds the lane: the dry commit. */
export interface LaneCommit {
  readonly id: string;
  /** Committer date as git writes it: seconds since the epoch, and the zone. */
  readonly committed: string;
  /** `Name <email>`. */
  readonly author: string;
  /** Author date, RFC 3339. */
  readonly date: string;
  readonly subject: string;
  readonly body: string;
}

const FORMAT = ['%H', '%cd', '%an <%ae>', '%aI', '%s', '%b'].join('%x00');

/** Reads a commit of the repository that a lane file lies in; by default the checked-out one. */
export async function readLaneCommit(laneFile: string, revision = 'HEAD', ambient?: Environment): Promise<LaneCommit> {
  const git = gitIn(dirname(laneFile), ambient);
  try {
    const text = await git.text(['log', '-1', '--date=raw', `--format=${FORMAT}`, '--end-of-options', revision]);
    const [id = '', committed = '', author = '', date = '', subject = '', body = ''] = text.split('\0');
    return { id, committed, author, date, subject, body: body.trim() };
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    throw new AgentRunError('repository-missing', `the repository of ${laneFile} has no commit ${revision}`, { cause: error });
  }
}

/** How two commits of the lane's repository stand to each other. */
export type Relation = 'same' | 'newer' | 'older' | 'diverged' | 'unknown';

/**
 * How `commit` stands to the one that is on the branch. A shallow clone that does not reach back far enough is
 * deepened in a repository of its own, from the lane's remote: the caller's is not changed.
 */
export async function relationOf(
  laneFile: string,
  commit: string,
  published: string,
  repository: string,
  ambient?: Environment,
): Promise<Relation> {
  if (commit === published) return 'same';
  const git = gitIn(dirname(laneFile), ambient);
  const direct = await compare(git, commit, published);
  if (direct !== undefined && direct !== 'diverged') return direct;
  const shallow = (await git.text(['rev-parse', '--is-shallow-repository'])).trim() === 'true';
  if (!shallow) return direct ?? 'unknown';
  return inDisposableRepository(async (copy) => {
    for (const depth of ['--depth=100', '--depth=2000', '--depth=2147483647']) {
      try {
        await copy.text(['fetch', '--no-tags', depth, '--', repository, '+refs/heads/*:refs/agentrun/heads/*']);
      } catch (error) {
        if (error instanceof GitFailure) return 'unknown';
        throw error;
      }
      const relation = await compare(copy, commit, published);
      if (relation !== undefined && relation !== 'diverged') return relation;
    }
    return (await compare(copy, commit, published)) ?? 'unknown';
  }, ambient);
}

/** Undefined when one of the two is not there. */
async function compare(git: Git, commit: string, published: string): Promise<Relation | undefined> {
  try {
    await git.text(['rev-parse', `${commit}^{commit}`, `${published}^{commit}`]);
  } catch {
    return undefined;
  }
  const base = (await git.text(['merge-base', commit, published]).catch(() => '')).trim();
  if (base === published) return 'newer';
  return base === commit ? 'older' : 'diverged';
}
