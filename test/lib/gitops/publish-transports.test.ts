import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request as forward } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PublishSource } from '../../../lib/src/gitops/lane-on-branch.ts';
import { directoryBytes } from '../../helpers/directory-bytes.ts';
import { closedPort } from '../../helpers/faulty-git-server.ts';
import { serveGit } from '../../helpers/git-http-server.ts';
import { BRANCH } from '../../helpers/publish-lanes.ts';
import { type PublishSetup, publishSetup, refsOf } from '../../helpers/publish-setup.ts';

let setup: PublishSetup;
let source: PublishSource;
let closing: (() => unknown)[];
beforeEach(async () => {
  setup = await publishSetup();
  source = await setup.commit({ number: 1 });
  closing = [() => setup.remove()];
  await setup.remote.git(['config', 'http.receivepack', 'true']);
});
afterEach(async () => {
  for (const close of closing.reverse()) await close();
});

const PATH = process.env['PATH'] ?? '';
const HOME = process.env['HOME'] ?? '';

function program(name: string, ...lines: string[]): string {
  const path = join(setup.scratch, name);
  writeFileSync(path, `${['#!/bin/sh', ...lines].join('\n')}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('over ssh', () => {
  const withSsh = (...lines: string[]) => ({
    PATH,
    HOME,
    GIT_SSH_COMMAND: program('ssh-shim', '[ "$1" = -G ] && exit 1', ...lines),
  });
  const runHere = ['for command; do :; done', 'exec sh -c "$command"'];

  it.each([
    ['a URL', (dir: string) => `ssh://git@git.example${dir}`],
    ['user@host:path', (dir: string) => `git@git.example:${dir}`],
  ])('a lane is published to %s', async (_, urlOf) => {
    const environment = withSsh(`echo "$@" >> '${setup.scratch}/calls'`, ...runHere);
    const remote = urlOf(setup.remote.dir);
    expect((await setup.publish(source, { remote, environment })).problems).toEqual([]);
    expect((await setup.publish(source, { remote, environment })).status).toBe('unchanged');
    const calls = readFileSync(join(setup.scratch, 'calls'), 'utf8');
    expect(calls).toContain(`git@git.example git-receive-pack '${setup.remote.dir}'`);
  });

  it.each([
    ['git@git.example: Permission denied (publickey).', 'remote-auth'],
    ['Host key verification failed.', 'remote-unreachable'],
    ['ssh: Could not resolve hostname git.example: Name or service not known', 'remote-unreachable'],
    ['ERROR: Repository not found.', 'remote-not-found'],
  ])('"%s" is %s', async (words, code) => {
    const environment = withSsh(`echo '${words}' >&2`, 'exit 255');
    const failure = setup.publish(source, { remote: 'ssh://git@git.example/a.git', environment });
    await expect(failure).rejects.toMatchObject({ code, message: expect.stringContaining(words) as string });
  });

  it('a connection that breaks while git pushes is remote-unreachable, and the branch is as it was', async () => {
    const environment = withSsh(
      'for command; do :; done',
      'case $command in git-receive-pack*) exec sh -c "$command" </dev/null;; esac',
      'exec sh -c "$command"',
    );
    await setup.publish(source);
    const before = await refsOf(setup.remote);
    const next = await setup.commit({ number: 1, content: 1 });
    const failure = setup.publish(next, { remote: `ssh://git@git.example${setup.remote.dir}`, environment });
    await expect(failure).rejects.toMatchObject({ code: 'remote-unreachable' });
    expect(await refsOf(setup.remote)).toBe(before);
  });
});

