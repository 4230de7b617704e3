import { chmodSync, chownSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dataDirectory } from '../../../manager/src/config/data-directory.ts';
import { writeClientFile } from '../../../manager/src/local/client-file.ts';
import { DATA_FOLDERS, openDataFolder, prepareDataFolder } from '../../../manager/src/local/data-folder.ts';

let scratch: string;
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'agentrun-data-'));
});
afterEach(() => rm(scratch, { recursive: true, force: true }));

const modeOf = (path: string) => statSync(path).mode & 0o777;

describe('the path of the data folder', () => {
  it.each([
    ['is what is given', '/given', { AGENTRUN_DATA_DIR: '/env', XDG_STATE_HOME: '/xdg', HOME: '/home/me' }, '/given'],
    ['is absolute', 'data', {}, resolve('data')],
    ['else AGENTRUN_DATA_DIR', null, { AGENTRUN_DATA_DIR: '/env', XDG_STATE_HOME: '/xdg' }, '/env'],
    ['else in XDG_STATE_HOME', null, { AGENTRUN_DATA_DIR: '', XDG_STATE_HOME: '/xdg' }, '/xdg/agentrun'],
    [
      'which is ignored when relative',
      null,
      { XDG_STATE_HOME: 'xdg', HOME: '/home/me' },
      '/home/me/.local/state/agentrun',
    ],
    ['else in the home', null, { HOME: '/home/me' }, '/home/me/.local/state/agentrun'],
    ['which the system knows too', null, {}, join(homedir(), '.local', 'state', 'agentrun')],
  ])('%s', (_, given, env, expected) => {
    expect(dataDirectory(given, env)).toBe(expected);
  });
});

describe('a data folder', () => {
  it('has its folders, for its owner alone, whatever the umask', async () => {
    const before = process.umask(0o000);
    try {
      const folder = await openDataFolder(join(scratch, 'a', 'b ünï'));
      for (const path of [folder.path, ...DATA_FOLDERS.map((name) => folder[name])]) {
        expect(modeOf(path)).toBe(0o700);
      }
      expect(folder.aipods).toBe(join(folder.path, 'aipods'));
      await folder.release();
    } finally {
      process.umask(before);
    }
  });

  it('keeps what is there, and closes the folders in it again', async () => {
    await prepareDataFolder(scratch);
    writeFileSync(join(scratch, 'aipods', 'mine.yaml'), 'kept');
    chmodSync(join(scratch, 'secrets'), 0o777);
    await prepareDataFolder(scratch);
    expect(readFileSync(join(scratch, 'aipods', 'mine.yaml'), 'utf8')).toBe('kept');
    expect(modeOf(join(scratch, 'secrets'))).toBe(0o700);
  });

  it('is for one manager at a time', async () => {
    const folder = await openDataFolder(scratch);
    await expect(openDataFolder(scratch)).rejects.toMatchObject({ code: 'data-folder-locked' });
    await folder.release();
    await (await openDataFolder(scratch)).release();
  });

  it('is refused where a file is', async () => {
    writeFileSync(join(scratch, 'file'), '');
    await expect(openDataFolder(join(scratch, 'file'))).rejects.toMatchObject({
      code: 'data-folder-invalid',
      message: expect.stringContaining(join(scratch, 'file')),
    });
  });

  it.skipIf(process.geteuid?.() !== 0)('is refused when it belongs to somebody else', async () => {
    chownSync(scratch, 12_345, 12_345);
    await expect(openDataFolder(scratch)).rejects.toMatchObject({
      code: 'data-folder-invalid',
      message: expect.stringMatching(/belongs to the user with id 12345/),
    });
  });
});

describe('client.json', () => {
  const file = () => join(scratch, 'client.json');

  it('tells a client of this machine the address and the file of the key, and goes at a clean end', async () => {
    const remove = await writeClientFile(scratch, { url: 'http://127.0.0.1:8081', apiKeyFile: '/data/key' });
    expect(JSON.parse(readFileSync(file(), 'utf8'))).toEqual({ url: 'http://127.0.0.1:8081', apiKeyFile: '/data/key' });
    expect(modeOf(file())).toBe(0o600);
    await remove();
    expect(existsSync(file())).toBe(false);
    await remove();
  });

  it('of a later manager stays', async () => {
    const remove = await writeClientFile(scratch, { url: 'http://127.0.0.1:8080', apiKeyFile: '/data/key' });
    await writeClientFile(scratch, { url: 'http://127.0.0.1:8081', apiKeyFile: '/data/key' });
    await remove();
    expect(readFileSync(file(), 'utf8')).toContain('8081');
  });
});
