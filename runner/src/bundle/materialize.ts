import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { AttemptFile, ResourceBundleRef } from '@agentrun/lib/contract';
import { BackendFailure } from '../backends/backend-failure.ts';
import { fileFailure, invalidBundle } from './bundle-failure.ts';
import { type BundlePlan, type BundleRepository, planBundle } from './bundle-plan.ts';
import {
  type BundleRecord,
  NO_BUNDLE,
  type RecordedRepository,
  readRecord,
  sha256,
  writeRecord,
} from './bundle-record.ts';
import { Checkout, type GitPlace } from './checkout.ts';
import { type Dirt, dirtOfInterrupted, findDirt, stateOf } from './dirt.ts';
import { gitAccess } from './git-credential.ts';
import { repositoryAddress } from './repository-url.ts';
import { treeFingerprint } from './tree-fingerprint.ts';
import { folderBelow, look, placeFile } from './workspace-path.ts';

export interface BundleTarget {
  /** Absolute; exists. */
  readonly workspace: string;
  /** Its credential folder is read for tool credentials. */
  readonly attemptDir: string;
  readonly attemptId: string;
  /** The variables around the runner. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** How often and how fast a network that fails is tried again. */
  readonly retry: AttemptFile['retry'];
  /** Ends it; its reason is thrown. */
  readonly signal: AbortSignal;
  readonly onRetry?: (message: string) => void;
}

export interface Materialized {
  readonly bundleHash: string;
  /** The bundle stood there already, and nothing was touched. */
  readonly unchanged: boolean;
  readonly repositories: readonly { readonly path: string; readonly commit: string; readonly kept?: true }[];
  readonly files: number;
}

/**
 * Puts a bundle into the workspace, and nothing outside of it.
 *
 * The bundle that stands there is left alone, whatever an agent made of it. Another one takes its place; where an agent
 * has changed what that one wants to write, `onDirty` decides. Ended in the middle, it can be done again.
 *
 * @throws BackendFailure `resource-bundle-invalid`, `disk-full`, `provider-unavailable` for a network that did not come
 *   back, `infra-failed`; the reason of the signal
 */