describe('with a password', () => {
  const askpass = (password: string): string =>
    program('askpass', 'case "$1" in Username*) echo user;; *)', `echo ${password};; esac`);

  it('that git asks a program for, a lane is published; without, or with a wrong one, nobody is asked', async () => {
    const server = await serveGit(setup.remote, { credentials: 'user:pa55word' });
    closing.push(() => server.close());
    const base = { PATH, HOME: setup.scratch };
    for (const environment of [base, { ...base, GIT_ASKPASS: askpass('wr0ng') }]) {
      const error: unknown = await setup
        .publish(source, { remote: server.url, environment })
        .catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: 'remote-auth' });
      expect(JSON.stringify(error) + String(error)).not.toMatch(/wr0ng|pa55word/);
    }
    const environment = { ...base, GIT_ASKPASS: askpass('pa55word') };
    expect((await setup.publish(source, { remote: server.url, environment })).status).toBe('published');
  });

  it('in the remotes of the lane repository, no message and no file of the branch repeats it', async () => {
    const port = await closedPort();
    setup.lanes.git('remote', 'set-url', 'origin', `http://user:pa55word@127.0.0.1:${port}/lanes.git`);
    setup.lanes.commit();
    const image = [
      '--image-digest',
      `sha256:${'1a'.repeat(32)}`,
      '--env-identity',
      'e',
      '--source-commit',
      'c0'.repeat(20),
    ];
    const refused = await setup.lanes.agentrun(
      'publish',
      'v0.1',
      ...image,
      '--remote',
      `http://127.0.0.1:${port}/x.git`,
    );
    const given = await setup.lanes.agentrun(
      'publish',
      'v0.1',
      ...image,
      '--remote',
      `http://user:pa55word@127.0.0.1:${port}/x.git`,
    );
    const done = await setup.lanes.agentrun('publish', 'v0.1', ...image, '--remote', setup.remote.dir);
    expect([refused.code, given.code, done.code]).toEqual([1, 1, 0]);
    expect(refused.stderr).toContain('remote-unreachable');
    expect(given.stderr).toContain('remote-invalid');
    const branch = await setup.remote.git(['grep', '-h', '-e', 'lanes.git', BRANCH]);
    expect(branch).toContain(`http://127.0.0.1:${port}/lanes.git`);
    for (const text of [refused, given, done].flatMap(({ stdout, stderr }) => [stdout, stderr]).concat(branch)) {
      expect(text).not.toContain('pa55word');
    }
  });
});

describe('through a proxy', () => {
  it('a lane is published, and without the proxy it is not', async () => {
    const server = await serveGit(setup.remote);
    closing.push(() => server.close());
    const { port: behind } = new URL(server.url);
    let passed = 0;
    const proxy = createServer((request, response) => {
      passed += 1;
      const { pathname, search } = new URL(request.url ?? '/');
      const options = { port: behind, path: pathname + search, method: request.method, headers: request.headers };
      request.pipe(
        forward(options, (answer) => {
          response.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(response);
        }),
      );
    });
    await new Promise<void>((resolve) => {
      proxy.listen(0, '127.0.0.1', resolve);
    });
    closing.push(
      () =>
        new Promise((resolve) => {
          proxy.close(resolve);
          proxy.closeAllConnections();
        }),
    );
    const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const remote = 'http://git.invalid/remote.git';
    for (const name of ['http_proxy', 'ALL_PROXY']) {
      expect((await setup.publish(source, { remote, environment: { PATH, HOME, [name]: address } })).problems).toEqual(
        [],
      );
    }
    expect(passed).toBeGreaterThan(4);
    await expect(
      setup.publish(source, { remote, environment: { PATH, HOME, http_proxy: address, no_proxy: 'git.invalid' } }),
    ).rejects.toMatchObject({ code: 'remote-unreachable' });
  });

  it('that cannot be reached, its password is not repeated', async () => {
    const http_proxy = `http://user:pa55word@127.0.0.1:${await closedPort()}`;
    const error: unknown = await setup
      .publish(source, { remote: 'http://git.invalid/remote.git', environment: { PATH, HOME, http_proxy } })
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'remote-unreachable' });
    expect(String(error)).not.toContain('pa55word');
  });
});

