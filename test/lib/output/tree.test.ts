import { chmod, mkdir, mkdtemp, rm, stat, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { treeEquals, writeTree } from '../../../lib/src/output/tree.ts';
import { sampleOutput } from '../../fixtures/outputs/sample-output.ts';
import { readTree } from '../../helpers/read-tree.ts';

let root: string;
beforeEach(async () => {
  root = join(await mkdtemp(join(tmpdir(), 'agentrun-tree-')), 'tree');
});
afterEach(() => rm(join(root, '..'), { recursive: true }));

const files = [
  { path: 'top.yaml', content: 'a: 1\n' },
  { path: 'deep/er/leaf.yaml', content: 'ü: 日\n' },
];

it('writes what it was given, and finds it equal', async () => {
  await writeTree(root, sampleOutput(1));
  expect(await readTree(root)).toEqual(sampleOutput(1).toSorted((a, b) => (a.path < b.path ? -1 : 1)));
  expect(await treeEquals(root, sampleOutput(1))).toBe(true);
  expect(await treeEquals(root, sampleOutput(3))).toBe(false);
});

// The umask belongs to the process, and test workers are threads that may not set it: the child process test does.
it('gives files 0644 and directories 0755', async () => {
  await writeTree(root, files);
  const modes = await Promise.all(
    ['', 'deep', 'deep/er', 'top.yaml', 'deep/er/leaf.yaml'].map((path) => stat(join(root, path))),
  );
  expect(modes.map(({ mode }) => (mode & 0o777).toString(8))).toEqual(['755', '755', '755', '644', '644']);
});

describe('treeEquals is false when', () => {
  const changes: Record<string, () => Promise<unknown>> = {
    'a byte differs': () => writeFile(join(root, 'top.yaml'), 'a: 2\n'),
    'a file is longer': () => writeFile(join(root, 'top.yaml'), 'a: 1\n\n'),
    'a file is missing': () => unlink(join(root, 'top.yaml')),
    'a file is too many': () => writeFile(join(root, 'deep/extra'), ''),
    'an empty directory is too many': () => mkdir(join(root, 'extra')),
    'a file has another mode': () => chmod(join(root, 'top.yaml'), 0o600),
    'a directory has another mode': () => chmod(join(root, 'deep'), 0o700),
    'a file is a link to an equal one': async () => {
      await writeFile(join(root, '../copy'), 'a: 1\n');
      await unlink(join(root, 'top.yaml'));
      await symlink('../copy', join(root, 'top.yaml'));
    },
    'a directory stands where a file should': async () => {
      await unlink(join(root, 'top.yaml'));
      await mkdir(join(root, 'top.yaml'));
    },
    'a file stands where a directory should': async () => {
      await rm(join(root, 'deep'), { recursive: true });
      await writeFile(join(root, 'deep'), '');
    },
    'it is missing': () => rm(root, { recursive: true }),
  };
  it.each(Object.keys(changes))('%s', async (name) => {
    await writeTree(root, files);
    expect(await treeEquals(root, files)).toBe(true);
    await changes[name]?.();
    expect(await treeEquals(root, files)).toBe(false);
  });
});
