import { AgentRunError } from '../errors.ts';
import { sameRepository } from '../lane/repository-url.ts';
import type { Environment } from './git.ts';
import type { LaneInventory } from './inventory.ts';
import { type LaneCommit, type Relation, relationOf } from './lane-commit.ts';
import { withoutCredentials } from './remote.ts';

/** Where a write to a branch comes from: a commit of the repository that holds the lanes. */
export interface DrySource {
  readonly commit: LaneCommit;
  /** Absolute path of a file or, where that is gone, of a place for one in a folder of the repository. */
  readonly path: string;
  /** URL of the repository. */
  readonly repository: string;
}

/** Says how the source's commit stands to another one. Asked in each try, answered once. */
export function relationReader({ commit, path, repository }: DrySource, environment?: Environment) {
  const known = new Map<string, Promise<Relation>>();
  return (other: string): Promise<Relation> => {
    const relation = known.get(other) ?? relationOf(path, commit.id, other, repository, environment);
    known.set(other, relation);
    return relation;
  };
}

/**
 * Whether a branch holds a lane from a newer commit than the source's, so that the source may not change it.
 *
 * @throws AgentRunError `source-diverged` when the lane came from elsewhere, or nobody can say
 */
export async function isBehind(
  source: DrySource,
  published: LaneInventory,
  relationTo: (commit: string) => Promise<Relation>,
): Promise<boolean> {
  const isSame = sameRepository(published.laneRepository, source.repository);
  const relation = isSame ? await relationTo(published.laneCommit) : 'unknown';
  if (relation === 'diverged' || relation === 'unknown') throw divergedError(published, source, relation);
  return relation === 'older';
}

function divergedError(published: LaneInventory, source: DrySource, relation: Relation): AgentRunError {
  const { commit, repository } = source;
  const before = `lane ${published.lane} was published from ${published.laneCommit} of ${published.laneRepository}`;
  if (!sameRepository(published.laneRepository, repository)) {
    return new AgentRunError(
      'source-diverged',
      `${before}, which is another repository than ${withoutCredentials(repository)}`,
      {
        hint: 'Give --lane-repository with the address on the branch if it is the same one, or pass --allow-older.',
      },
    );
  }
  const what = relation === 'unknown' ? 'is not known to come before' : 'is no ancestor of';
  const hint = 'Fetch the history of the lane (git fetch --unshallow) and publish again, or pass --allow-older.';
  return new AgentRunError(
    'source-diverged',
    `${before}, which ${what} ${commit.id}`,
    relation === 'unknown' ? { hint } : {},
  );
}
