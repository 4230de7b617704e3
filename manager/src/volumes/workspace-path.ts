import { realpath } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import { Failure } from '../failure.ts';
import { invalidField } from '../invalid-field.ts';

/**
 * The real place of a path below a folder. Links are followed only while they stay inside: what an agent links to from
 * there is not shown.
 *
 * @throws Failure `not-found`, or `schema-invalid` for a path that leaves the folder by its words
 */
export async function placeBelow(folder: string, path: string): Promise<string> {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (isAbsolute(path) || parts.includes('..')) {
    throw invalidField('query.path', 'must be a path below the workspace, without ".."', path);
  }
  const missing = () =>
    new Failure('not-found', `the workspace has no ${JSON.stringify(parts.join('/').slice(0, 200))}`);
  try {
    const root = await realpath(folder);
    const place = await realpath(join(root, ...parts));
    const inside = relative(root, place);
    if (inside.startsWith('..') || isAbsolute(inside)) throw missing();
    return place;
  } catch (error) {
    if (error instanceof Failure) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' || code === 'ENAMETOOLONG') throw missing();
    throw error;
  }
}
