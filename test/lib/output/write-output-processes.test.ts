import { type ChildProcess, type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstat, mkdtemp, readdir, readlink, realpath, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type OutputFile, writeOutput } from '../../../lib/src/output/index.ts';
import { sampleOutput } from '../../fixtures/outputs/sample-output.ts';
import { bundleProcess } from '../../helpers/bundled-process.ts';
import { readTree } from '../../helpers/read-tree.ts';

let program: string;
let folder: string;
beforeAll(async () => {
  program = await bundleProcess('write-output-loop.ts');
});
afterAll(() => rm(dirname(program), { recursive: true }));
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'agentrun-processes-')));
});
afterEach(async () => {
  // Only a test that failed leaves a process; it must not go on for ever.
  for (const child of running) {
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }
  await rm(folder, { recursive: true });
});

const sorted = (files: readonly OutputFile[]) => files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
const textOf = (files: readonly OutputFile[]): string => JSON.stringify(sorted(files));
const running = new Set<ChildProcess>();
const start = (...args: string[]): ChildProcessByStdio<null, Readable, Readable> => {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
};

it('an output is whole after each of 200 kills, and the next run goes on from there', {
  timeout: 120_000,
}, async () => {
  const whole = new Set([sampleOutput(1), sampleOutput(2)].map(textOf));
  const leftovers = new Set<string>();
  const seen = new Set<string>();
  let kills = 0;
  const killAgainAndAgain = async (out: string): Promise<void> => {
    await writeOutput(out, sampleOutput(1));
    for (let round = 0; round < 100; round += 1) {
      const child = start(out, '0', '2', '1');
      await once(child.stdout, 'data');
      await delay(Math.random() * 50);
      child.kill('SIGKILL');
      const [, signal] = await once(child, 'exit');
      expect(signal).toBe('SIGKILL');
      kills += 1;
      const text = textOf(await readTree(await realpath(out)));
      expect(whole).toContain(text);
      seen.add(text);
      for (const name of await readdir(dirname(out)))
        leftovers.add(/^\.out\.(tmp|link|lock|old)-/.exec(name)?.[1] ?? 'none');
    }
    await writeOutput(out, sampleOutput(3));
    expect(textOf(await readTree(out))).toBe(textOf(sampleOutput(3)));
    expect((await readdir(dirname(out))).toSorted()).toEqual([await readlink(out), 'out']);
  };
  await Promise.all(['a/out', 'b/out'].map((path) => killAgainAndAgain(join(folder, path))));
  expect(kills).toBe(200);
  // The kills fell into the middle of writes, after both outputs: else all this would have shown nothing.
  expect(seen).toEqual(whole);
  expect(leftovers).toContain('tmp');
  expect(leftovers).toContain('lock');
});

it('of 20 processes that write at once, one wins whole and none fails', { timeout: 120_000 }, async () => {
  const out = join(folder, 'out');
  // Three outputs among them all, so that one takes up what another is about to remove.
  const ends = Array.from({ length: 20 }, async (_, index) => {
    const child = start(out, '9', ...[0, 1, 2].map((step) => String((index + step) % 3)));
    const errors: Buffer[] = [];
    child.stdout.resume();
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    const [code] = await once(child, 'close');
    return `${code} ${Buffer.concat(errors).toString()}`;
  });
  expect(new Set(await Promise.all(ends))).toEqual(new Set(['0 ']));
  const candidates = [0, 1, 2].map((number) => textOf(sampleOutput(number)));
  expect(candidates).toContain(textOf(await readTree(out)));
  expect((await readdir(folder)).toSorted()).toEqual([await readlink(out), 'out']);
});

it('20 writes at once in one process, of the same and of different files, on an empty directory', async () => {
  const out = join(folder, 'out');
  execFileSync('mkdir', [out]);
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, index) => writeOutput(out, sampleOutput(index % 4))),
  );
  expect(results.some(({ changed }) => changed)).toBe(true);
  const candidates = [0, 1, 2, 3].map((number) => textOf(sampleOutput(number)));
  expect(candidates).toContain(textOf(await readTree(out)));
  expect((await readdir(folder)).toSorted()).toEqual([await readlink(out), 'out']);
});

it('a reader at the real path never sees a mixture, and the output is there at every moment', {
  timeout: 60_000,
}, async () => {
  const out = join(folder, 'out');
  await writeOutput(out, sampleOutput(1));
  const whole = new Set([sampleOutput(1), sampleOutput(2)].map(textOf));
  const children = [start(out, '0', '2', '1'), start(out, '0', '1', '2')];
  for (const child of children) child.stdout.resume();
  const exits = children.map((child) => once(child, 'exit'));
  const seen = new Set<string>();
  let vanished = 0;
  const end = performance.now() + 5000;
  while (performance.now() < end) {
    expect((await lstat(out)).isSymbolicLink()).toBe(true);
    expect((await stat(out)).isDirectory()).toBe(true);
    try {
      const text = textOf(await readTree(await realpath(out)));
      expect(whole).toContain(text);
      seen.add(text);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
      vanished += 1;
    }
  }
  for (const child of children) child.kill('SIGKILL');
  await Promise.all(exits);
  expect(seen).toEqual(whole);
  // The outputs were replaced under the reader: some of its reads had to begin again.
  expect(vanished).toBeGreaterThan(0);
});

it.each(['000', '077', '022'])('modes do not depend on the umask %s', async (umask) => {
  const out = join(folder, 'out');
  execFileSync('sh', ['-c', `umask ${umask}; exec "$@"`, 'sh', process.execPath, program, out, '1', '1']);
  const root = await realpath(out);
  const modes = await Promise.all(
    ['', 'runtime', 'runtime/tekton', 'file-0.yaml', 'runtime/tekton/file-2.yaml'].map(
      async (path) => (await stat(join(root, path))).mode & 0o777,
    ),
  );
  expect(modes).toEqual([0o755, 0o755, 0o755, 0o644, 0o644]);
});
