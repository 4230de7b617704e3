import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BootPlace, bootableFiles, booted, createBootPlace } from '../../helpers/boot.ts';

let place: BootPlace;
let good: string;

beforeAll(async () => {
  place = await createBootPlace();
  good = await place.remote.commit(bootableFiles('good'));
});
afterAll(() => place.remove());

const commitOn = (branch: string, files: Parameters<BootPlace['remote']['commit']>[0]) =>
  place.remote.commit({ ...bootableFiles(branch), ...files }, branch);

describe('a wrong setting ends the boot with exit code 2', () => {
  it.each([
    [{ AGENTRUN_BOOT_MODE: undefined }, 'AGENTRUN_BOOT_MODE is ""; allowed are mgr and runner'],
    [{ AGENTRUN_BOOT_MODE: 'manager' }, 'AGENTRUN_BOOT_MODE is "manager"; allowed are mgr and runner'],
    [{ AGENTRUN_BOOT_COMMIT: undefined }, 'AGENTRUN_BOOT_COMMIT is ""; it must be a commit id of 40 lower-case hex'],
    [{ AGENTRUN_BOOT_COMMIT: 'main' }, 'AGENTRUN_BOOT_COMMIT is "main"; it must be'],
    [{ AGENTRUN_BOOT_COMMIT: 'a'.repeat(39) }, 'it must be a commit id'],
    [{ AGENTRUN_BOOT_COMMIT: 'a'.repeat(41) }, 'it must be a commit id'],
    [{ AGENTRUN_BOOT_COMMIT: 'A'.repeat(40) }, 'it must be a commit id'],
    [{ AGENTRUN_BOOT_COMMIT: `${'a'.repeat(39)}\n` }, 'it must be a commit id'],
    [{ AGENTRUN_BOOT_COMMIT: `--upload-pack=${'a'.repeat(26)}` }, 'it must be a commit id'],
    [{ AGENTRUN_BOOT_REPO_URL: undefined }, 'AGENTRUN_BOOT_REPO_URL is not set; it must be the git URL of the code'],
    [{ AGENTRUN_BOOT_REPO_URL: '--upload-pack=touch' }, 'AGENTRUN_BOOT_REPO_URL is not a git URL'],
    [{ AGENTRUN_BOOT_REPO_URL: 'https://host/a b' }, 'AGENTRUN_BOOT_REPO_URL is not a git URL'],
    [{ AGENTRUN_BOOT_RETRY_SECONDS: 'soon' }, 'AGENTRUN_BOOT_RETRY_SECONDS is "soon"; it must be a number of seconds'],
    [{ HOME: undefined }, 'HOME is not set; it must be a writable directory'],
    [{ HOME: '/dev/null' }, 'HOME is "/dev/null", which is not writable; mount a volume there'],
  ])('%j', async (settings, message) => {
    const result = await place.boot({ AGENTRUN_BOOT_COMMIT: good, ...settings });
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toMatch(/^agentrun-boot: error: [A-Z_]+ is /);
    expect(result.stderr).toContain(message);
  });
});

describe('an image that does not fit the commit ends the boot with exit code 3', () => {
  it('when the lock files differ', async () => {
    const commit = await commitOn('lock', { 'package-lock.json': '{"lockfileVersion":3,"changed":true}\n' });
    const result = await place.boot({ AGENTRUN_BOOT_COMMIT: commit });
    expect(result).toMatchObject({ code: 3, stdout: '' });
    expect(result.stderr).toContain('error: environment-mismatch: the image env-0123456789ab was built for another');
    expect(result.stderr).toContain('Rebuild the image from this commit; templates/images/env-identity.sh gives');
    expect(result.stderr).not.toContain('bundled');
  });

  it('when the commit has no lock file', async () => {
    const commit = await commitOn('no-lock', { 'package-lock.json': null });
    const result = await place.boot({ AGENTRUN_BOOT_COMMIT: commit });
    expect(result.code).toBe(3);
    expect(result.stderr).toContain(`error: environment-mismatch: commit ${commit} has no package-lock.json`);
  });

  it('when the image lacks a part', async () => {
    const other = await createBootPlace();
    try {
      const settings = { AGENTRUN_BOOT_REPO_URL: place.remote.url, AGENTRUN_BOOT_COMMIT: good };
      expect(booted(await other.boot(settings)).revision).toBe('good');
      await rm(join(other.prefix, 'environment/node_modules'), { recursive: true });
      const modules = await other.boot(settings);
      expect(modules.code).toBe(3);
      expect(modules.stderr).toContain(`this image has no ${other.prefix}/environment/node_modules: rebuild the image`);
      await writeFile(join(other.prefix, 'environment/package-lock.sha256'), '');
      const record = await other.boot(settings);
      expect(record.code).toBe(3);
      expect(record.stderr).toContain('this image has no record of its package-lock.json');
    } finally {
      await other.remove();
    }
  });
});

describe('a commit that cannot be booted ends the boot with exit code 5', () => {
  it('when what was asked for is a tag: HEAD is then another object', async () => {
    await place.remote.git(['tag', '--annotate', '--message', 'a release', 'v1', good]);
    const tag = await place.remote.git(['rev-parse', 'refs/tags/v1']);
    const result = await place.boot({ AGENTRUN_BOOT_COMMIT: tag });
    expect(result).toMatchObject({ code: 5, stdout: '' });
    expect(result.stderr).toContain(`AGENTRUN_BOOT_COMMIT is ${tag}, but what it names is commit ${good}`);
  });

  it.each([
    ['no bundle script', null, 'has no runner/scripts/bundle.mjs, so mode "runner" cannot boot from it'],
    ['a bundle script that fails', 'console.error("why it failed"); process.exit(9);\n', 'failed with exit code 9'],
    ['a bundle script that writes nothing', '', 'wrote no main.js'],
  ])('when it has %s', async (what, script, message) => {
    const branch = what.replaceAll(' ', '-');
    const commit = await commitOn(branch, { 'runner/scripts/bundle.mjs': script });
    const result = await place.boot({ AGENTRUN_BOOT_COMMIT: commit, AGENTRUN_BOOT_MODE: 'runner' });
    expect(result).toMatchObject({ code: 5, stdout: '' });
    expect(result.stderr).toContain(message);
    if (what.endsWith('fails')) expect(result.stderr).toContain('why it failed\n');
    // The other mode is not touched by it.
    expect(booted(await place.boot({ AGENTRUN_BOOT_COMMIT: commit })).revision).toBe(branch);
  });

  it('when it brings packages of its own', async () => {
    const commit = await commitOn('packages', { 'node_modules/greeter/index.js': 'export const greeting = "no";\n' });
    const result = await place.boot({ AGENTRUN_BOOT_COMMIT: commit });
    expect(result.code).toBe(5);
    expect(result.stderr).toContain(`commit ${commit} holds a node_modules of its own: remove it from the repository`);
  });
});
