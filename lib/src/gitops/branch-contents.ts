import { type BranchSnapshot, type BranchState, fetchSnapshot, lanesOf, readInventories } from './branch-snapshot.ts';
import { blobId } from './branch-tree.ts';
import { ROOT_METADATA } from './hydrator-metadata.ts';
import { inventoryPath, sha256 } from './inventory.ts';
import type { LaneOnBranch } from './lane-on-branch.ts';
import { type BranchPlan, companionPaths, type DigestOf } from './publish-plan.ts';
import type { BlobReader, RemoteObjects } from './remote-objects.ts';

/**
 * What a branch says of a lane that shall be written to it. What the decision needs is read ahead, in one go where the
 * lane writes only to paths that are its own: then nobody else's inventory matters, for a path has one owner from its
 * first publish on.
 *
 * @param replaced lanes whose place it takes, as far as they are on the branch
 * @param isFirst whether the branch is read for the first time: then free paths may belong to a lane all the same
 * @param more ids of other contents that will be read
 * @throws AgentRunError `branch-inventory` when an inventory that matters cannot be read
 */
export async function readAround(
  read: BlobReader,
  state: BranchState,
  { inventory, files, companions }: LaneOnBranch,
  { replaced, isFirst, more }: { replaced: readonly string[]; isFirst: boolean; more: readonly string[] },
): Promise<BranchSnapshot> {
  const { entries } = state;
  const idsOf = (paths: readonly string[]) => contentIds(entries, paths);
  const ours = [inventory.lane, ...replaced];
  const overwritten = files.filter(({ path, content }) => entries.get(path)?.id !== blobId(content));
  const records = idsOf(ours.map(inventoryPath));
  // What a lane that owns nothing finds in its place is somebody else's, whatever it holds.
  await read([...more, ...records, ...(records.length > 0 ? idsOf(overwritten.map(({ path }) => path)) : [])]);
  const inventories = await readInventories(read, state, ours);
  const own = [...inventories].flatMap(([lane, one]) => [
    ...companionPaths(lane, one),
    ...one.files.map(({ path }) => path),
  ]);
  const before = new Set([...own, ROOT_METADATA]);
  const after = new Set([...files, ...companions].map(({ path }) => path));
  const leaving = own.filter((path) => !after.has(path));
  const isOurs = (path: string) => before.has(path) || !(isFirst || entries.has(path));
  if (leaving.length === 0 && [...after].every(isOurs)) return { ...state, inventories };
  const lanes = lanesOf(state);
  await read(idsOf([...lanes.map(inventoryPath), ...leaving]));
  return { ...state, inventories: await readInventories(read, state, lanes) };
}

/** The newest state of a branch, with the contents of everything that a lane owns. */
export async function fetchOwned(objects: RemoteObjects, branch: string, lane: string): Promise<BranchSnapshot> {
  const snapshot = await fetchSnapshot(objects, branch);
  const owned = snapshot.inventories.get(lane)?.files ?? [];
  await objects.read(
    contentIds(
      snapshot.entries,
      owned.map(({ path }) => path),
    ),
  );
  return snapshot;
}

/** What stands at these paths, as far as it has contents: a submodule has none. */
const contentIds = (entries: BranchState['entries'], paths: readonly string[]): string[] =>
  paths.flatMap((path) => {
    const entry = entries.get(path);
    return entry === undefined || entry.mode === '160000' ? [] : [entry.id];
  });

/** Reads digests of what stands on the branch. */
export const digestReader =
  (read: BlobReader): DigestOf =>
  async ({ id }) =>
    sha256((await read([id])).get(id) ?? '');

/** What stood on the branch where a plan writes or removes, for showing a difference. */
export async function contentsBefore(
  read: BlobReader,
  { entries }: BranchState,
  plan: BranchPlan,
): Promise<Map<string, string>> {
  const paths = [...plan.writes.map(({ path }) => path), ...plan.removals];
  const blobs = await read(contentIds(entries, paths));
  const found = paths.flatMap((path) => entries.get(path) ?? []);
  return new Map(found.map(({ path, id }) => [path, blobs.get(id)?.toString('utf8') ?? '']));
}
