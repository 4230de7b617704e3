import { readBlobs } from './branch-snapshot.ts';
import type { Git } from './git.ts';

/** Reads the contents of blobs by their ids; each is asked of git once. */
export type BlobReader = (ids: Iterable<string>) => Promise<ReadonlyMap<string, Buffer>>;

export function blobReader(git: Git): BlobReader {
  const known = new Map<string, Buffer>();
  return async (ids) => {
    const missing = [...new Set(ids)].filter((id) => !known.has(id));
    for (const [id, content] of await readBlobs(git, missing)) known.set(id, content);
    return known;
  };
}
