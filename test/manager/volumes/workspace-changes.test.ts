import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { workspaceChanges } from '../../../manager/src/volumes/workspace-changes.ts';

let scratch: string;
let workspace: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'agentrun-workspace-'));
  workspace = join(scratch, 'workspace');
  mkdirSync(workspace);
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

const git = (folder: string, ...args: string[]) =>
  execFileSync('git', ['-C', folder, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
    encoding: 'utf8',
  }).trim();

/** A checkout as a bundle leaves it, with one file. */
function checkout(path: string): { folder: string; commit: string } {
  const folder = join(workspace, path);
  mkdirSync(folder, { recursive: true });
  git(folder, 'init', '--quiet');
  writeFileSync(join(folder, 'kept.txt'), 'one\ntwo\n');
  git(folder, 'add', '.');
  git(folder, 'commit', '--quiet', '--message', 'first');
  return { folder, commit: git(folder, 'rev-parse', 'HEAD') };
}

function record(repositories: { path: string; commit: string }[]): void {
  mkdirSync(join(workspace, '.agentrun'), { recursive: true });
  writeFileSync(join(workspace, '.agentrun', 'bundle.json'), JSON.stringify({ formatVersion: 1, repositories }));
}

describe('the changes in a workspace', () => {
  it('are the patch of each checkout against the commit of its bundle, commits of the agent included', async () => {
    const { folder, commit } = checkout('work');
    record([{ path: 'work', commit }]);
    writeFileSync(join(folder, 'kept.txt'), 'one\nTWO\n');
    git(folder, 'commit', '--quiet', '--all', '--message', 'by the agent');
    writeFileSync(join(folder, 'new.txt'), 'new\n');
    const [change] = await workspaceChanges(workspace);
    expect(change).toMatchObject({ path: 'work', bundleCommit: commit, files: 2, insertions: 2, deletions: 1 });
    expect(change?.patch).toContain('-two\n+TWO\n');
    expect(change?.patch).toContain('new file mode 100644');
  });

  it('are every file of a workspace without a checkout, but not our own folder', async () => {
    writeFileSync(join(workspace, 'hello.txt'), 'hello\n');
    mkdirSync(join(workspace, '.agentrun'));
    writeFileSync(join(workspace, '.agentrun', 'note'), 'ours\n');
    expect(await workspaceChanges(workspace)).toMatchObject([
      { path: '.', bundleCommit: null, files: 1, insertions: 1 },
    ]);
  });

  it('leave the index, the branch and the objects of the checkout as they are', async () => {
    const { folder, commit } = checkout('work');
    record([{ path: 'work', commit }]);
    writeFileSync(join(folder, 'new.txt'), 'new\n');
    const before = [git(folder, 'status', '--porcelain'), git(folder, 'count-objects')];
    await workspaceChanges(workspace);
    expect([git(folder, 'status', '--porcelain'), git(folder, 'count-objects')]).toEqual(before);
  });

  it('are found without running what the agent put into the configuration of its checkout', async () => {
    const { folder, commit } = checkout('work');
    record([{ path: 'work', commit }]);
    const trap = join(scratch, 'trap.sh');
    const sprung = join(scratch, 'sprung');
    writeFileSync(trap, `#!/bin/sh\necho "$0 $*" >> ${sprung}\ncat\n`, { mode: 0o755 });
    for (const [name, value] of [
      ['core.fsmonitor', trap],
      ['core.hooksPath', scratch],
      ['diff.external', trap],
      ['diff.evil.textconv', trap],
      ['filter.evil.clean', trap],
      ['filter.evil.smudge', trap],
      ['filter.evil.process', trap],
    ] as const) {
      git(folder, 'config', name, value);
    }
    writeFileSync(join(folder, '.gitattributes'), '* filter=evil diff=evil\n');
    writeFileSync(join(folder, 'kept.txt'), 'changed\n');
    const [change] = await workspaceChanges(workspace);
    expect(change?.patch).toContain('+changed');
    expect(existsSync(sprung)).toBe(false);
  });

  it('do not follow a checkout that was replaced by a link out of the workspace', async () => {
    const outside = join(scratch, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'secret.txt'), 'secret\n');
    symlinkSync(outside, join(workspace, 'work'));
    record([{ path: 'work', commit: 'a'.repeat(40) }]);
    await expect(workspaceChanges(workspace)).rejects.toMatchObject({ kind: 'not-found' });
  });
});
