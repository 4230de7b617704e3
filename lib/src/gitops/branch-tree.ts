import { createHash } from 'node:crypto';
import type { Git } from './git.ts';

/** One entry of the branch's tree. `mode` is git's: 100644, 100755, 120000 (link), 160000 (submodule). */
export interface BranchEntry {
  readonly mode: string;
  /** The object's id. */
  readonly id: string;
  readonly path: string;
}

/** The whole tree of a commit, by path. */
export async function readTree(git: Git, commit: string): Promise<Map<string, BranchEntry>> {
  const listing = await git.text(['ls-tree', '-r', '-z', '--full-tree', commit]);
  const entries = new Map<string, BranchEntry>();
  for (const line of listing.split('\0')) {
    const tab = line.indexOf('\t');
    if (tab < 0) continue;
    const [mode = '', , id = ''] = line.slice(0, tab).split(' ');
    const path = line.slice(tab + 1);
    entries.set(path, { mode, id, path });
  }
  return entries;
}

/** The id that git gives a blob with this content, in a repository that hashes with SHA-1. */
export function blobId(content: string | Buffer): string {
  const bytes = Buffer.from(content as string);
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}
