import { type BranchEntry, type BranchSnapshot, readBlobs } from './branch-snapshot.ts';
import type { Git } from './git.ts';
import { sha256 } from './inventory.ts';
import type { BranchPlan } from './publish-plan.ts';

/** Reads digests of what stands on the branch. */
export const digestReader =
  (git: Git) =>
  async ({ id }: BranchEntry): Promise<string> =>
    sha256((await readBlobs(git, [id])).get(id) ?? '');

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
