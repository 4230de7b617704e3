import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ResourceBundleRef } from '@agentrun/lib/contract';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BundleWorld, bundleWorld } from './bundle-setup.ts';

let world: BundleWorld;
beforeEach(() => {
  world = bundleWorld();
});
afterEach(() => world.remove());

const read = (...names: string[]): string => readFileSync(world.path(...names), 'utf8');
const mode = (...names: string[]): string => (statSync(world.path(...names)).mode & 0o777).toString(8);
const file = (path: string, content: string): ResourceBundleRef => ({ files: [{ path, content }] });

describe('the files of a bundle', () => {
  it('are written with their contents and modes', async () => {
    const binary = Buffer.from([0, 255, 10, 128]);
    const made = await world.put({
      files: [
        { path: 'notes.md', content: 'ä\n' },
        { path: 'deep/er/run.sh', content: '#!/bin/sh\n', mode: '0755' },
        { path: 'data.bin', contentBase64: binary.toString('base64'), mode: '600' },
      ],
    });
    expect(made).toMatchObject({ unchanged: false, files: 3 });
    expect([read('notes.md'), read('deep/er/run.sh')]).toEqual(['ä\n', '#!/bin/sh\n']);
    expect(readFileSync(world.path('data.bin'))).toEqual(binary);
    expect([mode('notes.md'), mode('deep/er/run.sh'), mode('data.bin')]).toEqual(['644', '755', '600']);
  });

  it('have the modes that they shall have under any umask', async () => {
    const before = process.umask(0o077);
    try {
      await world.put({ files: [{ path: 'a', content: '', mode: '666' }] });
    } finally {
      process.umask(before);
    }
    expect(mode('a')).toBe('666');
  });

  it('come with prompts, instructions and skills in a folder of our own', async () => {
    await world.put({
      instructions: 'Be brief.',
      prompts: [{ name: 'review/long.md', content: 'Review it.' }],
      skills: [
        {
          name: 'release',
          files: [
            { path: 'SKILL.md', content: 'How to release' },
            { path: 'bin/go', content: 'x', mode: '700' },
          ],
        },
      ],
    });
    expect(read('.agentrun/instructions.md')).toBe('Be brief.');
    expect(read('.agentrun/prompts/review/long.md')).toBe('Review it.');
    expect(read('.agentrun/skills/release/SKILL.md')).toBe('How to release');
    expect(mode('.agentrun/skills/release/bin/go')).toBe('700');
  });

  it.each([
    '../out',
    'a/../../out',
    '/etc/out',
    'a//b',
    './a',
    'work/.git/config',
    'work/.GIT/hooks/post-checkout',
    'git~1/config',
    '.agentrun/bundle.json',
    '.AgentRun/x',
  ])('are refused at the path %s', async (path) => {
    await expect(world.put(file(path, 'x'))).rejects.toMatchObject({ failureKind: 'resource-bundle-invalid' });
    expect(existsSync(world.path('..', 'out'))).toBe(false);
    expect(existsSync(world.path('.agentrun', 'bundle.json'))).toBe(false);
  });

  it.each<[string, ResourceBundleRef]>([
    [
      'twice',
      {
        files: [
          { path: 'a', content: '1' },
          { path: 'a', content: '2' },
        ],
      },
    ],
    [
      'below another file',
      {
        files: [
          { path: 'a', content: '1' },
          { path: 'a/b', content: '2' },
        ],
      },
    ],
    [
      'in the place of a repository',
      { files: [{ path: 'a', content: '1' }], repositories: [{ url: '/x', commit: 'a'.repeat(40), path: 'a' }] },
    ],
  ])('are refused %s', async (_name, bundle) => {
    await expect(world.put(bundle)).rejects.toMatchObject({ failureKind: 'resource-bundle-invalid' });
  });

  it('never go over a link that an agent has made', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'agentrun-outside-'));
    try {
      symlinkSync(outside, world.path('link'));
      await expect(world.put(file('link', 'gone'))).rejects.toMatchObject({ failureKind: 'resource-bundle-invalid' });
      await expect(world.put({ ...file('link/x', 'gone'), onDirty: 'overwrite' })).rejects.toThrow(/symbolic link/);
      await expect(world.put({ ...file('link', 'gone'), onDirty: 'overwrite' })).rejects.toThrow(/a link is there/);
      expect(existsSync(join(outside, 'x'))).toBe(false);
      expect(readlinkSync(world.path('link'))).toBe(outside);
      // Not even to note what stands in the workspace.
      world.remove();
      mkdirSync(world.workspace, { recursive: true });
      symlinkSync(outside, world.path('.agentrun'));
      await expect(world.put(file('x', 'y'))).rejects.toMatchObject({ failureKind: 'resource-bundle-invalid' });
      expect(existsSync(join(outside, 'bundle.json'))).toBe(false);
    } finally {
      rmSync(outside, { recursive: true });
    }
  });

  it('are told as a full disk when the disk is full', async () => {
    const { fileFailure } = await import('../../../runner/src/bundle/bundle-failure.ts');
    const full = Object.assign(new Error('write'), { code: 'ENOSPC' });
    expect(fileFailure(full, 'x')).toMatchObject({ failureKind: 'disk-full', terminalStatus: 'failed' });
  });
});

describe('a bundle that comes again', () => {
  it('is left alone, whatever an agent has made of it', async () => {
    const bundle = {
      files: [
        { path: 'a', content: '1' },
        { path: 'b', content: '2' },
      ],
    };
    const first = await world.put(bundle);
    writeFileSync(world.path('a'), 'of the agent');
    rmSync(world.path('b'));
    expect(await world.put({ files: bundle.files.map((one) => ({ content: one.content, path: one.path })) })).toEqual({
      ...first,
      unchanged: true,
    });
    expect(read('a')).toBe('of the agent');
    expect(existsSync(world.path('b'))).toBe(false);
  });

  it('takes the place of another that nobody changed', async () => {
    await world.put({
      files: [
        { path: 'a', content: '1' },
        { path: 'old', content: 'x' },
      ],
    });
    writeFileSync(world.path('mine'), 'of the agent');
    await world.put(file('a', '2'));
    expect(read('a')).toBe('2');
    expect(existsSync(world.path('old'))).toBe(false);
    expect(read('mine')).toBe('of the agent');
  });

  it('does not overwrite what an agent has changed, unless it is told to', async () => {
    await world.put(file('a', '1'));
    writeFileSync(world.path('a'), 'of the agent');
    await expect(world.put(file('a', '2'))).rejects.toThrow(/"a".*onDirty/);
    expect(read('a')).toBe('of the agent');
    await world.put({ ...file('a', '2'), onDirty: 'keep' });
    expect(read('a')).toBe('of the agent');
    await world.put({ ...file('a', '3'), onDirty: 'overwrite' });
    expect(read('a')).toBe('3');
  });

  it('does not overwrite a file that was there before any bundle', async () => {
    writeFileSync(world.path('a'), 'of the agent');
    await expect(world.put(file('a', '1'))).rejects.toMatchObject({ failureKind: 'resource-bundle-invalid' });
    expect(read('a')).toBe('of the agent');
  });

  it('takes a record that an agent has written for none', async () => {
    await world.put(file('a', '1'));
    writeFileSync(world.path('.agentrun/bundle.json'), '{"formatVersion":1,"hash":7}');
    await expect(world.put(file('a', '2'))).rejects.toMatchObject({ failureKind: 'resource-bundle-invalid' });
  });
});
