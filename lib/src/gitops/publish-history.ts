import { AgentRunError } from '../errors.ts';
import { laneTrailerPattern, type Provenance, type Removals, readProvenance, readRemovals } from './commit-message.ts';
import type { Git } from './git.ts';
import { HISTORY, type RemoteObjects } from './remote-objects.ts';

/** The newest commit that published a lane. */
export interface PublishCommit {
  readonly id: string;
  readonly provenance: Provenance;
}

/** How far back the branch is fetched, step by step, until the commit is found. */
const DEPTHS = ['--deepen=50', '--deepen=1000', '--unshallow'];

/**
 * Finds the newest publish commit of a lane in the history of a branch, of which the newest commit is there already.
 * Merged lines count too: a pull request may have brought the commit.
 *
 * @throws AgentRunError `provenance-missing` when no commit of the branch published the lane, `lane-not-published`
 *   when it was removed since
 */
export async function findPublishCommit(
  { git, fetch }: RemoteObjects,
  branch: string,
  head: string,
  lane: string,
): Promise<PublishCommit> {
  for (const deeper of [undefined, ...DEPTHS]) {
    if (deeper !== undefined) {
      if ((await git.text(['rev-parse', '--is-shallow-repository'])).trim() !== 'true') break;
      await fetch([deeper], [`refs/heads/${branch}`]);
    }
    const found = await newestMention(git, head, lane);
    if (found?.removal !== undefined) {
      throw new AgentRunError(
        'lane-not-published',
        `lane ${lane} was removed from the branch by the commit ${found.id}`,
      );
    }
    if (found !== undefined) return found;
  }
  throw new AgentRunError('provenance-missing', `no commit of the branch ${branch} published lane ${lane}`);
}

/** What is known of the removal of a lane that a branch does not hold. */
export interface KnownRemoval {
  /** The newest commit of the branch that was looked at. */
  readonly head: string;
  /**
   * The commit of the lane's repository that removed the lane; undefined when it was never there, or when the commit on
   * the branch does not say.
   */
  readonly laneCommit: string | undefined;
}

/**
 * Looks in the last thousand commits of a branch for the removal of a lane that it does not hold.
 *
 * @param head the newest commit as it was fetched
 * @param known what was found the last time: then only the commits since are looked at, where they have been fetched
 */
export async function findRemoval(
  { git, withHistory }: RemoteObjects,
  branch: string,
  head: string,
  lane: string,
  known?: KnownRemoval,
): Promise<KnownRemoval> {
  if (known?.head === head) return known;
  const since = known === undefined ? undefined : await commitsBetween(git, known.head, head);
  if (known !== undefined && since !== undefined) {
    const mention = mentionIn(since, lane);
    return { head, laneCommit: mention === undefined ? known.laneCommit : mention.removal?.laneCommit };
  }
  const mention = await withHistory(branch, (history) => newestMention(history, HISTORY, lane));
  return { head, laneCommit: mention?.removal?.laneCommit };
}

/** No parent comes before its child in this order, whatever the dates say: those are the dates of the lane's commits. */
const LOG = [
  '-c',
  'log.showSignature=false',
  'log',
  '--topo-order',
  '--extended-regexp',
  `--format=%H%x00%B%x00%P%x00%x00`,
];

interface LoggedCommit {
  readonly id: string;
  readonly message: string;
  readonly parents: readonly string[];
}

async function logged(git: Git, ...which: readonly string[]): Promise<LoggedCommit[]> {
  const output = await git.text([...LOG, ...which]);
  return output.split('\0\0').flatMap((entry) => {
    const [id = '', message = '', parents = ''] = entry.trimStart().split('\0');
    return id === '' ? [] : [{ id, message, parents: parents.split(' ') }];
  });
}

/** The commits after one, newest first; undefined when the other does not come after it, as far as one sees here. */
async function commitsBetween(git: Git, after: string, to: string): Promise<LoggedCommit[] | undefined> {
  const commits = await logged(git, `${after}..${to}`);
  return commits.some(({ parents }) => parents.includes(after)) ? commits : undefined;
}

/** The newest commit that published or removed a lane. */
type Mention = (PublishCommit & { readonly removal?: undefined }) | { readonly id: string; readonly removal: Removals };

async function newestMention(git: Git, head: string, lane: string): Promise<Mention | undefined> {
  return mentionIn(await logged(git, `--grep=${laneTrailerPattern(lane)}`, head), lane);
}

function mentionIn(commits: readonly LoggedCommit[], lane: string): Mention | undefined {
  for (const { id, message } of commits) {
    const removal = readRemovals(message);
    if (removal.lanes.includes(lane)) return { id, removal };
    const provenance = readProvenance(message);
    if (provenance?.lane === lane) return { id, provenance };
  }
  return undefined;
}
