import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BootPlace, bootableFiles, booted, createBootPlace } from '../../helpers/boot.ts';

let place: BootPlace;
let commit: string;

beforeAll(async () => {
  place = await createBootPlace();
  commit = await place.remote.commit(bootableFiles('kept'));
});
afterAll(() => place.remove());

const store = (home: string): string => join(home, '.agentrun-boot');
const unreachable = 'file:///nonexistent/remote.git';

/** Every file of the kept objects. */
function objectFiles(home: string): string[] {
  const folder = join(store(home), `objects-${commit}`);
  return execFileSync('find', [folder, '-type', 'f']).toString().trim().split('\n');
}

describe('a second boot in the same HOME', () => {
  it('needs no repository', async () => {
    const home = await place.folder('home-again');
    booted(await place.boot({ HOME: home, AGENTRUN_BOOT_COMMIT: commit }));
    const settings = { HOME: home, AGENTRUN_BOOT_COMMIT: commit, AGENTRUN_BOOT_REPO_URL: unreachable };
    for (const mode of ['mgr', 'runner', 'mgr']) {
      const result = await place.boot({ ...settings, AGENTRUN_BOOT_MODE: mode });
      expect(booted(result)).toMatchObject({ revision: 'kept', name: mode });
      expect(result.stderr).toContain(`using commit ${commit}, fetched by an earlier boot\n`);
    }
    const names = ['manager', 'runner'].map((name) => `bundle-${commit}-${name}`);
    expect(readdirSync(store(home)).sort()).toEqual([...names, `objects-${commit}`]);
  });

  it('fetches again what is damaged', async () => {
    const home = await place.folder('home-damaged');
    booted(await place.boot({ HOME: home, AGENTRUN_BOOT_COMMIT: commit }));
    const [file] = objectFiles(home).filter((path) => !path.includes('/info/'));
    chmodSync(file ?? '', 0o644);
    const bytes = await readFile(file ?? '');
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    writeFileSync(file ?? '', bytes);
    const result = await place.boot({ HOME: home, AGENTRUN_BOOT_COMMIT: commit });
    expect(booted(result).revision).toBe('kept');
    expect(result.stderr).toContain(`what an earlier boot kept of commit ${commit} is damaged: fetching it again\n`);
    const settings = { HOME: home, AGENTRUN_BOOT_COMMIT: commit, AGENTRUN_BOOT_REPO_URL: unreachable };
    expect(booted(await place.boot(settings)).revision).toBe('kept');
  });

  it('fetches again when a file of the commit is gone', async () => {
    const home = await place.folder('home-gone');
    booted(await place.boot({ HOME: home, AGENTRUN_BOOT_COMMIT: commit }));
    const blob = await place.remote.git(['rev-parse', `${commit}:manager/scripts/bundle.mjs`]);
    const file = join(store(home), `objects-${commit}`, blob.slice(0, 2), blob.slice(2));
    expect(existsSync(file), 'a small fetch is unpacked into loose objects').toBe(true);
    renameSync(file, join(home, 'taken'));
    const result = await place.boot({ HOME: home, AGENTRUN_BOOT_COMMIT: commit });
    expect(booted(result).revision).toBe('kept');
    expect(result.stderr).toContain('is damaged: fetching it again\n');
  });

  it('never runs a bundle that somebody changed', async () => {
    const home = await place.folder('home-changed');
    booted(await place.boot({ HOME: home, AGENTRUN_BOOT_COMMIT: commit }));
    const main = join(store(home), `bundle-${commit}-manager`, 'main.js');
    writeFileSync(main, 'console.log(JSON.stringify({ revision: "changed" }));\n');
    expect(booted(await place.boot({ HOME: home, AGENTRUN_BOOT_COMMIT: commit })).revision).toBe('kept');
  });

  it('removes what killed boots left, once it is old', async () => {
    const home = await place.folder('home-left');
    for (const name of ['new.old', 'new.young']) await mkdir(join(store(home), name, 'source'), { recursive: true });
    const twoHoursAgo = Date.now() / 1000 - 7200;
    utimesSync(join(store(home), 'new.old'), twoHoursAgo, twoHoursAgo);
    booted(await place.boot({ HOME: home, AGENTRUN_BOOT_COMMIT: commit }));
    expect(readdirSync(store(home)).filter((name) => name.startsWith('new.'))).toEqual(['new.young']);
  });
});

describe('several boots at once in one HOME', () => {
  it('all run the commit, and leave one copy of it', async () => {
    const home = await place.folder('home-shared');
    const settings = { HOME: home, AGENTRUN_BOOT_COMMIT: commit };
    const results = await Promise.all(Array.from({ length: 6 }, () => place.boot(settings)));
    expect(results.map((result) => booted(result).revision)).toEqual(Array.from({ length: 6 }, () => 'kept'));
    expect(readdirSync(store(home)).sort()).toEqual([`bundle-${commit}-manager`, `objects-${commit}`]);
    const offline = { ...settings, AGENTRUN_BOOT_REPO_URL: unreachable };
    expect(booted(await place.boot(offline)).revision).toBe('kept');
  });

  it('serves two commits side by side', async () => {
    const home = await place.folder('home-two');
    const other = await place.remote.commit(bootableFiles('other'), 'other');
    const results = await Promise.all(
      [commit, other].map((id) => place.boot({ HOME: home, AGENTRUN_BOOT_COMMIT: id })),
    );
    expect(results.map((result) => booted(result).revision)).toEqual(['kept', 'other']);
  });
});
