import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { processIdentity } from '../../../lib/src/processes/process-identity.ts';
import { managerIn, resetDataFolder, takeDataFolder } from '../../../synth/src/quickstart/data-folder.ts';
import { startedProcess } from './started-process.ts';

let scratch: string;
let data: string;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'agentrun-data-'));
  data = join(scratch, 'data');
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

const lock = (entry: object) => {
  mkdirSync(data, { recursive: true });
  writeFileSync(join(data, 'manager.lock.3'), JSON.stringify(entry));
};

describe('the data folder of the quickstart', () => {
  it('is made, and known again at the next start', async () => {
    expect((await takeDataFolder(data)).isKnown).toBe(false);
    expect((await takeDataFolder(data)).isKnown).toBe(true);
  });

  it('may be one that a manager made, but none with the things of others', async () => {
    mkdirSync(join(data, 'postgres'), { recursive: true });
    expect((await takeDataFolder(data)).isKnown).toBe(false);
    writeFileSync(join(data, 'thesis.txt'), 'years of work');
    await expect(takeDataFolder(data)).rejects.toMatchObject({ code: 'data-folder-foreign' });
  });

  it('is not taken while a manager runs there, and is when that has ended', async () => {
    const other = await startedProcess();
    lock({ ...processIdentity(other.pid), pidSpace: pidSpace(), released: false });
    await expect(takeDataFolder(data)).rejects.toMatchObject({
      code: 'data-folder-busy',
      hint: expect.stringContaining(`kill -INT ${other.pid}`),
    });
    await other.end();
    expect(await managerIn(data)).toBe(null);
    expect(await takeDataFolder(data)).toMatchObject({ path: data });
  });

  it('is free where the lock was given back, or is none', async () => {
    lock({ ...processIdentity(process.pid), pidSpace: pidSpace(), released: true });
    expect(await managerIn(data)).toBe(null);
    writeFileSync(join(data, 'manager.lock.4'), 'no lock');
    expect(await managerIn(data)).toBe(null);
  });

  it('counts a lock of another container as held while it is fresh', async () => {
    lock({ ...processIdentity(process.pid), pid: 4_000_000, pidSpace: 'pid:[1]', released: false });
    expect(await managerIn(data)).toBe(4_000_000);
  });
});

describe('a reset', () => {
  it('removes all of it, with the database that lies elsewhere', async () => {
    const elsewhere = join(scratch, 'agentrun', 'postgres-abc123');
    mkdirSync(join(elsewhere, 'cluster'), { recursive: true });
    await takeDataFolder(data);
    mkdirSync(join(data, 'postgres'));
    symlinkSync(elsewhere, join(data, 'postgres', 'elsewhere'));
    expect(await resetDataFolder(data)).toBe(true);
    expect(existsSync(data)).toBe(false);
    expect(existsSync(elsewhere)).toBe(false);
    expect(await resetDataFolder(data)).toBe(false);
  });

  it('follows no link that a manager did not make', async () => {
    const precious = join(scratch, 'precious');
    mkdirSync(precious);
    writeFileSync(join(precious, 'thesis.txt'), 'years of work');
    await takeDataFolder(data);
    mkdirSync(join(data, 'postgres'));
    symlinkSync(precious, join(data, 'postgres', 'elsewhere'));
    symlinkSync(precious, join(data, 'sessions'));
    await resetDataFolder(data);
    expect(readdirSync(precious)).toEqual(['thesis.txt']);
  });

  it.each([
    ['that the quickstart did not make', () => mkdirSync(join(data, 'postgres'), { recursive: true })],
    ['that is a link', () => symlinkSync(scratch, data)],
    ['that is a file', () => writeFileSync(data, 'years of work')],
  ])('refuses a folder %s', async (_what, prepare) => {
    prepare();
    await expect(resetDataFolder(data)).rejects.toMatchObject({ code: 'data-folder-foreign' });
    expect(existsSync(data)).toBe(true);
  });

  it('refuses one in which somebody put something else, and one in which a manager runs', async () => {
    await takeDataFolder(data);
    writeFileSync(join(data, 'thesis.txt'), 'years of work');
    await expect(resetDataFolder(data)).rejects.toMatchObject({ code: 'data-folder-foreign' });
    rmSync(join(data, 'thesis.txt'));
    lock({ ...processIdentity(process.pid), pidSpace: pidSpace(), released: false });
    await expect(resetDataFolder(data)).rejects.toMatchObject({ code: 'data-folder-busy' });
    expect(existsSync(join(data, 'quickstart', 'data.json'))).toBe(true);
  });
});

function pidSpace(): string {
  return readlinkOf('/proc/self/ns/pid');
}

function readlinkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
