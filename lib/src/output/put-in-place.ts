import { lstatSync, renameSync, rmdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type Leftovers, setLeftoversAside } from './leftovers.ts';
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
  const state = readOutputState(place);
  if (state.kind === 'link' && (await treeEquals(join(place.parent, state.target), files))) return null;
  const { name, moved } = await settle(place, temporary, digest, files);
  try {
    await syncDirectory(place.parent);
    link(place, state, name);
  } catch (error) {
    if (moved) moveBack(join(place.parent, name), temporary);
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
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) {
      renameSync(temporary, path);
      return { name, moved: true };
    }
    if (await treeEquals(path, files)) return { name, moved: false };
  }
}

function link(place: OutputPlace, state: OutputState, target: string): void {
  // Where nothing stands, a link made in place cannot overwrite what somebody else puts there at this moment.
  if (state.kind === 'absent') {
    symlinkSync(target, place.directory);
    return;
  }
  const fresh = temporaryPath(place, 'link');
  try {
    symlinkSync(target, fresh);
    if (state.kind === 'empty-directory') rmdirSync(place.directory);
    renameSync(fresh, place.directory);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
}

function moveBack(path: string, temporary: string): void {
  try {
    renameSync(path, temporary);
  } catch {
    // It stays as a former output, and goes at the next success.
  }
}
