import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readWorkspaceFile } from '../../../manager/src/volumes/workspace-files.ts';

let scratch: string;
let workspace: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'agentrun-workspace-'));
  workspace = join(scratch, 'workspace');
  mkdirSync(join(workspace, 'folder'), { recursive: true });
  writeFileSync(join(workspace, 'folder', 'a.txt'), 'text\n');
  writeFileSync(join(scratch, 'secret.txt'), 'secret\n');
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

describe('a file of a workspace', () => {
  it('is shown as text, or as base64 when it is none', async () => {
    expect(await readWorkspaceFile(workspace, 'folder/a.txt')).toEqual({
      path: 'folder/a.txt',
      kind: 'file',
      size: 5,
      truncated: false,
      content: 'text\n',
    });
    writeFileSync(join(workspace, 'b'), Buffer.from([0xff, 0x00]));
    expect(await readWorkspaceFile(workspace, 'b')).toMatchObject({ contentBase64: '/wA=' });
  });

  it('is cut when it is long', async () => {
    writeFileSync(join(workspace, 'long'), 'x'.repeat(2 * 1024 * 1024));
    const file = await readWorkspaceFile(workspace, 'long');
    expect(file).toMatchObject({ size: 2 * 1024 * 1024, truncated: true });
    expect(file.kind === 'file' && file.content?.length).toBe(1024 * 1024);
  });

  it('is a list for a folder', async () => {
    symlinkSync('a.txt', join(workspace, 'folder', 'link'));
    expect(await readWorkspaceFile(workspace, '.')).toMatchObject({ entries: [{ name: 'folder', kind: 'directory' }] });
    expect(await readWorkspaceFile(workspace, 'folder/')).toMatchObject({
      entries: [
        { name: 'a.txt', kind: 'file' },
        { name: 'link', kind: 'link' },
      ],
    });
  });

  it.each(['../secret.txt', 'folder/../../secret.txt', '/etc/passwd'])('is refused at %s', async (path) => {
    await expect(readWorkspaceFile(workspace, path)).rejects.toMatchObject({ kind: 'schema-invalid' });
  });

  it('is not there when a link leads out of the workspace', async () => {
    symlinkSync(join(scratch, 'secret.txt'), join(workspace, 'link'));
    symlinkSync(scratch, join(workspace, 'up'));
    for (const path of ['link', 'up/secret.txt', 'missing', 'folder/a.txt/b']) {
      await expect(readWorkspaceFile(workspace, path)).rejects.toMatchObject({ kind: 'not-found' });
    }
  });

  it('is refused when reading it would wait for ever', async () => {
    execFileSync('mkfifo', [join(workspace, 'pipe')]);
    await expect(readWorkspaceFile(workspace, 'pipe')).rejects.toMatchObject({ kind: 'conflict' });
  });
});
