import { runtimeDirectory } from '../lane/rendered-paths.ts';
import { GENERATOR_NAME, GENERATOR_VERSION } from '../render/generator.gen.ts';
import type { RenderedLane } from '../render/render-lane.ts';
import type { BranchSnapshot } from './branch-snapshot.ts';
import { blobId } from './branch-tree.ts';
import { hydratorFiles, hydratorPointer, metadataPath } from './hydrator-metadata.ts';
import { inventoryOf, inventoryPath, inventoryText, type LaneInventory, syncedDirectory } from './inventory.ts';
import type { LaneCommit } from './lane-commit.ts';
import { type BranchFile, type BranchPlan, type DigestOf, planLane, sameFiles } from './publish-plan.ts';
import { withoutCredentials } from './remote.ts';

/** A rendered lane with everything that says where it comes from. */
export interface PublishSource {
  readonly rendered: RenderedLane;
  /** The text of the lane file. */
  readonly text: string;
  /** Absolute path of the lane file, in its repository. */
  readonly path: string;
  /** URL of the repository that holds the lane file. Credentials in it are not published. */
  readonly repository: string;
  readonly commit: LaneCommit;
}

/** A lane as it shall stand on a branch. */
export interface LaneOnBranch {
  readonly inventory: LaneInventory;
  /** The rendered files. */
  readonly files: readonly BranchFile[];
  /** The inventory as a file, and the metadata: where the files come from. They alone make no commit. */
  readonly companions: readonly BranchFile[];
}

export function laneOnBranch({ rendered, repository, commit, text }: PublishSource): LaneOnBranch {
  const { lane, input, files } = rendered;
  const url = withoutCredentials(repository);
  const generator = { name: GENERATOR_NAME, version: GENERATOR_VERSION };
  const inventory = inventoryOf(rendered, { repository: url, commit: commit.id, text }, generator);
  const isSameCode = input.sourceCommit === commit.id;
  const code = isSameCode ? {} : { code: { repository: lane.source.remote, commit: input.sourceCommit } };
  const metadata = hydratorFiles({ repository: url, commit, ...code }, runtimeDirectory(lane));
  const own = { path: inventoryPath(lane.version), content: inventoryText(inventory) };
  return { inventory, files, companions: [own, ...metadata] };
}

/**
 * What changes on a branch so that it holds a lane; undefined when it does already.
 *
 * @throws AgentRunError as `planLane` does
 */
export async function planPublish(
  snapshot: BranchSnapshot,
  { inventory, files, companions }: LaneOnBranch,
  how: { readonly replaced?: readonly string[]; readonly force: boolean; readonly digestOf: DigestOf },
): Promise<BranchPlan | undefined> {
  const { lane } = inventory;
  const published = snapshot.inventories.get(lane);
  const { writes, removals } = await planLane({ snapshot, lane, files, companions, ...how });
  const isThere =
    published !== undefined &&
    writes.length === 0 &&
    removals.length === 0 &&
    sameFiles(published, inventory) &&
    hasPointer(snapshot, published);
  return isThere ? undefined : { writes: [...writes, ...companions], removals };
}

/** Whether the metadata beside the kustomization says what the inventory says: only then is nothing to be mended. */
function hasPointer({ entries }: BranchSnapshot, published: LaneInventory): boolean {
  const path = metadataPath(syncedDirectory(published) ?? '');
  return entries.get(path)?.id === blobId(hydratorPointer(published.laneRepository, published.laneCommit));
}
