import { lstat, rename, rm, rmdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type Leftovers, setLeftoversAside } from './leftovers.ts';
import { isMissing } from './output-failure.ts';
import type { OutputFile } from './output-file.ts';
import { type OutputPlace, outputName, temporaryPath } from './output-place.ts';
import { type OutputState, readOutputState } from './output-state.ts';
import { syncDirectory, treeEquals } from './tree.ts';

/**
 * Makes the finished tree at `temporary` the output, and sets aside what it replaces. To be called under the lock of
 * the output. Null when another writer has put the same files there meanwhile.
 */
export async function putInPlace(
  place: OutputPlace,
  temporary: string,
  digest: string,
  files: readonly OutputFile[],
): Promise<Leftovers | null> {
  const state = await readOutputState(place);
  if (state.kind === 'link' && (await treeEquals(join(place.parent, state.target), files))) return null;
  const { name, moved } = await settle(place, temporary, digest, files);
  try {
    await syncDirectory(place.parent);
    await link(place, state, name);
  } catch (error) {
    if (moved) await rename(join(place.parent, name), temporary).catch(() => undefined);
    throw error;
  }
  await syncDirectory(place.parent);
  return setLeftoversAside(place, name);
}

// A directory of that name is used only if it is equal byte for byte; any other is passed over, never changed in place.
async function settle(
  place: OutputPlace,
  temporary: string,
  digest: string,
  files: readonly OutputFile[],
): Promise<{ name: string; moved: boolean }> {
  for (let number = 1; ; number += 1) {
    const name = outputName(place, digest, number);
    const path = join(place.parent, name);
    if (!(await exists(path))) {
      await rename(temporary, path);
      return { name, moved: true };
    }
    if (await treeEquals(path, files)) return { name, moved: false };
  }
}

async function link(place: OutputPlace, state: OutputState, target: string): Promise<void> {
  // Where nothing stands, a link made in place cannot overwrite what somebody else puts there at this moment.
  if (state.kind === 'absent') return symlink(target, place.directory);
  const fresh = temporaryPath(place, 'link');
  try {
    await symlink(target, fresh);
    if (state.kind === 'empty-directory') await rmdir(place.directory);
    await rename(fresh, place.directory);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
