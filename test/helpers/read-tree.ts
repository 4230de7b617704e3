import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The files below a directory, as path and text, sorted by path. Throws when anything vanishes meanwhile. */
export async function readTree(root: string, below = ''): Promise<{ path: string; content: string }[]> {
  const files: { path: string; content: string }[] = [];
  for (const entry of await readdir(join(root, below), { withFileTypes: true })) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) files.push(...(await readTree(root, path)));
    else files.push({ path, content: await readFile(join(root, path), 'utf8') });
  }
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}
