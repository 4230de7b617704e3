import type { ErrorCode, Problem } from '../errors.ts';
import { runtimeDirectory } from '../lane/rendered-paths.ts';
import { filesDigest } from '../render/digest.ts';
import { type BranchEntry, blobId } from './branch-tree.ts';
import type { Provenance } from './commit-message.ts';
import { metadataPath } from './hydrator-metadata.ts';
import { inventoryPath, sha256, syncedDirectory } from './inventory.ts';
import type { PublishedTree } from './published-tree.ts';
import type { RenderedAgain } from './render-again.ts';

type Entries = ReadonlyMap<string, BranchEntry>;

/** A problem of a file of the branch; of the commit as a whole without one. */
export const branchProblem = (code: ErrorCode, message: string, file?: string): Problem => ({
  code,
  severity: 'error',
  message,
  ...(file === undefined ? {} : { file }),
});

/** Every file of the lane on the branch that is not what its source renders to. */
export function sourceDifferences(tip: Entries, { rendered, files }: RenderedAgain, provenance: Provenance): Problem[] {
  const wanted = new Map(files.map(({ path, content }) => [path, blobId(content)]));
  const problems = compared(tip, wanted, 'what its source renders to');
  if (rendered.filesDigest !== provenance.filesDigest) {
    const { laneCommit, filesDigest: said } = provenance;
    problems.push(
      branchProblem(
        'branch-edited',
        `the publish commit says ${said}, but ${laneCommit} renders to ${rendered.filesDigest}`,
      ),
    );
  }
  return [...problems, ...unknownFiles(tip, runtimeDirectory(rendered.lane), new Set(wanted.keys()))];
}

/**
 * Every file of the lane that is not as it was published, where nobody can render its source again: then the digests
 * that the publish commit carries are the measure.
 */
export async function recordDifferences(tip: Entries, tree: PublishedTree, provenance: Provenance): Promise<Problem[]> {
  const { inventory } = tree;
  const record = inventoryPath(provenance.lane);
  if (inventory === undefined) return [branchProblem('branch-edited', `${record} was not published so`, record)];
  const paths = inventory.files.map(({ path }) => path);
  const contents = await tree.contents(paths);
  const problems = inventory.files.flatMap(({ path, digest }) => {
    const content = contents.get(path);
    return content === undefined || sha256(content) !== digest
      ? [branchProblem('branch-edited', `${path} was not published so`, path)]
      : [];
  });
  const files = [...contents].map(([path, content]) => ({ path, content: content.toString('utf8') }));
  const { laneCommit, sourceCommit, generator } = provenance;
  const fits =
    inventory.laneCommit === laneCommit &&
    inventory.sourceCommit === sourceCommit &&
    inventory.filesDigest === provenance.filesDigest &&
    `${inventory.generator.name}@${inventory.generator.version}` === generator &&
    (problems.length > 0 || filesDigest(files) === provenance.filesDigest);
  if (!fits)
    problems.push(branchProblem('branch-edited', `${record} does not fit the commit that published it`, record));

  const directory = syncedDirectory(inventory);
  const own = [...paths, record, ...(directory === undefined ? [] : [metadataPath(directory)])];
  const named = new Set(problems.map(({ file }) => file));
  const wanted = new Map(own.filter((path) => !named.has(path)).map((path) => [path, tree.entries.get(path)?.id]));
  problems.push(...compared(tip, wanted, 'as it was published'));
  return directory === undefined ? problems : [...problems, ...unknownFiles(tip, directory, new Set(own))];
}

function compared(tip: Entries, wanted: ReadonlyMap<string, string | undefined>, what: string): Problem[] {
  return [...wanted.keys()].sort().flatMap((path) => {
    const entry = tip.get(path);
    if (entry === undefined) return [branchProblem('branch-missing', `${path} is missing`, path)];
    if (entry.mode !== '100644') return [branchProblem('branch-edited', `${path} is no plain file any more`, path)];
    return entry.id === wanted.get(path) ? [] : [branchProblem('branch-edited', `${path} is not ${what}`, path)];
  });
}

/** Argo CD syncs the whole directory, so nothing else may lie there. */
function unknownFiles(tip: Entries, directory: string, own: ReadonlySet<string>): Problem[] {
  return [...tip.keys()]
    .filter((path) => path.startsWith(`${directory}/`) && !own.has(path))
    .sort()
    .map((path) => branchProblem('branch-unknown-file', `${path} was put there by somebody else`, path));
}
