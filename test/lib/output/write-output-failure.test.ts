import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it, type TestContext } from 'vitest';
import { writeOutput } from '../../../lib/src/output/index.ts';
import { sampleOutput } from '../../fixtures/outputs/sample-output.ts';
import { bundleProcess } from '../../helpers/bundled-process.ts';
import { readTree } from '../../helpers/read-tree.ts';

const isRoot = process.getuid?.() === 0;
let folder: string;
let unmount: (() => void) | undefined;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'agentrun-failure-')));
});
afterEach(async () => {
  unmount?.();
  unmount = undefined;
  await rm(folder, { recursive: true });
});

const sorted = (number: number) => sampleOutput(number).toSorted((a, b) => (a.path < b.path ? -1 : 1));

/** A file system in memory at `folder`; the test is skipped where it cannot be mounted. */
function smallDisk(context: TestContext, options: string): void {
  const { status } = isRoot ? spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]) : { status: 1 };
  if (status !== 0) context.skip('a small tmpfs cannot be mounted here');
  unmount = () => execFileSync('umount', [folder]);
}
const remount = (options: string): unknown => execFileSync('mount', ['-o', `remount,${options}`, folder]);

it('a full disk leaves the former output and no temporary', async (context) => {
  smallDisk(context, 'size=400k');
  const out = join(folder, 'out');
  await writeOutput(out, sampleOutput(1));
  const before = await readdir(folder);
  const failure = writeOutput(out, sampleOutput(2));
  await expect(failure).rejects.toMatchObject({
    name: 'AgentRunError',
    code: 'output-write',
    cause: { code: 'ENOSPC' },
  });
  await expect(failure).rejects.toThrow(
    /^Could not write the output ".*\/out", file ".*\.yaml": the disk is full \(ENOSPC, .*\)\.$/,
  );
  expect(await readTree(out)).toEqual(sorted(1));
  expect(await readdir(folder)).toEqual(before);
});

it('running out of inodes at any step leaves the former output and no temporary', async (context) => {
  smallDisk(context, 'nr_inodes=200');
  const out = join(folder, 'out');
  const files = (number: number) => sampleOutput(number).slice(0, 6);
  await writeOutput(out, files(1));
  const before = await readdir(folder);
  const used =
    Number(execFileSync('stat', ['-f', '-c', '%c', folder])) - Number(execFileSync('stat', ['-f', '-c', '%d', folder]));
  let failures = 0;
  for (let free = 0; ; free += 1) {
    remount(`nr_inodes=${used + free}`);
    const failure = await writeOutput(out, files(2)).then(
      () => null,
      (error: unknown) => error,
    );
    if (failure === null) break;
    failures += 1;
    expect(failure).toMatchObject({
      code: 'output-write',
      message: expect.stringContaining('the disk is full (ENOSPC'),
    });
    expect(await readTree(out)).toEqual(files(1).toSorted((a, b) => (a.path < b.path ? -1 : 1)));
    expect(await readdir(folder)).toEqual(before);
  }
  // Three directories, six files, the claim of the lock and the new link: each of them was the first not to fit.
  expect(failures).toBe(3 + 6 + 2);
  expect(await readTree(out)).toEqual(files(2).toSorted((a, b) => (a.path < b.path ? -1 : 1)));
});

it('a read-only file system is named, and an unchanged output succeeds on it', async (context) => {
  smallDisk(context, 'size=4m');
  const out = join(folder, 'out');
  await writeOutput(out, sampleOutput(1));
  remount('ro');
  expect(await writeOutput(out, sampleOutput(1))).toMatchObject({ changed: false });
  const failure = writeOutput(out, sampleOutput(2));
  await expect(failure).rejects.toMatchObject({ code: 'output-write' });
  await expect(failure).rejects.toThrow(/the file system is read-only \(EROFS, mkdir .*\)/);
  expect(await readTree(out)).toEqual(sorted(1));
});

it('a parent without write permission is named, and the former output stays', async () => {
  const program = await bundleProcess('write-output-loop.ts');
  await chmod(dirname(program), 0o755);
  const out = join(folder, 'out');
  await writeOutput(out, sampleOutput(1));
  await chmod(folder, 0o555);
  const run = (number: string) =>
    spawnSync(process.execPath, [program, out, '1', number], {
      encoding: 'utf8',
      cwd: '/',
      ...(isRoot ? { uid: 65534, gid: 65534 } : {}),
    });
  const failed = run('2');
  expect(JSON.parse(failed.stderr)).toMatchObject({
    code: 'output-write',
    message: expect.stringMatching(/permission denied \(EACCES, mkdir .*\)\.$/),
  });
  expect(failed.status).toBe(1);
  expect(run('1')).toMatchObject({ status: 0, stdout: expect.stringContaining(' false') });
  await chmod(folder, 0o755);
  expect(await readTree(out)).toEqual(sorted(1));
  expect(await readdir(folder)).toHaveLength(2);
  await rm(dirname(program), { recursive: true });
});

it('a parent that is a file is named', async () => {
  await writeFile(join(folder, 'file'), '');
  for (const path of ['file/out', 'file/deeper/out']) {
    await expect(writeOutput(join(folder, path), sampleOutput(1))).rejects.toMatchObject({
      code: 'output-write',
      message: expect.stringMatching(/a part of the path is not a directory \(ENOTDIR, /),
    });
  }
});

it('a name that is too long is named', async () => {
  const path = `${'x'.repeat(300)}.yaml`;
  await mkdir(join(folder, 'out'));
  await expect(writeOutput(join(folder, 'out'), [{ path, content: '' }])).rejects.toMatchObject({
    code: 'output-write',
    message: expect.stringContaining('the name is too long (ENAMETOOLONG'),
  });
  expect(await readdir(folder)).toEqual(['out']);
});
