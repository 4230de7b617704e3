import { imageArtifact, type ServiceRecord, ZERO_DIGEST } from '../artifacts/artifact.ts';
import { assertArtifact } from '../artifacts/artifact-rules.ts';
import { AgentRunError } from '../errors.ts';
import type { Lane } from '../lane/lane.ts';
import { fetchBranch } from './branch-snapshot.ts';
import type { BranchEntry } from './branch-tree.ts';
import { type Environment, GitFailure } from './git.ts';
import { inventoryPath, parseInventory, sha256 } from './inventory.ts';
import { assertBranch, remoteFailure, resolveRemote } from './remote.ts';
import { type BlobReader, type RemoteObjects, withRemoteObjects } from './remote-objects.ts';

/** Which branch holds the image that shall be used again, and for which commit. */
export interface PublishedArtifactRequest {
  readonly lane: Lane;
  readonly sourceCommit: string;
  /** Path of the lane file in its repository. */
  readonly laneFile: string;
  readonly remote: string;
  readonly branch: string;
  /** What a relative path is relative to; default the working directory. */
  readonly cwd?: string;
  readonly environment?: Environment;
}

/**
 * The image that the lane's published catalog names, as the record of another commit: its status is `reused`.
 *
 * @throws AgentRunError `artifact-missing` when the branch names no image of the lane, `artifact-invalid` when it
 *   names none that could run, `path-edited` when the catalog is not as it was published
 */
export async function publishedArtifact(request: PublishedArtifactRequest): Promise<ServiceRecord> {
  const { lane, sourceCommit, laneFile, branch } = request;
  const path = lane.deployment.artifactCatalogPath;
  const remote = resolveRemote(request.remote, request.cwd);
  assertBranch(branch);
  const readCatalog = async (objects: RemoteObjects) => {
    const { entries } = await fetchBranch(objects, branch);
    return publishedCatalog(objects.read, entries, lane.version, path);
  };
  const text = await withRemoteObjects(remote, readCatalog, request.environment).catch((error: unknown) => {
    throw error instanceof GitFailure ? remoteFailure(error, remote) : error;
  });
  if (text === undefined) {
    throw new AgentRunError(
      'artifact-missing',
      `the branch ${branch} holds no catalog ${path} of lane ${lane.version}`,
      {
        hint: 'The first publish of a lane needs --artifact FILE, or --image-digest with --env-identity.',
      },
    );
  }
  const { digest, envIdentity } = facts(text, path);
  if (digest === ZERO_DIGEST)
    throw new AgentRunError('artifact-invalid', `${path} on the branch ${branch} holds the placeholder`, {
      hint: 'Publish the lane once with --artifact FILE, or with --image-digest and --env-identity.',
    });
  const record = imageArtifact(lane, { sourceCommit, envIdentity, digest, status: 'reused', laneFile });
  assertArtifact(sourceCommit, record);
  return record;
}

/** An image that somebody wrote into the catalog by hand must not be taken over: nobody built or checked it. */
async function publishedCatalog(
  read: BlobReader,
  entries: ReadonlyMap<string, BranchEntry>,
  version: string,
  path: string,
): Promise<string | undefined> {
  const [id, recordId] = [path, inventoryPath(version)].map((name) => entries.get(name)?.id);
  const contents = await read([id, recordId].filter((one) => one !== undefined));
  const catalog = contents.get(id ?? '');
  const record = contents.get(recordId ?? '')?.toString('utf8');
  if (catalog === undefined || record === undefined) return catalog?.toString('utf8');
  const published = parseInventory(version, record).files.find((file) => file.path === path)?.digest;
  if (published !== undefined && published !== sha256(catalog)) {
    throw new AgentRunError('path-edited', `${path} was edited on the branch, so its image is not taken over`, {
      hint: 'Name the image with --artifact FILE, or --image-digest with --env-identity.',
    });
  }
  return catalog.toString('utf8');
}

function facts(text: string, path: string): { digest: string; envIdentity: string } {
  try {
    const [service] = (JSON.parse(text) as { services: { digest: unknown; envIdentity: unknown }[] }).services;
    return { digest: String(service?.digest), envIdentity: String(service?.envIdentity) };
  } catch (cause) {
    throw new AgentRunError('artifact-invalid', `${path} on the branch is no artifact catalog`, { cause });
  }
}
