import { randomBytes } from 'node:crypto';
import { type Stats } from 'node:fs';
import { chmod, lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileFailure, invalidBundle } from './bundle-failure.ts';

/** What is at a path, links not followed; null for nothing. */
export async function look(path: string): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/**
 * The absolute path of a folder below the workspace, made with its parents when it is missing. None of them may be a
 * link: an agent can have made one that leads out.
 *
 * @param root the real path of the workspace
 * @param path relative, without "." and ".." segments; "." for the workspace itself
 * @throws BackendFailure `resource-bundle-invalid` for a link or a file in the way
 */
export async function folderBelow(root: string, path: string): Promise<string> {
  let folder = root;
  for (const segment of path === '.' ? [] : path.split('/')) {
    folder = join(folder, segment);
    const found = await look(folder);
    if (found?.isSymbolicLink() === true)
      throw invalidBundle(`${JSON.stringify(path)} leads over a symbolic link, ${segment}`);
    if (found !== null && !found.isDirectory())
      throw invalidBundle(`${JSON.stringify(path)} leads over ${segment}, which is no folder`);
    if (found === null) await mkdir(folder, { mode: 0o755 });
  }
  return folder;
}

/** A file of the bundle, where it goes. */
export interface PlacedFile {
  /** Below the workspace. */
  readonly path: string;
  readonly data: Buffer;
  /** Permission bits. */
  readonly mode: number;
}

/** Writes a file below the workspace, wholly or not at all. @throws BackendFailure */
export async function placeFile(root: string, { path, data, mode }: PlacedFile): Promise<void> {
  try {
    const folder = await folderBelow(root, dirname(path));
    const target = join(folder, basename(path));
    const found = await look(target);
    if (found !== null && !found.isFile()) {
      throw invalidBundle(
        `the file ${JSON.stringify(path)} cannot be written: ${found.isDirectory() ? 'a folder' : 'a link'} is there`,
      );
    }
    await replaceFile(target, data, mode);
  } catch (error) {
    throw fileFailure(error, `the file ${JSON.stringify(path)} could not be written`);
  }
}

/** Puts a file in the place of what is there, a link included. */
export async function replaceFile(target: string, data: Buffer | string, mode: number): Promise<void> {
  const temporary = join(dirname(target), `.agentrun-${randomBytes(8).toString('hex')}`);
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(data);
    } finally {
      await file.close();
    }
    // What a umask takes away is given back.
    await chmod(temporary, mode);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
