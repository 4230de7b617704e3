import { createHash } from 'node:crypto';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** One digest over all files of some folders: paths, whether they may be run, and contents; without `.git`. */
export async function treeFingerprint(root: string, folders: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  const visit = async (path: string): Promise<void> => {
    const at = join(root, path);
    const found = await lstat(at).catch(() => null);
    if (found === null) return;
    if (found.isDirectory()) {
      const names = (await readdir(at)).filter((name) => name !== '.git').sort((a, b) => (a < b ? -1 : 1));
      for (const name of names) await visit(`${path}/${name}`);
      return;
    }
    const kind = found.isSymbolicLink() ? 'link' : found.isFile() ? `file ${found.mode & 0o100}` : 'other';
    const content = found.isSymbolicLink() ? await readlink(at) : found.isFile() ? await readFile(at) : '';
    hash.update(`${JSON.stringify(path)} ${kind} ${createHash('sha256').update(content).digest('hex')}\n`);
  };
  for (const folder of folders) await visit(folder);
  return hash.digest('hex');
}
