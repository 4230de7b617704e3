import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RUNNER_NODE_OPTIONS } from '@agentrun/lib/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BOOT_SCRIPT, type BootPlace, bootableFiles, booted, createBootPlace } from '../../helpers/boot.ts';
import { serveGit } from '../../helpers/git-http-server.ts';
import { isolatedGitEnvironment } from '../../helpers/git-remote.ts';

/** Shells that are on this machine: the image has dash as its sh. */
const shells = [['sh'], ['dash'], ['bash', '--posix'], ['busybox', 'sh']].filter(([name = '']) =>
  (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, name))),
);
const asRoot = process.getuid?.() === 0;

let place: BootPlace;
let first: string;
let second: string;

beforeAll(async () => {
  place = await createBootPlace();
  first = await place.remote.commit(bootableFiles('first'));
  second = await place.remote.commit(bootableFiles('second'));
});
afterAll(() => place.remove());

describe('the boot script', () => {
  it.each(shells)('is correct for %s, and boots with it', async (...shell) => {
    execFileSync(shell[0] ?? 'sh', [...shell.slice(1), '-n', BOOT_SCRIPT]);
    const home = await place.folder(`home-${shell[0]}`);
    expect(booted(await place.boot({ HOME: home, AGENTRUN_BOOT_COMMIT: second }, { shell })).revision).toBe('second');
  });

  it.each([
    ['mgr', []],
    ['runner', RUNNER_NODE_OPTIONS],
  ] as const)('becomes the program of mode %s at the very commit, with its arguments', async (mode, options) => {
    const settings = { AGENTRUN_BOOT_MODE: mode, AGENTRUN_BOOT_COMMIT: first };
    const result = await place.boot(settings, { args: ['--one', 'two words'] });
    const program = booted(result);
    expect(program).toMatchObject({ name: mode, revision: 'first', greeting: 'greeting of the image' });
    expect(program.execArgv).toEqual(options);
    expect(program.nested).toBe('nested of the image');
    expect(program.argv.slice(2)).toEqual(['--one', 'two words']);
    expect(program.pid, 'the program replaces the shell').toBe(result.pid);
  });

  it('leaves standard output to the program, and gives it no variable of git', async () => {
    const result = await place.boot({ AGENTRUN_BOOT_COMMIT: second });
    expect(result.stdout.trim().split('\n')).toHaveLength(1);
    expect(booted(result).git).toEqual([]);
    expect(result.stderr).toContain('bundled\n');
    expect(result.stderr).toContain(`agentrun-boot: starting manager of commit ${second}\n`);
  });

  it('hands a signal to the program', async () => {
    const running = place.start({ AGENTRUN_BOOT_COMMIT: second }, { args: ['--wait'] });
    await running.sees('"revision":"second"');
    running.child.kill('SIGTERM');
    const result = await running.result;
    expect(result).toMatchObject({ code: 7, signal: null });
    expect(result.stdout).toMatch(/\ndrained\n$/);
  });

  it('stops at once when the signal comes while it fetches, and leaves nothing behind', async () => {
    const server = await serveGit(place.remote, { stall: true });
    try {
      const home = await place.folder('home-signal');
      const running = place.start({ HOME: home, AGENTRUN_BOOT_REPO_URL: server.url, AGENTRUN_BOOT_COMMIT: second });
      while (server.requests() === 0) await new Promise((resolve) => setTimeout(resolve, 10));
      running.child.kill('SIGTERM');
      const result = await running.result;
      expect(result).toMatchObject({ code: 143, stdout: '' });
      expect(result.stderr).toContain('agentrun-boot: stopped by SIGTERM\n');
      expect(readdirSync(join(home, '.agentrun-boot'))).toEqual([]);
    } finally {
      await server.close();
    }
  });

  it('works as the user of the image, with an image that it cannot write', async () => {
    const server = await serveGit(place.remote);
    const home = await place.folder('home-user');
    if (asRoot) chownSync(home, 10001, 10001);
    const image = () => execFileSync('ls', ['-lRA', place.prefix]).toString();
    execFileSync('chmod', ['-R', 'a-w,a+rX', place.prefix]);
    try {
      const before = image();
      const settings = { HOME: home, AGENTRUN_BOOT_REPO_URL: server.url, AGENTRUN_BOOT_COMMIT: second };
      const result = await place.boot(settings, asRoot ? { uid: 10001 } : {});
      expect(booted(result).revision).toBe('second');
      expect(image()).toBe(before);
    } finally {
      execFileSync('chmod', ['-R', 'u+w', place.prefix]);
      await server.close();
    }
  });

  it('runs no hook: neither one of the repository nor one that HOME configures', async () => {
    const home = await place.folder('home-hooks');
    const witness = join(home, 'witness');
    const hook = `#!/bin/sh\ntouch ${witness}\n`;
    for (const folder of ['hooks', 'template/hooks']) {
      await mkdir(join(home, folder), { recursive: true });
      for (const name of ['post-checkout', 'reference-transaction', 'post-index-change']) {
        await writeFile(join(home, folder, name), hook);
        chmodSync(join(home, folder, name), 0o755);
      }
    }
    const configuration = `[core]\n\thooksPath = ${home}/hooks\n\tfsmonitor = touch ${witness}\n[init]\n\ttemplateDir = ${home}/template\n`;
    await writeFile(join(home, '.gitconfig'), configuration);
    const commit = await place.remote.commit({ '.git-hooks/post-checkout': { text: hook, executable: true } }, 'main');

    expect(booted(await place.boot({ HOME: home, AGENTRUN_BOOT_COMMIT: commit })).revision).toBe('second');
    expect(existsSync(witness)).toBe(false);
    // The hooks are real ones: an ordinary clone runs them.
    const env = { ...isolatedGitEnvironment(), HOME: home, GIT_CONFIG_GLOBAL: join(home, '.gitconfig') };
    execFileSync('git', ['clone', '--quiet', place.remote.url, join(home, 'clone')], { env });
    expect(existsSync(witness)).toBe(true);
  });
});

describe('an image with a baked commit', () => {
  const baked = () => join(place.prefix, 'baked');
  beforeAll(async () => {
    await mkdir(join(baked(), 'manager'), { recursive: true });
    await writeFile(join(baked(), 'manager/main.js'), 'console.log(JSON.stringify({ revision: "baked" }));\n');
    await writeFile(join(baked(), 'COMMIT'), `${first}\n`);
  });

  it('boots that commit without a repository and without HOME', async () => {
    const settings = { AGENTRUN_BOOT_COMMIT: first, AGENTRUN_BOOT_REPO_URL: undefined, HOME: undefined };
    expect(booted(await place.boot(settings)).revision).toBe('baked');
  });

  it('fetches any other commit, and the mode that was not baked', async () => {
    expect((await readFile(join(baked(), 'COMMIT'), 'utf8')).trim()).toBe(first);
    expect(booted(await place.boot({ AGENTRUN_BOOT_COMMIT: second })).revision).toBe('second');
    const runner = { AGENTRUN_BOOT_COMMIT: first, AGENTRUN_BOOT_MODE: 'runner' };
    expect(booted(await place.boot(runner)).revision).toBe('first');
  });
});
