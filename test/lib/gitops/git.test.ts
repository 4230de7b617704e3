import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { GitFailure, gitIn, inDisposableRepository } from '../../../lib/src/gitops/git.ts';
import { BRANCH } from '../../helpers/publish-lanes.ts';
import { type PublishSetup, publishSetup, refsOf } from '../../helpers/publish-setup.ts';

let setup: PublishSetup;
beforeEach(async () => {
  setup = await publishSetup();
});
afterEach(() => setup.remove());

/** An environment in which `git` is a script: these lines, and then the real one. */
function withGit(...lines: string[]): Record<string, string> {
  const real = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
  const bin = join(setup.scratch, 'bin');
  mkdirSync(bin);
  writeFileSync(
    join(bin, 'git'),
    `${['#!/bin/sh', ...lines, `exec ${real} "$@"`].join('\n')}\n`.replaceAll('REAL', real),
  );
  chmodSync(join(bin, 'git'), 0o755);
  return { PATH: `${bin}:${process.env['PATH']}`, HOME: process.env['HOME'] ?? '' };
}

it.each([
  ['is killed', 'kill -9 $$'],
  ['ends with an error and says nothing', 'exit 1'],
])('a git that %s in the middle is a failure, never half an answer', async (_, how) => {
  await setup.remote.commit({ 'source.v01.json': 'mine\n' }, BRANCH);
  const before = await refsOf(setup.remote);
  const environment = withGit(`case "$*" in *ls-tree*) ${how};; esac`);
  await expect(setup.publish(await setup.commit({ number: 1 }), { environment })).rejects.toMatchObject({
    code: 'git-failed',
    message: expect.stringContaining('git ls-tree failed and said nothing') as string,
  });
  expect(await refsOf(setup.remote)).toBe(before);
});

it('the output of git counts when it is complete, though git itself ended before', async () => {
  await setup.remote.commit({ 'source.v01.json': 'mine\n' }, BRANCH);
  const environment = withGit('case "$*" in *ls-tree*) (sleep 0.4; exec REAL "$@") & exit 0;; esac');
  await expect(setup.publish(await setup.commit({ number: 1 }), { environment })).rejects.toMatchObject({
    code: 'path-foreign',
  });
});

it('a failure carries all that git said, and its arguments', async () => {
  const git = gitIn(setup.lanes.dir);
  const failure = await git.text(['rev-parse', 'no-such-thing']).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(GitFailure);
  expect(failure).toMatchObject({ args: ['rev-parse', 'no-such-thing'] });
  expect((failure as Error).message).toContain('unknown revision or path');
});

it('output that is larger than a pipe, and bytes that are no text, come through whole', async () => {
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 7) % 256));
  await inDisposableRepository(async (git) => {
    const id = (await git.text(['hash-object', '-w', '--stdin'], bytes)).trim();
    const output = await git.bytes(['cat-file', '--batch'], `${id}\n`);
    expect(output.subarray(output.indexOf(10) + 1, -1).equals(bytes)).toBe(true);
  });
});

it('other values for allowed variables reach git, other variables do not', async () => {
  const git = gitIn(setup.lanes.dir).with({ GIT_AUTHOR_NAME: 'A', GIT_AUTHOR_EMAIL: 'a@b', GIT_DIR: '/nowhere' });
  expect(await git.text(['var', 'GIT_AUTHOR_IDENT'])).toMatch(/^A <a@b> /);
});
