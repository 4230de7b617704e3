import type { BranchState } from './branch-snapshot.ts';
import { type BranchEntry, readTree } from './branch-tree.ts';
import { metadataPath } from './hydrator-metadata.ts';
import { inventoryPath, type LaneInventory, laneOfInventory, tryParseInventory } from './inventory.ts';
import type { PublishCommit } from './publish-history.ts';
import type { RemoteObjects } from './remote-objects.ts';

/** The files of a publish commit. */
export interface PublishedTree {
  readonly entries: ReadonlyMap<string, BranchEntry>;
  /** The lane's inventory as this commit holds it; undefined when it has none that can be read. */
  readonly inventory?: LaneInventory;
  /** Contents by path, of those that are plain files. */
  contents(paths: readonly string[]): Promise<Map<string, Buffer>>;
  /** One file as text; undefined when there is none. */
  text(path: string): Promise<string | undefined>;
}

/** @param tip the newest state of the branch: often the publish commit itself */
export async function readPublishedTree(
  { git, read }: RemoteObjects,
  { id, provenance }: PublishCommit,
  tip: BranchState,
): Promise<PublishedTree> {
  const entries = id === tip.head ? tip.entries : await readTree(git, id);
  // The small files that are asked for below and elsewhere, in one go.
  await read([...tip.entries.values(), ...entries.values()].filter(saysWhereFrom).map((entry) => entry.id));
  const contents: PublishedTree['contents'] = async (paths) => {
    const found = paths.flatMap((path) => entries.get(path) ?? []).filter(({ mode }) => mode === '100644');
    const blobs = await read(found.map((entry) => entry.id));
    return new Map(found.map((entry) => [entry.path, blobs.get(entry.id) ?? Buffer.alloc(0)]));
  };
  const text: PublishedTree['text'] = async (path) => (await contents([path])).get(path)?.toString('utf8');
  // What an edited branch holds in its place is for the comparison to say.
  const inventory = tryParseInventory(provenance.lane, (await text(inventoryPath(provenance.lane))) ?? '');
  return { entries, contents, text, ...(inventory === undefined ? {} : { inventory }) };
}

const saysWhereFrom = ({ mode, path }: BranchEntry): boolean =>
  mode === '100644' && (laneOfInventory(path) !== undefined || path.endsWith(metadataPath('')));
