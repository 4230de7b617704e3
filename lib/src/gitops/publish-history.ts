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

/**
 * Looks in the last thousand commits of a branch for the removal of a lane that it does not hold.
 *
 * @returns the commit of the lane's repository that removed the lane; undefined when it was never there, or when the
 *   commit on the branch does not say
 */
export async function findRemoval(
  { withHistory }: RemoteObjects,
  branch: string,
  lane: string,
): Promise<string | undefined> {
  const mention = await withHistory(branch, (git) => newestMention(git, HISTORY, lane));
  return mention?.removal?.laneCommit;
}

/** No parent comes before its child in this order, whatever the dates say: those are the dates of the lane's commits. */
const LOG = ['-c', 'log.showSignature=false', 'log', '--topo-order', '--extended-regexp', '--format=%H%x00%B%x00%x00'];

/** The newest commit that published or removed a lane. */
type Mention = (PublishCommit & { readonly removal?: undefined }) | { readonly id: string; readonly removal: Removals };

async function newestMention(git: Git, head: string, lane: string): Promise<Mention | undefined> {
  const output = await git.text([...LOG, `--grep=${laneTrailerPattern(lane)}`, head]);
  for (const entry of output.split('\0\0')) {
    const [id = '', message = ''] = entry.trimStart().split('\0');
    const removal = readRemovals(message);
    if (removal.lanes.includes(lane)) return { id, removal };
    const provenance = readProvenance(message);
    if (provenance?.lane === lane) return { id, provenance };
  }
  return undefined;
}
