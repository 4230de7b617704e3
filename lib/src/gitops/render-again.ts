import type { ServiceRecord } from '../artifacts/artifact.ts';
import { readArtifact } from '../artifacts/read-artifact.ts';
import { AgentRunError } from '../errors.ts';
import { runtimeDirectory } from '../lane/rendered-paths.ts';
import { objectsDigest } from '../render/digest.ts';
import { type RenderedLane, renderLane } from '../render/render-lane.ts';
import { type BranchEntry, readBlobs, readTree } from './branch-snapshot.ts';
import type { Git } from './git.ts';
import { hydratorFiles } from './hydrator-metadata.ts';
import { inventoryOf, inventoryPath, inventoryText, type LaneInventory, parseInventory } from './inventory.ts';
import { laneAtCommit, type LaneRepository } from './lane-at-commit.ts';
import type { PublishCommit } from './publish-history.ts';
import type { BranchFile } from './publish-plan.ts';

/** What a publish commit says, and what its source renders to now. */
export interface RenderedAgain {
  readonly rendered: RenderedLane;
  /** The inventory as the publish commit holds it. */
  readonly inventory: LaneInventory;
  /** Everything that belongs to the lane on the branch, as this version of the renderer makes it. */
  readonly files: readonly BranchFile[];
  /** The tree of the publish commit. */
  readonly entries: ReadonlyMap<string, BranchEntry>;
}

/**
 * Renders the source that a publish commit names. What cannot be worked out again (the image) is taken from the
 * commit, never from the newest state of the branch, and is held against the digest in the commit's trailers.
 *
 * @throws AgentRunError `provenance-missing` when the commit does not hold what its trailers say
 */
export async function renderAgain(git: Git, { id, provenance }: PublishCommit, repository: LaneRepository): Promise<RenderedAgain> {
  const entries = await readTree(git, id);
  const text = async (path: string) => {
    const entry = entries.get(path);
    return entry === undefined ? undefined : (await readBlobs(git, [entry.id])).get(entry.id)?.toString('utf8');
  };
  const refuse = (why: string): never => {
    throw new AgentRunError('provenance-missing', `the commit ${id}, which published lane ${provenance.lane}, ${why}`);
  };
  const inventory = parseInventory(provenance.lane, (await text(inventoryPath(provenance.lane))) ?? refuse('holds no inventory'));
  const { laneFile, laneCommit, laneRepository, generator } = inventory;
  if (laneCommit !== provenance.laneCommit) refuse('names two commits of the lane');
  const source = await laneAtCommit(repository, git, laneCommit, laneFile);
  if (source === undefined) return refuse(`names the lane file ${laneFile}, which ${laneCommit} does not hold`);
  const { lane } = source;
  const catalog = (await text(lane.deployment.artifactCatalogPath)) ?? refuse('holds no artifact catalog');
  const artifact: ServiceRecord = readArtifact(catalog, lane.deployment.artifactCatalogPath, lane, provenance.sourceCommit, laneFile);
  if (objectsDigest([artifact]) !== provenance.artifactDigest) refuse('holds another artifact than its trailers say');

  const rendered = renderLane(lane, { sourceCommit: provenance.sourceCommit, artifact, laneFile });
  const origin = { repository: laneRepository, commit: laneCommit, text: source.text };
  const own = { path: inventoryPath(lane.version), content: inventoryText(inventoryOf(rendered, origin, generator)) };
  const pointer = hydratorFiles({ repository: laneRepository, commit: { ...NO_DETAILS, id: laneCommit } }, runtimeDirectory(lane));
  return { rendered, inventory, files: [...rendered.files, own, ...pointer.slice(1)], entries };
}

/** The metadata beside the kustomization names the commit only. */
const NO_DETAILS = { committed: '', author: '', date: '', subject: '', body: '' };
