import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BackendFailure } from '../backends/backend-failure.ts';
import { invalidBundle } from './bundle-failure.ts';
import type { BundlePlan } from './bundle-plan.ts';
import { type BundleRecord, type RecordedFile, type RecordedRepository, sha256 } from './bundle-record.ts';
import { Checkout, type GitPlace } from './checkout.ts';
import { treeFingerprint } from './tree-fingerprint.ts';
import { folderBelow, look } from './workspace-path.ts';

/** What in the workspace is not as the last bundle left it, among the places that the next one wants. */
export interface Dirt {
  /** Paths of checkouts, each with an example of what was changed. */
  readonly repositories: ReadonlyMap<string, string>;
  /** Those among them that git cannot work with any more. */
  readonly broken: ReadonlySet<string>;
  /** Paths of files. */
  readonly files: ReadonlySet<string>;
}

/** The work of an agent that an interrupted bundle had left alone; all else that it left is nobody's. */
export function dirtOfInterrupted({ kept }: BundleRecord, plan: BundlePlan): Dirt {
  const paths = new Set(kept);
  return {
    repositories: new Map(
      plan.repositories.filter(({ path }) => paths.has(path)).map(({ path }) => [path, 'it was kept before']),
    ),
    broken: new Set(),
    files: new Set(plan.files.map(({ path }) => path).filter((path) => paths.has(path))),
  };
}

/** Looks for work of an agent that the plan would overwrite. Reads only. */
export async function findDirt(root: string, record: BundleRecord, plan: BundlePlan, place: GitPlace): Promise<Dirt> {
  const files = new Map(record.files.map((file) => [file.path, file]));
  const repositories = new Map<string, string>();
  const broken = new Set<string>();
  for (const { path } of plan.repositories) {
    const known = record.repositories.find((recorded) => recorded.path === path);
    try {
      const change = await changeIn(root, path, known, files, place);
      if (change !== null) repositories.set(path, change);
    } catch (error) {
      place.signal.throwIfAborted();
      if (!(error instanceof BackendFailure)) throw error;
      repositories.set(path, error.message);
      broken.add(path);
    }
  }
  const changed = new Set<string>();
  for (const { path } of plan.files) {
    const known = files.get(path);
    const state = await stateOf(root, path);
    // A file that the commit brought, and nobody changed, is no work of anybody.
    const isOfCheckout = plan.repositories.some(({ path: above }) => path.startsWith(`${above}/`));
    if (known === undefined ? state !== null && !isOfCheckout : state !== known.sha256) changed.add(path);
  }
  return { repositories, broken, files: changed };
}

/** An example of what was changed in a checkout; null for one that is as it was, or not there. */
async function changeIn(
  root: string,
  path: string,
  known: RecordedRepository | undefined,
  files: ReadonlyMap<string, RecordedFile>,
  place: GitPlace,
): Promise<string | null> {
  const found = await look(join(root, path)).catch(() => null);
  if (found === null) return null;
  if (known === undefined) return (await isEmpty(root, path)) ? null : 'it is not of a bundle';
  if (!found.isDirectory() || (await look(join(root, path, '.git'))) === null) throw invalidBundle('its .git is gone');
  const checkout = new Checkout(root, path, place);
  try {
    await checkout.open();
    const changes = await checkout.changes(known.commit);
    if (changes === null) throw invalidBundle(`its commit ${known.commit} is gone`);
    for (const change of changes) {
      const file = files.get(`${path}/${change}`);
      if (file === undefined || (await stateOf(root, file.path)) !== file.sha256) return change;
    }
    if (known.submodules === null) return null;
    const folder = await folderBelow(root, path);
    const now = await treeFingerprint(folder, await checkout.submodules(known.commit));
    return now === known.submodules ? null : 'a submodule';
  } finally {
    await checkout.close();
  }
}

async function isEmpty(root: string, path: string): Promise<boolean> {
  return (await readdir(join(root, path)).catch(() => ['in the way'])).length === 0;
}

/** The digest of a file below the workspace; null for nothing, "other" for what is no file. */
export async function stateOf(root: string, path: string): Promise<string | null> {
  const segments = path.split('/');
  for (let depth = 1; depth <= segments.length; depth += 1) {
    const found = await look(join(root, ...segments.slice(0, depth))).catch(() => null);
    if (found === null) return null;
    const isLast = depth === segments.length;
    if (isLast ? !found.isFile() : !found.isDirectory()) return 'other';
  }
  return sha256(await readFile(join(root, path)));
}
