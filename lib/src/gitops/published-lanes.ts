import { fetchSnapshot } from './branch-snapshot.ts';
import { type Environment, GitFailure } from './git.ts';
import { assertBranch, remoteFailure, resolveRemote } from './remote.ts';
import { withRemoteObjects } from './remote-objects.ts';

/** A lane as its inventory on a branch describes it. */
export interface PublishedLane {
  readonly lane: string;
  readonly laneFile: string;
  readonly laneRepository: string;
  readonly laneCommit: string;
  /** The rendered files that it owns. */
  readonly paths: readonly string[];
}

/** The lanes that a branch holds, sorted by version; none when there is no such branch. */
export async function listPublishedLanes(
  remote: string,
  branch: string,
  options: { readonly cwd?: string; readonly environment?: Environment } = {},
): Promise<PublishedLane[]> {
  const resolved = resolveRemote(remote, options.cwd);
  assertBranch(branch);
  const { inventories } = await withRemoteObjects(
    resolved,
    (objects) => fetchSnapshot(objects, branch),
    options.environment,
  ).catch((error: unknown) => {
    throw error instanceof GitFailure ? remoteFailure(error, resolved) : error;
  });
  return [...inventories.values()]
    .map(({ lane, laneFile, laneRepository, laneCommit, files }) => ({
      lane,
      laneFile,
      laneRepository,
      laneCommit,
      paths: files.map(({ path }) => path),
    }))
    .sort((a, b) => (a.lane < b.lane ? -1 : 1));
}