export async function materialize(bundle: ResourceBundleRef, target: BundleTarget): Promise<Materialized> {
  const plan = planBundle(bundle);
  const scratch = await mkdtemp(join(tmpdir(), 'agentrun-bundle-'));
  try {
    const root = await realpath(target.workspace);
    const record = await readRecord(root);
    if (record.hash === plan.hash && record.applying === null) return { ...told(plan, new Set()), unchanged: true };
    return await apply(root, record, plan, target, scratch);
  } catch (error) {
    if (error === target.signal.reason) throw error;
    throw fileFailure(error, 'the resource bundle could not be put into the workspace');
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function apply(
  root: string,
  record: BundleRecord,
  plan: BundlePlan,
  target: BundleTarget,
  scratch: string,
): Promise<Materialized> {
  const { attemptId, environment: around, signal } = target;
  const place: GitPlace = { attemptId, around, signal, scratch };
  // What an interrupted bundle left was looked at before, and no agent has run since.
  const isInterrupted = record.applying !== null;
  const dirt = isInterrupted ? dirtOfInterrupted(record, plan) : await findDirt(root, record, plan, place);
  if (plan.onDirty === 'fail') assertClean(dirt);
  const kept = new Set(plan.onDirty === 'keep' ? [...dirt.repositories.keys(), ...dirt.files] : []);
  await writeRecord(root, { ...record, applying: plan.hash, kept: [...kept] });

  const former = new Map(record.repositories.map((repository) => [repository.path, repository]));
  for (const repository of plan.repositories) {
    const { path } = repository;
    if (kept.has(path)) continue;
    const known = former.get(path) ?? null;
    const isFresh = isInterrupted || dirt.repositories.has(path);
    const isRemade = dirt.broken.has(path);
    former.set(
      path,
      await retried(
        async () => await putRepository(root, repository, known, { isFresh, isRemade, place, target }),
        target,
      ),
    );
  }
  await removeFormerFiles(root, record, plan);
  const files = [];
  for (const file of plan.files) {
    const { path } = file;
    signal.throwIfAborted();
    const isKept =
      kept.has(path) || plan.repositories.some(({ path: above }) => kept.has(above) && path.startsWith(`${above}/`));
    const known = record.files.find((recorded) => recorded.path === path);
    if (!isKept) await placeFile(root, file);
    files.push(isKept && known !== undefined ? known : { path, sha256: sha256(file.data) });
  }
  // Checkouts that the bundle does not name any more are left, and remembered.
  await writeRecord(root, { ...NO_BUNDLE, hash: plan.hash, repositories: [...former.values()], files });
  return { ...told(plan, kept), unchanged: false };
}

/** Files of the former bundle that this one does not have, as far as nobody changed them. */
async function removeFormerFiles(root: string, record: BundleRecord, plan: BundlePlan): Promise<void> {
  const wanted = new Set(plan.files.map(({ path }) => path));
  for (const { path, sha256: digest } of record.files) {
    if (!wanted.has(path) && (await stateOf(root, path)) === digest) await rm(join(root, path), { force: true });
  }
}

interface Putting {
  /** Files that nobody tracks go, but for ignored ones. */
  readonly isFresh: boolean;
  /** All that is there goes first. */
  readonly isRemade: boolean;
  readonly place: GitPlace;
  readonly target: BundleTarget;
}

async function putRepository(
  root: string,
  repository: BundleRepository,
  known: RecordedRepository | null,
  { isFresh, isRemade: isBroken, place, target }: Putting,
): Promise<RecordedRepository> {
  const { path, commit, url, submodules = false, credential } = repository;
  const address = repositoryAddress(url);
  const access = await gitAccess(target.attemptDir, credential, address, place.scratch);
  // git looks into submodules with the settings that it finds there; and what is not of us is not to be trusted at all.
  const isRemade = isBroken || submodules || known === null || known.submodules !== null;
  if (isRemade) await removeBelow(root, path);
  const checkout = new Checkout(root, path, place);
  try {
    await checkout.open();
    await checkout.fetch(repository, address, access);
    await checkout.switchTo(commit, isRemade ? null : known.commit, url, isFresh);
    if (!submodules) return { path, commit, submodules: null };
    await checkout.addSubmodules(address, access, url);
    const folder = await folderBelow(root, path);
    return { path, commit, submodules: await treeFingerprint(folder, await checkout.submodules(commit)) };
  } finally {
    await checkout.close();
  }
}

/** Removes what is at a path; of a link only the link. */
async function removeBelow(root: string, path: string): Promise<void> {
  const parent = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '.';
  const folder = await folderBelow(root, parent);
  const at = join(folder, path.slice(path.lastIndexOf('/') + 1));
  if ((await look(at)) !== null) await rm(at, { recursive: true, force: true });
}

async function retried<T>(work: () => Promise<T>, { retry, signal, onRetry }: BundleTarget): Promise<T> {
  for (let tries = 1, pause = retry.initialBackoffMs; ; tries += 1, pause = Math.min(pause * 2, retry.maxBackoffMs)) {
    try {
      return await work();
    } catch (error) {
      const isNetwork = error instanceof BackendFailure && error.failureKind === 'provider-unavailable';
      if (!isNetwork || tries >= retry.maxAttempts) throw error;
      onRetry?.(error.message);
      await delay(pause * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {});
      signal.throwIfAborted();
    }
  }
}

function assertClean({ repositories, files }: Dirt): void {
  const places = [...repositories].map(([path, change]) => `${JSON.stringify(path)} (${change})`);
  places.push(...[...files].map((path) => JSON.stringify(path)));
  if (places.length === 0) return;
  const what = places.slice(0, 10).join(', ') + (places.length > 10 ? `, and ${places.length - 10} more` : '');
  throw invalidBundle(
    `the workspace holds changes that another bundle would overwrite: ${what}. Use onDirty "keep" or "overwrite", or another session`,
  );
}

function told(plan: BundlePlan, kept: ReadonlySet<string>): Omit<Materialized, 'unchanged'> {
  return {
    bundleHash: plan.hash,
    repositories: plan.repositories.map(({ path, commit }) => ({
      path,
      commit,
      ...(kept.has(path) ? { kept: true as const } : {}),
    })),
    files: plan.files.length,
  };
}
