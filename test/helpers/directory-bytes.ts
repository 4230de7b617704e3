import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Everything below a directory, `.git` included: path, mode, and content. */
export function directoryBytes(root: string, below = ''): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of readdirSync(join(root, below)).sort()) {
    const path = join(below, name);
    const { mode } = lstatSync(join(root, path));
    const kind = mode & 0o170000;
    const content =
      kind === 0o040000
        ? ''
        : kind === 0o120000
          ? readlinkSync(join(root, path))
          : readFileSync(join(root, path), 'latin1');
    found.set(path, `${mode.toString(8)} ${content}`);
    if (kind === 0o040000) for (const [inner, value] of directoryBytes(root, path)) found.set(inner, value);
  }
  return found;
}
