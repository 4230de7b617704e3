import { blobReader } from './blob-reader.ts';
import { type BranchSnapshot, readBlobs } from './branch-snapshot.ts';
import type { Git } from './git.ts';
import { sha256 } from './inventory.ts';
import type { BranchPlan, DigestOf } from './publish-plan.ts';

/** Reads digests of what stands on the branch. With the first one, all files of these lanes are read, in one go. */
export function digestReader(git: Git, { entries, inventories }: BranchSnapshot, lanes: readonly string[]): DigestOf {
  const read = blobReader(git);
  const owned = lanes.flatMap((lane) => inventories.get(lane)?.files ?? []);
  const ids = owned.flatMap(({ path }) => entries.get(path)?.id ?? []);
  return async ({ id }) => sha256((await read([id, ...ids])).get(id) ?? '');
}

/** What stood on the branch where a plan writes or removes, for showing a difference. */
export async function contentsBefore(
  git: Git,
  snapshot: BranchSnapshot,
  plan: BranchPlan,
): Promise<Map<string, string>> {
  const paths = [...plan.writes.map(({ path }) => path), ...plan.removals];
  const found = paths.flatMap((path) => snapshot.entries.get(path) ?? []);
  const blobs = await readBlobs(
    git,
    found.map(({ id }) => id),
  );
  return new Map(found.map(({ path, id }) => [path, blobs.get(id)?.toString('utf8') ?? '']));
}
