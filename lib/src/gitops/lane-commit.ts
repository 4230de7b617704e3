import { writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { AgentRunError } from '../errors.ts';
import { type Environment, type Git, GitFailure, gitIn, inDisposableRepository } from './git.ts';
import { resolveRemote, shownWords } from './remote.ts';

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
    throw new AgentRunError(
      'repository-missing',
      `the repository of ${laneFile} has no commit ${revision}: ${shownWords(error.message)}`,
      { cause: error },
    );
  }
}

/** How two commits of the lane's repository stand to each other. */
export type Relation = 'same' | 'newer' | 'older' | 'diverged' | 'unknown';

/**
 * How `commit` stands to another one, as far as the clone that the lane file lies in tells; what a shallow clone says
 * of diverged commits is no more than `unknown`.
 */
export async function relationHere(
  laneFile: string,
  commit: string,
  other: string,
  ambient?: Environment,
): Promise<Relation> {
  if (commit === other) return 'same';
  const git = gitIn(dirname(laneFile), ambient);
  const relation = await compare(git, commit, other);
  return relation === 'diverged' && (await isShallow(git)) ? 'unknown' : relation;
}

/**
 * How `commit` stands to the one that is on the branch. What the clone does not hold, being shallow or older than the
 * branch, is looked up at the lane's remote, in a repository of its own: the caller's is not changed.
 *
 * @param repository URL of the repository that holds the lane
 */
export async function relationOf(
  laneFile: string,
  commit: string,
  published: string,
  repository: string,
  ambient?: Environment,
): Promise<Relation> {
  const here = await relationHere(laneFile, commit, published, ambient);
  if (here !== 'unknown') return here;
  const git = gitIn(dirname(laneFile), ambient);
  // Neither can lend its objects: it lacks some, and knows of it by itself only.
  const shallow = (await isShallow(git)) || (await isPartialClone(git));
  return inDisposableRepository(async (copy) => {
    try {
      const remote = resolveRemote(repository, dirname(laneFile));
      if (!shallow) await borrowObjects(copy, git);
      for (const depth of shallow ? DEPTHS : [undefined]) {
        await fetchHistory(copy, remote, [commit, published], depth);
        const relation = await compare(copy, commit, published);
        if (relation === 'newer' || relation === 'older') return relation;
      }
      return await compare(copy, commit, published);
    } catch (error) {
      if (error instanceof GitFailure || error instanceof AgentRunError) return 'unknown';
      throw error;
    }
  }, ambient);
}

/** How far back the history of a shallow clone is fetched, step by step; the last is all of it. */
const DEPTHS = ['--depth=100', '--depth=2000', '--depth=2147483647'];

/** The branches, and by their ids those of the commits that are on none. */
async function fetchHistory(copy: Git, remote: string, commits: readonly string[], depth?: string): Promise<void> {
  const fetch = (ref: string) =>
    copy.text(['fetch', '--no-tags', ...(depth === undefined ? [] : [depth]), '--', remote, ref]);
  await fetch('+refs/heads/*:refs/agentrun/heads/*');
  for (const commit of commits) {
    if (await holds(copy, commit)) continue;
    try {
      await fetch(commit);
    } catch (error) {
      // A server may keep what no branch names to itself.
      if (!(error instanceof GitFailure)) throw error;
    }
  }
}

/** Lets a repository read the objects of another one, so that only what is new is fetched. */
async function borrowObjects(copy: Git, git: Git): Promise<void> {
  const objects = (await git.text(['rev-parse', '--git-path', 'objects'])).replace(/\n$/, '');
  await writeFile(join(copy.directory, 'objects', 'info', 'alternates'), `${resolve(git.directory, objects)}\n`);
}

/** Whether a clone left out files or trees, to fetch them when they are needed. */
export async function isPartialClone(git: Git): Promise<boolean> {
  const settings = await git.text(['config', '--get-regexp', '^remote\\..*\\.promisor$']).catch(() => '');
  return settings.trim() !== '';
}

const isShallow = async (git: Git): Promise<boolean> =>
  (await git.text(['rev-parse', '--is-shallow-repository'])).trim() === 'true';

async function holds(git: Git, commit: string): Promise<boolean> {
  return git.text(['rev-parse', '--verify', '--end-of-options', `${commit}^{commit}`]).then(
    () => true,
    () => false,
  );
}

async function compare(git: Git, commit: string, other: string): Promise<Relation> {
  const base = (await git.text(['merge-base', commit, other]).catch(() => '')).trim();
  if (base === other) return 'newer';
  if (base === commit) return 'older';
  // Without a base, one of the two may be missing here.
  const isKnown = base !== '' || ((await holds(git, commit)) && (await holds(git, other)));
  return isKnown ? 'diverged' : 'unknown';
}
