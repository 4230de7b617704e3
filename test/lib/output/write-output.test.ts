import {
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeOutput } from '../../../lib/src/output/index.ts';
import { ownWriter } from '../../../lib/src/output/writer.ts';
import { sampleOutput } from '../../fixtures/outputs/sample-output.ts';
import { readTree } from '../../helpers/read-tree.ts';

let folder: string;
let out: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'agentrun-output-')));
  out = join(folder, 'out');
});
afterEach(() => rm(folder, { recursive: true }));

const sorted = (number: number) => sampleOutput(number).toSorted((a, b) => (a.path < b.path ? -1 : 1));
const digest12 = (digest: string) => digest.slice('sha256:'.length).slice(0, 12);

describe('a write', () => {
  it('makes the output a relative link to a sibling named for its digest, and nothing else', async () => {
    const { directory, digest, changed, removedOld } = await writeOutput(out, sampleOutput(1));
    expect({ directory, changed, removedOld }).toEqual({ directory: out, changed: true, removedOld: [] });
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await readlink(out)).toBe(`.out.${digest12(digest)}`);
    expect((await readdir(folder)).toSorted()).toEqual([`.out.${digest12(digest)}`, 'out']);
    expect(await readTree(out)).toEqual(sorted(1));
  });

  it('replaces the former output and removes it', async () => {
    const first = await writeOutput(out, sampleOutput(1));
    const second = await writeOutput(out, sampleOutput(2));
    expect(second).toMatchObject({ changed: true, removedOld: [join(folder, `.out.${digest12(first.digest)}`)] });
    expect(await readTree(out)).toEqual(sorted(2));
    expect((await readdir(folder)).toSorted()).toEqual([`.out.${digest12(second.digest)}`, 'out']);
  });

  it('writes nothing when nothing has changed', async () => {
    await writeOutput(out, sampleOutput(1));
    const look = async () => {
      const paths = [folder, out, ...(await readTree(out)).map(({ path }) => join(out, path))];
      return Promise.all(paths.map(async (path) => [path, (await lstat(path)).ctimeMs, (await lstat(path)).ino]));
    };
    const before = await look();
    const again = await writeOutput(out, sampleOutput(1).toReversed());
    expect(again).toMatchObject({ changed: false, removedOld: [] });
    expect(await look()).toEqual(before);
  });

  it('makes the parent directories, and takes a path relative to the working directory', async () => {
    const deep = join(folder, 'a/b/out');
    const { directory } = await writeOutput(relative(process.cwd(), deep), sampleOutput(1));
    expect(directory).toBe(deep);
    expect(await readTree(deep)).toEqual(sorted(1));
  });

  it('takes the place of an empty directory', async () => {
    await mkdir(out);
    expect(await writeOutput(`${out}/`, sampleOutput(1))).toMatchObject({ directory: out, changed: true });
    expect(await readTree(out)).toEqual(sorted(1));
  });

  it('mends a link whose directory is gone', async () => {
    const { digest } = await writeOutput(out, sampleOutput(1));
    await rm(join(folder, `.out.${digest12(digest)}`), { recursive: true });
    expect(await writeOutput(out, sampleOutput(1))).toMatchObject({ changed: true });
    expect(await readTree(out)).toEqual(sorted(1));
  });

  it('never trusts an output that was edited by hand: it writes a new one beside it and swaps', async () => {
    const { digest } = await writeOutput(out, sampleOutput(1));
    await writeFile(join(out, 'runtime/file-4.yaml'), 'edited\n');
    const again = await writeOutput(out, sampleOutput(1));
    expect(again).toMatchObject({ changed: true, digest, removedOld: [join(folder, `.out.${digest12(digest)}`)] });
    expect(await readlink(out)).toBe(`.out.${digest12(digest)}-2`);
    expect(await readTree(out)).toEqual(sorted(1));
    expect(await writeOutput(out, sampleOutput(1))).toMatchObject({ changed: false });
  });

  it('uses a finished sibling of a killed run as it is', async () => {
    const { digest } = await writeOutput(out, sampleOutput(1));
    await rm(out);
    const { ino } = await lstat(join(folder, `.out.${digest12(digest)}`));
    expect(await writeOutput(out, sampleOutput(1))).toMatchObject({ changed: true, removedOld: [] });
    expect((await lstat(await realpath(out))).ino).toBe(ino);
  });

  it('removes what killed runs left, and nothing that belongs to others', async () => {
    const { host } = ownWriter();
    const dead = `${host}-${2 ** 22 + 1}-7-01234567`;
    const foreign = '00000000-1-7-01234567';
    const live = `${host}-${process.pid}-${ownWriter().start}-01234567`;
    const gone = [`.out.tmp-${dead}`, `.out.old-${dead}`, '.out.0123456789ab', '.out.0123456789ab-2'];
    const kept = [
      `.out.tmp-${live}`,
      `.out.tmp-${foreign}`,
      '.out.notes',
      '.out.0123456789abc',
      '.other.0123456789ab',
      'out.0123456789ab',
    ];
    for (const name of [...gone, ...kept]) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'file'), '');
    }
    await writeFile(join(folder, `.out.lock-${dead}`), '');
    await symlink('.out.0123456789ab', join(folder, `.out.link-${dead}`));
    const { removedOld, digest } = await writeOutput(out, sampleOutput(1));
    expect(removedOld).toEqual([join(folder, '.out.0123456789ab'), join(folder, '.out.0123456789ab-2')]);
    expect((await readdir(folder)).toSorted()).toEqual([...kept, 'out', `.out.${digest12(digest)}`].toSorted());

    const past = new Date(Date.now() - 2 * 3_600_000);
    await utimes(join(folder, `.out.tmp-${foreign}`), past, past);
    await writeOutput(out, sampleOutput(2));
    expect(await readdir(folder)).not.toContain(`.out.tmp-${foreign}`);
  });
});

