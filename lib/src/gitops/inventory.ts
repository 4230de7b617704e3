import { createHash } from 'node:crypto';
import type { ArtifactStatus } from '../artifacts/artifact.ts';
import { checkOutputPaths } from '../check/output-path.ts';
import { AgentRunError } from '../errors.ts';
import type { RenderedLane } from '../render/render-lane.ts';

/** What a lane owns on a GitOps branch, and where it comes from; one file a lane, on the branch itself. */
export interface LaneInventory {
  readonly formatVersion: 1;
  readonly lane: string;
  /** Path of the lane file in its repository. */
  readonly laneFile: string;
  readonly laneRepository: string;
  readonly laneCommit: string;
  readonly sourceCommit: string;
  /** sha256 of the lane file. */
  readonly laneDigest: string;
  readonly generator: { readonly name: string; readonly version: string };
  readonly artifact: { readonly status: ArtifactStatus; readonly digest: string; readonly envIdentity: string };
  readonly filesDigest: string;
  /** Sorted by path; each digest is sha256 of the content. */
  readonly files: readonly { readonly path: string; readonly digest: string }[];
}

const FOLDER = '.agentrun/lanes/';
const COMMIT = /^[0-9a-f]{40}$/;

/** Where the inventory of a lane lies on the branch. */
export const inventoryPath = (lane: string): string => `${FOLDER}${lane}.json`;

/** The lane whose inventory a path is; undefined for any other path. */
export const laneOfInventory = (path: string): string | undefined =>
  path.startsWith(FOLDER) && path.endsWith('.json') ? path.slice(FOLDER.length, -'.json'.length) : undefined;

export const sha256 = (content: string | Buffer): string =>
  `sha256:${createHash('sha256').update(content).digest('hex')}`;

/** Where the rendered lane comes from. */
export interface LaneOrigin {
  readonly repository: string;
  readonly commit: string;
  /** The text of the lane file. */
  readonly text: string;
}

export function inventoryOf(
  { lane, input, files, filesDigest }: RenderedLane,
  origin: LaneOrigin,
  generator: LaneInventory['generator'],
): LaneInventory {
  const { status, digest, envIdentity } = input.artifact;
  return {
    formatVersion: 1,
    lane: lane.version,
    laneFile: input.laneFile,
    laneRepository: origin.repository,
    laneCommit: origin.commit,
    sourceCommit: input.sourceCommit,
    laneDigest: sha256(origin.text),
    generator,
    artifact: { status, digest, envIdentity },
    filesDigest,
    files: files
      .map(({ path, content }) => ({ path, digest: sha256(content) }))
      .sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
}

export const inventoryText = (inventory: LaneInventory): string => `${JSON.stringify(inventory, null, 2)}\n`;

/**
 * Reads an inventory from the branch.
 *
 * @throws AgentRunError `branch-inventory` when it is not one, or speaks of another lane: then nobody can say what the
 *   lane owns, and nothing may be removed or overwritten
 */
export function parseInventory(lane: string, text: string): LaneInventory {
  const refuse = (why: string): never => {
    throw new AgentRunError('branch-inventory', `the inventory ${inventoryPath(lane)} on the branch ${why}`);
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse('is not JSON');
  }
  const inventory = value as Partial<LaneInventory> | null;
  if (typeof inventory !== 'object' || inventory === null) return refuse('is not an object');
  if (inventory.formatVersion !== 1) return refuse('has a format that this version does not know');
  if (inventory.lane !== lane) return refuse('speaks of another lane');
  for (const key of ['laneFile', 'laneRepository', 'laneCommit', 'sourceCommit', 'filesDigest'] as const) {
    if (typeof inventory[key] !== 'string') return refuse(`has no ${key}`);
  }
  // Both are given to git: as a revision, and as a path within it.
  if (!COMMIT.test(inventory.laneCommit ?? '')) return refuse('names no commit of the lane');
  if (checkOutputPaths([inventory.laneFile ?? '']).length > 0) return refuse('names no lane file');
  if (typeof inventory.generator?.version !== 'string') return refuse('has no generator');
  const { status, digest, envIdentity } = (inventory.artifact ?? {}) as Record<string, unknown>;
  if (![status, digest, envIdentity].every((value) => typeof value === 'string')) return refuse('has no artifact');
  const files: unknown = inventory.files;
  if (!Array.isArray(files) || !files.every(isFile)) return refuse('has no list of files');
  return inventory as LaneInventory;
}

function isFile(file: unknown): boolean {
  const { path, digest } = (file ?? {}) as { path?: unknown; digest?: unknown };
  return typeof path === 'string' && typeof digest === 'string' && /^sha256:[0-9a-f]{64}$/.test(digest);
}

/** The same; undefined when it is none, for those who only look. */
export function tryParseInventory(lane: string, text: string): LaneInventory | undefined {
  try {
    return parseInventory(lane, text);
  } catch (error) {
    if (!(error instanceof AgentRunError)) throw error;
    return undefined;
  }
}

/** The directory that Argo CD syncs, as the inventory shows it. */
export function syncedDirectory({ files }: LaneInventory): string | undefined {
  return files.find(({ path }) => path.endsWith('/kustomization.yaml'))?.path.slice(0, -'/kustomization.yaml'.length);
}
