import { dirname } from 'node:path';
import {
  type DrySource,
  listPublishedLanes,
  type PublishedLane,
  type RemovalResult,
  sameRepository,
  type UnpublishOptions,
  unpublishLane,
} from '@agentrun/lib';

/** The lanes that there are. */
export interface PresentLanes {
  /** URL of the repository that holds them. */
  readonly repository: string;
  /** Their folder in the repository. */
  readonly folder: string;
  readonly present: ReadonlySet<string>;
}

/** A lane that was pruned, or would be. */
export interface PrunedLane {
  readonly lane: string;
  readonly result: RemovalResult;
}

/** The lanes of this repository and folder that are on a branch although their file is gone; lanes of others are not told. */
export async function leftLanes(
  lanes: PresentLanes,
  options: Pick<UnpublishOptions, 'remote' | 'branch' | 'cwd'>,
): Promise<PublishedLane[]> {
  return leftOf(lanes, await listPublishedLanes(options.remote, options.branch, options));
}

const leftOf = ({ repository, folder, present }: PresentLanes, published: readonly PublishedLane[]): PublishedLane[] =>
  published.filter(
    ({ lane, laneFile, laneRepository }) =>
      dirname(laneFile) === folder && sameRepository(laneRepository, repository) && !present.has(lane),
  );

/**
 * Which new lanes of a branch take the place of which left ones, so that a rename is one commit: a new lane replaces
 * those whose paths it wants, and the only one that is new the only one that is left.
 *
 * @param wanted the paths of each lane that is to be published to the branch
 */
export async function replacedLanes(
  lanes: PresentLanes,
  wanted: ReadonlyMap<string, readonly string[]>,
  options: Pick<UnpublishOptions, 'remote' | 'branch' | 'cwd'>,
): Promise<Map<string, string[]>> {
  const published = await listPublishedLanes(options.remote, options.branch, options);
  const left = leftOf(lanes, published);
  const there = new Set(published.map(({ lane }) => lane));
  const added = [...wanted.keys()].filter((lane) => !there.has(lane));
  const isOnly = added.length === 1 && left.length === 1;
  const claimed = new Set<string>();
  const replaced = new Map<string, string[]>();
  for (const lane of added) {
    const paths = new Set(wanted.get(lane));
    const own = left.filter((one) => !claimed.has(one.lane) && (isOnly || one.paths.some((path) => paths.has(path))));
    for (const one of own) claimed.add(one.lane);
    replaced.set(
      lane,
      own.map((one) => one.lane),
    );
  }
  return replaced;
}

/** Removes these lanes from a branch, one by one; with a source those only that no newer commit published. */
export async function* pruneBranch(
  lanes: PresentLanes,
  source: DrySource,
  isRollback: boolean,
  options: UnpublishOptions,
): AsyncGenerator<PrunedLane> {
  for (const { lane } of await leftLanes(lanes, options)) {
    const removal = { lane, commit: source.commit, ...(isRollback ? {} : { source }) };
    yield { lane, result: await unpublishLane(removal, options) };
  }
}
