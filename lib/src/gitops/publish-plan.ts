import { AgentRunError, type Problem } from '../errors.ts';
import type { BranchSnapshot } from './branch-snapshot.ts';
import { type BranchEntry, blobId } from './branch-tree.ts';
import { metadataPath, ROOT_METADATA } from './hydrator-metadata.ts';
import { inventoryPath, type LaneInventory, laneOfInventory, syncedDirectory } from './inventory.ts';
import { pathCollisions } from './path-collisions.ts';

/** A file as it shall stand on the branch. */
export interface BranchFile {
  readonly path: string;
  readonly content: string;
}

/** What a publish does to the branch. Empty lists: nothing. */
export interface BranchPlan {
  readonly writes: readonly BranchFile[];
  readonly removals: readonly string[];
}

/** Reads the digest (sha256) of what stands at an entry; links and submodules have one that equals no file's. */
export type DigestOf = (entry: BranchEntry) => Promise<string>;

export interface PlanInput {
  /** With the inventories of all lanes, or of those whose paths can be concerned. */
  readonly snapshot: BranchSnapshot;
  /** The lane that is published or removed. */
  readonly lane: string;
  /** Lanes whose place it takes: what they own is its own. Default none. */
  readonly replaced?: readonly string[];
  /** The rendered files, which the lane shall own; empty to remove the lane. */
  readonly files: readonly BranchFile[];
  /** The files that go with them: the lane's inventory and the metadata. Checked here, written by the caller. */
  readonly companions: readonly BranchFile[];
  /** Overwrite and remove files that somebody else wrote or edited. */
  readonly force: boolean;
  readonly digestOf: DigestOf;
}

const REGULAR = '100644';

/**
 * Decides what changes so that the lane owns exactly its files and nothing else changes: what the lane owned and no
 * longer renders goes; what another lane owns is never touched; what somebody else wrote or edited is refused.
 *
 * @throws AgentRunError with all refusals: `path-owned-by-lane`, `path-foreign`, `path-edited`, `path-collision`,
 *   `output-path`
 */
export async function planLane(input: PlanInput): Promise<BranchPlan> {
  const { snapshot, lane, replaced = [], files, companions, force, digestOf } = input;
  const ours = new Set([lane, ...replaced]);
  const published = [...ours].flatMap((one) => snapshot.inventories.get(one) ?? []);
  const own = new Map(published.flatMap((one) => one.files.map(({ path, digest }) => [path, digest])));
  const ownCompanions = published.flatMap((one) => companionPaths(one.lane, one));
  const owners = ownersOf(snapshot, ours);
  const problems: Problem[] = [];
  const refuse = (code: Problem['code'], message: string) => problems.push({ code, severity: 'error', message });
  const writes: BranchFile[] = [];
  const removals: string[] = [];
  const wanted = new Set([...files, ...companions].map(({ path }) => path));

  for (const file of files) {
    const { path, content } = file;
    const owner = owners.get(path);
    const entry = snapshot.entries.get(path);
    if (owner !== undefined) refuse('path-owned-by-lane', `${path} belongs to lane ${owner}`);
    else if (laneOfInventory(path) !== undefined) refuse('output-path', `${path} is a place for inventories only`);
    else if (entry === undefined || entry.id !== blobId(content) || entry.mode !== REGULAR) {
      const refusal = entry === undefined || force ? undefined : await refusalOf(entry, own.get(path), digestOf);
      if (refusal === undefined) writes.push(file);
      else refuse(...refusal);
    }
  }
  for (const { path, content } of companions) {
    const owner = owners.get(path);
    const entry = snapshot.entries.get(path);
    if (owner !== undefined) refuse('path-owned-by-lane', `${path} belongs to lane ${owner}`);
    else if (entry !== undefined && !force && !isReplaceable(entry, content, ownCompanions)) {
      refuse('path-foreign', `${path} was written by somebody else`);
    }
  }
  for (const [path, digest] of own) {
    const entry = snapshot.entries.get(path);
    if (wanted.has(path) || entry === undefined || owners.has(path)) continue;
    const refusal = force ? undefined : await refusalOf(entry, digest, digestOf);
    if (refusal === undefined) removals.push(path);
    else refuse(...refusal);
  }
  const left = ownCompanions.filter((path) => !wanted.has(path) && snapshot.entries.has(path) && !owners.has(path));
  removals.push(...left.filter((path) => !removals.includes(path)));
  const leaving = new Set([...removals, ...wanted]);
  const staying = [...snapshot.entries.keys()].filter((path) => !leaving.has(path));
  problems.push(
    ...pathCollisions(
      staying,
      [...files, ...companions].map(({ path }) => path),
    ),
  );
  const [first] = problems;
  if (first !== undefined) throw new AgentRunError(first.code, first.message, { problems });
  return { writes, removals };
}

/** Paths that other lanes than ours own, with the lane. */
function ownersOf(snapshot: BranchSnapshot, ours: ReadonlySet<string>): Map<string, string> {
  const owners = new Map<string, string>();
  for (const [other, inventory] of snapshot.inventories) {
    if (ours.has(other)) continue;
    for (const path of companionPaths(other, inventory)) owners.set(path, other);
    for (const { path } of inventory.files) owners.set(path, other);
  }
  return owners;
}

async function refusalOf(
  entry: BranchEntry,
  recorded: string | undefined,
  digestOf: DigestOf,
): Promise<[Problem['code'], string] | undefined> {
  if (recorded === undefined) return ['path-foreign', `${entry.path} was written by somebody else`];
  if (entry.mode === REGULAR && (await digestOf(entry)) === recorded) return undefined;
  return ['path-edited', `${entry.path} was edited on the branch since it was published`];
}

/** The metadata at the root is everybody's; the other companions are the lane's once it has written them. */
function isReplaceable({ path, id, mode }: BranchEntry, content: string, ownCompanions: readonly string[]): boolean {
  if (mode !== REGULAR) return false;
  return path === ROOT_METADATA || ownCompanions.includes(path) || id === blobId(content);
}

/** Whether two inventories say that the same files are there; where they come from is not compared. */
export const sameFiles = (a: LaneInventory | undefined, b: LaneInventory): boolean =>
  a !== undefined && a.filesDigest === b.filesDigest && JSON.stringify(a.files) === JSON.stringify(b.files);

/** Everything on the branch that goes with a lane: its inventory, and the metadata beside its kustomization. */
export function companionPaths(lane: string, inventory: LaneInventory): string[] {
  const directory = syncedDirectory(inventory);
  return [inventoryPath(lane), ...(directory === undefined ? [] : [metadataPath(directory)])];
}