describe('a write is refused, and what stands there is left,', () => {
  const refused = {
    name: 'AgentRunError',
    code: 'output-directory',
    hint: expect.stringMatching(/empty or new directory/),
  };

  it('for a directory with files', async () => {
    await mkdir(out);
    await writeFile(join(out, 'mine'), 'text');
    const failure = writeOutput(out, sampleOutput(1));
    await expect(failure).rejects.toMatchObject(refused);
    await expect(failure).rejects.toThrow(
      `${JSON.stringify(out)} is a directory that AgentRun did not write, with one entry`,
    );
    expect(await readFile(join(out, 'mine'), 'utf8')).toBe('text');
    expect(await readdir(folder)).toEqual(['out']);
  });

  it('for a file', async () => {
    await writeFile(out, 'text');
    await expect(writeOutput(out, sampleOutput(1))).rejects.toMatchObject(refused);
    expect(await readFile(out, 'utf8')).toBe('text');
  });

  it.each(['elsewhere', '../.out.0123456789ab', '.out.0123', '.other.0123456789ab', 'missing'])(
    'for a link to %s',
    async (target) => {
      await mkdir(join(folder, 'elsewhere'));
      await symlink(target, out);
      const failure = writeOutput(out, sampleOutput(1));
      await expect(failure).rejects.toMatchObject(refused);
      await expect(failure).rejects.toThrow(JSON.stringify(target));
      expect(await readlink(out)).toBe(target);
    },
  );

  it('for the root of the file system', async () => {
    await expect(writeOutput('/', sampleOutput(1))).rejects.toMatchObject({ code: 'output-directory' });
  });

  it('for bad paths, all of them named, before anything is touched', async () => {
    const paths = ['good', '../bad', 'a', 'A'];
    const failure = writeOutput(
      out,
      paths.map((path) => ({ path, content: '' })),
    );
    await expect(failure).rejects.toMatchObject({
      code: 'output-path',
      problems: [{ code: 'output-path' }, { code: 'output-path-conflict' }],
    });
    expect(await readdir(folder)).toEqual([]);
  });
});
