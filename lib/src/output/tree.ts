import { closeSync, fchmodSync, fsync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inBatches } from './in-batches.ts';
import { FileFailure, isMissing, systemCode } from './output-failure.ts';
import type { OutputFile } from './output-file.ts';

const FILE_MODE = 0o644;
const DIRECTORY_MODE = 0o755;
const MODE_BITS = 0o777;

/** The one slow step of a write. The others take microseconds, less than handing them to another thread. */
const reachDisk = promisify(fsync);

/**
 * Writes the files below `root`, which must not exist, and returns when all of it has reached the disk. Files get mode
 * 0644 and directories 0755 whatever the umask is. Throws the error of the system, or `FileFailure` for a file.
 */
export async function writeTree(root: string, files: readonly OutputFile[]): Promise<void> {
  const folders = ['', ...foldersOf(files)];
  for (const folder of folders) makeFolder(join(root, folder));
  await inBatches(files, (file) => writeFile(root, file));
  await inBatches(folders, (folder) => syncDirectory(join(root, folder)));
}

/**
 * Whether the directory holds exactly these files: same names, bytes and modes, no entry more and no link.
 * A directory that is missing, or that vanishes meanwhile, is not equal.
 */
export async function treeEquals(root: string, files: readonly OutputFile[]): Promise<boolean> {
  try {
    const folders = ['', ...foldersOf(files)];
    const wanted = new Set([...folders.slice(1), ...files.map((file) => file.path)]);
    let found = 0;
    for (const folder of folders) {
      const stats = await lstat(join(root, folder));
      if (!stats.isDirectory() || (stats.mode & MODE_BITS) !== DIRECTORY_MODE) return false;
      for (const name of await readdir(join(root, folder))) {
        if (!wanted.has(folder === '' ? name : `${folder}/${name}`)) return false;
        found += 1;
      }
    }
    return found === wanted.size && (await allFilesEqual(root, files));
  } catch (error) {
    if (isMissing(error) || systemCode(error) === 'ENOTDIR') return false;
    throw error;
  }
}

/** Returns when the entries of the directory have reached the disk; a file system that cannot tell is believed. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = openSync(path, 'r');
  try {
    await reachDisk(handle);
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP', 'EISDIR'].includes(systemCode(error))) throw error;
  } finally {
    closeSync(handle);
  }
}

// Each folder stands after the one that holds it.
function foldersOf(files: readonly OutputFile[]): string[] {
  const folders = new Set<string>();
  for (const file of files) {
    const segments = file.path.split('/');
    for (let length = 1; length < segments.length; length += 1) folders.add(segments.slice(0, length).join('/'));
  }
  return [...folders].toSorted();
}

function makeFolder(path: string): void {
  mkdirSync(path);
  const handle = openSync(path, 'r');
  try {
    fchmodSync(handle, DIRECTORY_MODE);
  } finally {
    closeSync(handle);
  }
}

async function writeFile(root: string, file: OutputFile): Promise<void> {
  try {
    const handle = openSync(join(root, file.path), 'wx');
    try {
      writeFileSync(handle, file.content, 'utf8');
      fchmodSync(handle, FILE_MODE);
      // The other files of the batch first: making one waits while the disk is busy with another.
      await Promise.resolve();
      await reachDisk(handle);
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    throw new FileFailure(file.path, error);
  }
}

async function allFilesEqual(root: string, files: readonly OutputFile[]): Promise<boolean> {
  let equal = true;
  await inBatches(files, async (file) => {
    if (equal && !(await fileEquals(join(root, file.path), Buffer.from(file.content, 'utf8')))) equal = false;
  });
  return equal;
}

async function fileEquals(path: string, content: Buffer): Promise<boolean> {
  const stats = await lstat(path);
  if (!stats.isFile() || stats.size !== content.length || (stats.mode & MODE_BITS) !== FILE_MODE) return false;
  return content.equals(await readFile(path));
}
