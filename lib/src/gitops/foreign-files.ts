import type { BranchState } from './branch-snapshot.ts';
import { metadataPath, ROOT_METADATA } from './hydrator-metadata.ts';
import { laneOfInventory, syncedDirectory, tryParseInventory } from './inventory.ts';
import type { BlobReader } from './remote-objects.ts';

/**
 * Files of a branch that belong to no lane, `known` ones aside. An inventory that cannot be read owns nothing here: its
 * lane's own verify says so.
 */
export async function foreignFiles(
  read: BlobReader,
  { entries }: BranchState,
  known: Iterable<string>,
): Promise<string[]> {
  const records = [...entries.values()].filter(({ path }) => laneOfInventory(path) !== undefined);
  const contents = await read(records.map(({ id }) => id));
  const owned = new Set([...known, ROOT_METADATA]);
  for (const { path, id } of records) {
    owned.add(path);
    const inventory = tryParseInventory(laneOfInventory(path) ?? '', contents.get(id)?.toString('utf8') ?? '');
    if (inventory === undefined) continue;
    for (const file of inventory.files) owned.add(file.path);
    const directory = syncedDirectory(inventory);
    if (directory !== undefined) owned.add(metadataPath(directory));
  }
  return [...entries.keys()].filter((path) => !owned.has(path)).sort();
}
