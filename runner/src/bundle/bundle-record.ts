import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type RecordedCheckout, WORKSPACE_OWN_FOLDER, WORKSPACE_RECORD } from '@agentrun/lib/contract';
import { folderBelow, look, replaceFile } from './workspace-path.ts';

/** `.agentrun/bundle.json`: what of which bundle stands in the workspace. */
export interface BundleRecord {
  readonly formatVersion: 1;
  /** Of the bundle that stands there; null before the first is whole. */
  readonly hash: string | null;
  /** Of the bundle that is being put there: as long as it is set, no agent has worked on what it wrote. */
  readonly applying: string | null;
  /** While one is being put there: the paths of changed checkouts and files that are left as an agent made them. */
  readonly kept: readonly string[];
  readonly repositories: readonly RecordedRepository[];
  readonly files: readonly RecordedFile[];
}

export interface RecordedRepository extends RecordedCheckout {
  /** The content of the submodules, where there are any. */
  readonly submodules: string | null;
}

export interface RecordedFile {
  readonly path: string;
  readonly sha256: string;
}

export const NO_BUNDLE: BundleRecord = {
  formatVersion: 1,
  hash: null,
  applying: null,
  kept: [],
  repositories: [],
  files: [],
};

/** The record of a workspace; an agent may have written anything there, and what is no record is none. */
export async function readRecord(root: string): Promise<BundleRecord> {
  try {
    const path = join(root, WORKSPACE_OWN_FOLDER, WORKSPACE_RECORD);
    if ((await look(join(root, WORKSPACE_OWN_FOLDER)))?.isDirectory() !== true || (await look(path))?.isFile() !== true)
      return NO_BUNDLE;
    const record = JSON.parse(await readFile(path, 'utf8')) as BundleRecord;
    const right =
      record.formatVersion === 1 &&
      record.kept.every((path) => typeof path === 'string') &&
      record.repositories.every(({ path, commit }) => typeof path === 'string' && /^[0-9a-f]{40}$/.test(commit)) &&
      record.files.every(({ path, sha256 }) => typeof path === 'string' && typeof sha256 === 'string');
    return right ? record : NO_BUNDLE;
  } catch {
    return NO_BUNDLE;
  }
}

export async function writeRecord(root: string, record: BundleRecord): Promise<void> {
  const folder = await folderBelow(root, WORKSPACE_OWN_FOLDER);
  await replaceFile(join(folder, WORKSPACE_RECORD), `${JSON.stringify(record, null, 2)}\n`, 0o644);
}

export const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex');
