import { lstatSync, readdirSync, renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type OutputPlace, readSibling, temporaryPath } from './output-place.ts';
import { isWriterGone } from './writer.ts';

/** What was taken out of the way: the names that held former outputs, and the paths that are still to be deleted. */
export interface Leftovers {
  readonly outputs: readonly string[];
  readonly discarded: readonly string[];
}

/**
 * Takes every former output but `keep`, and every temporary of a process that has ended, out of the way. Directories
 * are only renamed, so that nobody can pick up one that is half deleted, and so that the lock is held shortly. What
 * cannot be moved stays for the next time.
 */
export function setLeftoversAside(place: OutputPlace, keep: string): Leftovers {
  const outputs: string[] = [];
  const discarded: string[] = [];
  for (const name of readdirSync(place.parent).toSorted()) {
    const sibling = name === keep ? null : readSibling(place, name);
    if (sibling === null) continue;
    try {
      const path = join(place.parent, name);
      const stats = lstatSync(path);
      if (sibling.kind === 'output') {
        if (!stats.isDirectory()) continue;
      } else if (!isWriterGone(sibling.writer, Date.now() - stats.mtimeMs)) continue;
      discarded.push(stats.isDirectory() ? setAside(place, path) : path);
      if (sibling.kind === 'output') outputs.push(path);
    } catch {
      // Its process ended by itself just now, or the file system refuses: the output is in place all the same.
    }
  }
  return { outputs, discarded };
}

/** Deletes what was set aside. What resists stays for the next time. */
export async function deleteLeftovers(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    if (!isGone(path)) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

function setAside(place: OutputPlace, path: string): string {
  const aside = temporaryPath(place, 'old');
  renameSync(path, aside);
  return aside;
}

function isGone(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}
