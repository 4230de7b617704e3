import { dirname } from 'node:path';
import {
  type LaneCommit,
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
  readonly commit: LaneCommit;
}

/** A lane that was pruned, or would be. */
export interface PrunedLane {
  readonly lane: string;
  readonly result: RemovalResult;
}

/** The lanes of this repository and folder that are on a branch although their file is gone; lanes of others are not told. */
export async function leftLanes(
  { repository, folder, present }: Omit<PresentLanes, 'commit'>,
  options: Pick<UnpublishOptions, 'remote' | 'branch' | 'cwd'>,
): Promise<PublishedLane[]> {
  const published = await listPublishedLanes(options.remote, options.branch, options);
  return published.filter(
    ({ lane, laneFile, laneRepository }) =>
      dirname(laneFile) === folder && sameRepository(laneRepository, repository) && !present.has(lane),
  );
}

/** Removes these lanes from a branch, one by one. */
export async function* pruneBranch(lanes: PresentLanes, options: UnpublishOptions): AsyncGenerator<PrunedLane> {
  for (const { lane } of await leftLanes(lanes, options)) {
    yield { lane, result: await unpublishLane({ lane, commit: lanes.commit }, options) };
  }
}