describe("the caller's environment", () => {
  const ambient = { ...process.env };
  afterEach(() => {
    for (const name of Object.keys(process.env)) if (!(name in ambient)) delete process.env[name];
    Object.assign(process.env, ambient);
  });

  it('inside a hook of another repository, nothing of it reaches our git', async () => {
    const other = join(setup.scratch, 'other');
    execFileSync('git', ['init', '--quiet', other]);
    const before = directoryBytes(other);
    Object.assign(process.env, {
      GIT_DIR: join(other, '.git'),
      GIT_INDEX_FILE: join(other, '.git', 'index'),
      GIT_WORK_TREE: other,
      GIT_OBJECT_DIRECTORY: join(other, '.git', 'objects'),
      GIT_NAMESPACE: 'elsewhere',
      GIT_PREFIX: 'lanes/',
      GIT_CONFIG_COUNT: '2',
      GIT_CONFIG_KEY_0: 'url.file:///nowhere/.insteadOf',
      GIT_CONFIG_VALUE_0: 'file:///',
      GIT_CONFIG_KEY_1: 'core.bare',
      GIT_CONFIG_VALUE_1: 'false',
      GIT_CONFIG_PARAMETERS: "'core.bare'='false'",
      GIT_DEFAULT_HASH: 'sha256',
    });
    const { status, problems } = await setup.publish(source);
    expect([status, problems]).toEqual(['published', []]);
    expect(directoryBytes(other)).toEqual(before);
    for (const name of Object.keys(process.env))
      if (name.startsWith('GIT_') && !(name in ambient)) delete process.env[name];
    expect(await refsOf(setup.remote)).toMatch(/^[0-9a-f]{40} commit\trefs\/heads\/gitops\/all\n/);
  });

  it('git gets the allowed variables and no other one, in a language that is understood', async () => {
    const seen = join(setup.scratch, 'seen');
    const real = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
    mkdirSync(join(setup.scratch, 'bin'));
    program('bin/git', `/usr/bin/env -0 >> '${seen}'`, `exec ${real} "$@"`);
    Object.assign(process.env, {
      PATH: `${join(setup.scratch, 'bin')}:${PATH}`,
      LC_ALL: 'cs_CZ.UTF-8',
      LANG: 'cs_CZ.UTF-8',
      LANGUAGE: 'cs',
      GIT_DIR: '/nowhere',
      GIT_TRACE: '1',
      GIT_EDITOR: 'false',
      EDITOR: 'false',
      PAGER: 'false',
      NO_PROXY: 'example.com',
      https_proxy: 'http://proxy.invalid:1',
      SECRET_TOKEN: 'x',
      GIT_AUTHOR_NAME: 'Somebody',
      GIT_COMMITTER_DATE: '1 +0000',
    });
    await setup.publish(source);
    const variables = readFileSync(seen, 'utf8')
      .split('\0')
      .filter((line) => line.includes('='));
    const names = new Set(variables.map((line) => line.slice(0, line.indexOf('='))));
    for (const name of ['SECRET_TOKEN', 'GIT_DIR', 'GIT_TRACE', 'GIT_EDITOR', 'EDITOR', 'PAGER', 'LANG', 'LANGUAGE']) {
      expect([...names]).not.toContain(name);
    }
    for (const name of ['PATH', 'HOME', 'NO_PROXY', 'https_proxy', 'GIT_TERMINAL_PROMPT'])
      expect([...names]).toContain(name);
    expect(new Set(variables.filter((line) => line.startsWith('LC_ALL=')))).toEqual(new Set(['LC_ALL=C']));
    // What the commit says depends on none of them.
    expect(await setup.remote.git(['log', '-1', '--date=raw', '--format=%an %cd', BRANCH])).toBe(
      'AgentRun 1767225600 +0000',
    );
  });

  it("somebody's own configuration of git changes nothing", async () => {
    const hooks = join(setup.scratch, 'hooks');
    mkdirSync(hooks);
    for (const name of ['pre-push', 'reference-transaction', 'post-index-change']) {
      program(`hooks/${name}`, `touch '${setup.scratch}/hook-ran'`, 'exit 1');
    }
    const config = join(setup.scratch, 'gitconfig');
    const lines = {
      'core.hooksPath': hooks,
      'safe.bareRepository': 'explicit',
      'log.showSignature': 'true',
      'i18n.logOutputEncoding': 'UTF-16',
      'push.recurseSubmodules': 'check',
      'push.followTags': 'true',
      'fetch.fsckObjects': 'true',
      'fetch.prune': 'true',
      'init.templateDir': '/nowhere',
      'init.defaultObjectFormat': 'sha256',
      'commit.gpgSign': 'true',
      'core.autocrlf': 'true',
      'color.ui': 'always',
      'transfer.unpackLimit': '1',
    };
    for (const [key, value] of Object.entries(lines)) execFileSync('git', ['config', '--file', config, key, value]);
    const plain = await setup.publish(source, { branch: 'plain' });
    const environment = { PATH, HOME, GIT_CONFIG_GLOBAL: config };
    // By http, since a server on this machine would have the same configuration.
    const server = await serveGit(setup.remote);
    closing.push(() => server.close());
    const publish = (one: PublishSource) => setup.publish(one, { remote: server.url, environment });
    const { commit, problems } = await publish(source);
    expect([commit, problems]).toEqual([plain.commit, []]);
    expect((await publish(await setup.commit({ number: 1, content: 1 }))).status).toBe('published');
    expect(existsSync(join(setup.scratch, 'hook-ran'))).toBe(false);
  });
});
