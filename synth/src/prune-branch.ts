import { dirname } from 'node:path';
import { type LaneCommit, listPublishedLanes, sameRepository, unpublishLane, type UnpublishOptions } from '@agentrun/lib';
import type { LaneReport } from './report/index.ts';

/** The lanes that there are. */
export interface PresentLanes {
  /** URL of the repository that holds them. */
  readonly repository: string;
  /** Their folder in the repository. */
  readonly folder: string;
  readonly present: ReadonlySet<string>;
  readonly commit: LaneCommit;
}

/** Removes from a branch the lanes of this repository and folder whose file is gone; lanes of others stay. */
export async function pruneBranch(lanes: PresentLanes, options: UnpublishOptions): Promise<LaneReport[]> {
  const reports: LaneReport[] = [];
  for (const { lane, laneFile, laneRepository } of await listPublishedLanes(options.remote, options.branch, options)) {
    const isOurs = dirname(laneFile) === lanes.folder && sameRepository(laneRepository, lanes.repository);
    if (!isOurs || lanes.present.has(lane)) continue;
    const { status, commit } = await unpublishLane({ lane, commit: lanes.commit }, options);
    reports.push({ lane, status, ...(commit === undefined ? {} : { commit }) });
  }
  return reports;
}
