import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes and files below a folder. Links are counted, not followed; what vanishes meanwhile is not counted. */
export async function measureFolder(folder: string): Promise<{ sizeBytes: number; filesCount: number }> {
  let sizeBytes = 0;
  let filesCount = 0;
  const open = [folder];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const entries = await opendir(next).catch(ifGone);
    if (entries === undefined) continue;
    for await (const entry of entries) {
      const path = join(next, entry.name);
      if (entry.isDirectory()) {
        open.push(path);
        continue;
      }
      const info = await lstat(path).catch(ifGone);
      if (info === undefined) continue;
      sizeBytes += info.size;
      filesCount += 1;
    }
  }
  return { sizeBytes, filesCount };
}

function ifGone(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
}
