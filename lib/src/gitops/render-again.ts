import { defaultLaneFile, type ServiceRecord } from '../artifacts/artifact.ts';
import { artifactForLane } from '../artifacts/artifact-rules.ts';
import { readArtifact } from '../artifacts/read-artifact.ts';
import { AgentRunError } from '../errors.ts';
import type { Lane } from '../lane/lane.ts';
import { runtimeDirectory } from '../lane/rendered-paths.ts';
import { objectsDigest } from '../render/digest.ts';
import { type RenderedLane, renderLane } from '../render/render-lane.ts';
import type { Provenance } from './commit-message.ts';
import { hydratorPointer, metadataPath } from './hydrator-metadata.ts';
import { inventoryOf, inventoryPath, inventoryText } from './inventory.ts';
import { type LaneAtCommit, type LaneRepository, laneAtCommit } from './lane-at-commit.ts';
import type { BranchFile } from './publish-plan.ts';
import type { PublishedTree } from './published-tree.ts';
import { withoutCredentials } from './remote.ts';

/** What the source of a publish commit renders to now. */
export interface RenderedAgain {
  readonly rendered: RenderedLane;
  /** Everything that belongs to the lane on the branch, as this version of the renderer makes it. */
  readonly files: readonly BranchFile[];
}

/** Where the lane's source is looked up. */
export interface SourceLookup {
  readonly repository: LaneRepository;
  /** Path of the lane file in its repository, as the caller knows it. */
  readonly laneFile?: string;
}

/**
 * Renders the source that a publish commit names. The trailers of the commit say which; what they give only the digest
 * of (the image), or not at all (path and repository of the lane file), is taken from the files of the same commit,
 * never from the newest state of the branch, and only as far as it fits the trailers.
 *
 * @returns undefined when no image on the commit fits the trailers
 * @throws AgentRunError `provenance-missing` when the named commit holds no such lane; what {@link laneAtCommit} and the
 *   renderer throw
 */
export async function renderAgain(
  tree: PublishedTree,
  provenance: Provenance,
  lookup: SourceLookup,
): Promise<RenderedAgain | undefined> {
  const { lane: version, laneCommit, filesDigest } = provenance;
  const candidates = [tree.inventory?.laneFile, lookup.laneFile, defaultLaneFile({ version })];
  let found = false;
  let best: RenderedAgain | undefined;
  for (const laneFile of new Set(candidates.filter((path) => path !== undefined))) {
    const source = await laneAtCommit(lookup.repository, laneCommit, laneFile);
    if (source?.lane.version !== version) continue;
    found = true;
    const again = await renderSource(tree, provenance, source, laneFile, lookup.repository.url);
    if (again?.rendered.filesDigest === filesDigest) return again;
    best ??= again;
  }
  if (found) return best;
  throw new AgentRunError(
    'provenance-missing',
    `the commit ${laneCommit}, from which lane ${version} was published, holds no file of that lane`,
  );
}

async function renderSource(
  tree: PublishedTree,
  { sourceCommit, laneCommit, artifactDigest, generator }: Provenance,
  { lane, text }: LaneAtCommit,
  laneFile: string,
  callersUrl: string,
): Promise<RenderedAgain | undefined> {
  const records = await recordsOf(tree, lane, sourceCommit, laneFile);
  const artifact = records.find((record) => objectsDigest([record]) === artifactDigest);
  if (artifact === undefined) return undefined;
  const rendered = renderLane(lane, { sourceCommit, artifact, laneFile });
  const directory = runtimeDirectory(lane);
  const repository = await repositoryOf(tree, directory, callersUrl);
  const [name, version] = splitAtLast(generator, '@');
  const inventory = inventoryOf(rendered, { repository, commit: laneCommit, text }, { name, version });
  return {
    rendered,
    files: [
      ...rendered.files,
      { path: inventoryPath(lane.version), content: inventoryText(inventory) },
      { path: metadataPath(directory), content: hydratorPointer(repository, laneCommit) },
    ],
  };
}

/** The image as the catalog and the inventory of the commit know it; one of them may have been edited. */
async function recordsOf(
  tree: PublishedTree,
  lane: Lane,
  sourceCommit: string,
  laneFile: string,
): Promise<ServiceRecord[]> {
  const records: ServiceRecord[] = [];
  const path = lane.deployment.artifactCatalogPath;
  try {
    records.push(readArtifact((await tree.text(path)) ?? '', path, lane, sourceCommit, laneFile));
  } catch (error) {
    if (!(error instanceof AgentRunError)) throw error;
  }
  if (tree.inventory !== undefined) {
    const { status, digest, envIdentity } = tree.inventory.artifact;
    const facts = { status, digest, envIdentity, bootCommit: sourceCommit } as ServiceRecord;
    records.push(artifactForLane(lane, facts, laneFile));
  }
  return records;
}

/** The URL that the lane's repository was published under: two files name it, and of two names the caller's is right. */
async function repositoryOf(tree: PublishedTree, directory: string, callersUrl: string): Promise<string> {
  const named = [tree.inventory?.laneRepository, await pointedRepository(tree, directory)].filter(
    (url) => url !== undefined,
  );
  const callers = withoutCredentials(callersUrl);
  return named.includes(callers) ? callers : (named[0] ?? callers);
}

async function pointedRepository(tree: PublishedTree, directory: string): Promise<string | undefined> {
  try {
    const { repoURL } = JSON.parse((await tree.text(metadataPath(directory))) ?? '') as { repoURL?: unknown };
    return typeof repoURL === 'string' ? repoURL : undefined;
  } catch {
    return undefined;
  }
}

function splitAtLast(text: string, mark: string): [string, string] {
  const at = text.lastIndexOf(mark);
  return [text.slice(0, at), text.slice(at + 1)];
}
