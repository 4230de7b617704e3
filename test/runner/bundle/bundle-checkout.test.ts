import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { serveGit } from '../../helpers/git-http-server.ts';
import { createGitRemote, type GitRemote, isolatedGitEnvironment } from '../../helpers/git-remote.ts';
import { livingWith } from '../../helpers/living-processes.ts';
import { type BundleWorld, bundleWorld } from './bundle-setup.ts';

let world: BundleWorld;
let remote: GitRemote;
let [first, second] = ['', ''];

beforeAll(async () => {
  remote = await createGitRemote();
  first = await remote.commit({
    'a.txt': 'one\n',
    'gone.txt': 'x\n',
    'run.sh': { text: '#!/bin/sh\n', executable: true },
    '.gitignore': 'build/\n',
  });
  second = await remote.commit({ 'a.txt': 'two\n', 'gone.txt': null });
});
afterAll(() => remote.remove());
beforeEach(() => {
  world = bundleWorld();
});
afterEach(() => world.remove());

const read = (...names: string[]): string => readFileSync(world.path(...names), 'utf8');
const at = (commit: string, more: object = {}) => ({
  repositories: [{ url: remote.url, commit, path: 'work', ...more }],
});
const git = (...args: string[]): string =>
  execFileSync('git', ['-C', world.path('work'), ...args], {
    env: isolatedGitEnvironment(),
    encoding: 'utf8',
    stdio: 'pipe',
  }).trim();
const invalid = { failureKind: 'resource-bundle-invalid', terminalStatus: 'blocked' };

describe('a checkout', () => {
  it('is at its exact commit, a repository in which an agent can work', async () => {
    const made = await world.put(at(first));
    expect(made.repositories).toEqual([{ path: 'work', commit: first }]);
    expect(read('work/a.txt')).toBe('one\n');
    expect(statSync(world.path('work/run.sh')).mode & 0o111).not.toBe(0);
    expect(git('rev-parse', 'HEAD')).toBe(first);
    expect(git('status', '--porcelain')).toBe('');
    expect(git('remote', 'get-url', 'origin')).toBe(remote.url);
    writeFileSync(world.path('work/a.txt'), 'changed\n');
    git('commit', '-qam', 'of the agent');
    expect(git('log', '--oneline').split('\n').length).toBe(2);
    expect(git('fsck', '--no-dangling')).toBe('');
  });

  it('comes with the history, or with as much as was asked for', async () => {
    await world.put(at(second));
    expect(git('rev-list', '--count', 'HEAD')).toBe('2');
    world.remove();
    mkdirSync(world.workspace, { recursive: true });
    await world.put(at(second, { depth: 1 }));
    expect(git('rev-list', '--count', 'HEAD')).toBe('1');
    expect(git('status', '--porcelain')).toBe('');
  });

  it('comes over http, and by a branch from a server that gives no commits by their ids', async () => {
    const server = await serveGit(remote, { protocol2: false });
    try {
      await world.put({
        repositories: [
          { url: server.url, commit: first, path: 'work', ref: 'main' },
          { url: server.url, commit: first, path: 'other', depth: 1 },
        ],
      });
      expect(read('work/a.txt')).toBe('one\n');
      expect(read('other/a.txt')).toBe('one\n');
    } finally {
      await server.close();
    }
  });

  it('waits for a network that comes back, and gives up one that does not', async () => {
    const server = await serveGit(remote, { unavailable: 2 });
    const tries: string[] = [];
    await world.put(
      { repositories: [{ url: server.url, commit: first, path: 'work' }] },
      { onRetry: (message) => tries.push(message) },
    );
    expect(tries).toHaveLength(2);
    await server.close();
    const gone = world.put({ repositories: [{ url: server.url, commit: second, path: 'work' }] });
    await expect(gone).rejects.toMatchObject({ failureKind: 'provider-unavailable', terminalStatus: 'failed' });
    // What was there still stands.
    expect(read('work/a.txt')).toBe('one\n');
  });

  it.each([
    [
      'a commit that the repository does not have',
      () => at('f'.repeat(40)),
      /is not in|not our ref|could not be fetched/,
    ],
    [
      'a repository that is not there',
      () => ({ repositories: [{ url: '/no/such/repository', commit: first, path: 'work' }] }),
      /could not be fetched/,
    ],
    [
      'a URL that names a program',
      () => ({ repositories: [{ url: 'ext::sh -c "touch /tmp/pwned"', commit: first, path: 'work' }] }),
      /URL|address/,
    ],
    [
      'a URL that names a program, without white space',
      () => ({ repositories: [{ url: 'ext::touch', commit: first, path: 'work' }] }),
      /address/,
    ],
    [
      'a URL that is an option',
      () => ({ repositories: [{ url: '--upload-pack=touch', commit: first, path: 'work' }] }),
      /address/,
    ],
    [
      'an ssh host that is an option',
      () => ({ repositories: [{ url: 'ssh://-oProxyCommand=touch/x', commit: first, path: 'work' }] }),
      /host/,
    ],
    ['a branch that is an option', () => at('e'.repeat(40), { ref: '--upload-pack=x' }), /branch|fetched/],
    ['a path outside', () => at(first, { path: '../work' }), /path/],
    ['a path in the settings of git', () => at(first, { path: 'x/.git' }), /\.git/],
    ['the folder that is ours', () => at(first, { path: '.agentrun' }), /own/],
    [
      'one repository in another',
      () => ({ repositories: [...at(first).repositories, { url: remote.url, commit: first, path: 'work/in' }] }),
      /below/,
    ],
  ])('is refused for %s', async (_name, bundle, words) => {
    await expect(world.put(bundle())).rejects.toMatchObject({
      ...invalid,
      message: expect.stringMatching(words) as string,
    });
    expect(existsSync(world.path('..', 'work'))).toBe(false);
  });

  it('never tells the password of a URL', async () => {
    const url = 'https://user:hunter2hunter2@127.0.0.1:1/x.git';
    const refused = world.put({ repositories: [{ url, commit: first, path: 'work' }] });
    await expect(refused).rejects.toMatchObject({
      ...invalid,
      message: expect.not.stringContaining('hunter2') as string,
    });
  });

  it('gets in by the token of a tool credential, and leaves it nowhere', async () => {
    const token = 'tok-0815-0815';
    const server = await serveGit(remote, { credentials: `bot:${token}` });
    try {
      const bundle = { repositories: [{ url: server.url, commit: first, path: 'work', credential: 'forge' }] };
      await expect(world.put(bundle)).rejects.toMatchObject({
        ...invalid,
        message: expect.stringContaining('forge') as string,
      });
      world.credential('forge.token', 'wrong-token');
      await expect(world.put(bundle)).rejects.toMatchObject({
        ...invalid,
        message: expect.stringMatching(/credential/) as string,
      });
      world.credential('forge.token', `${token}\n`);
      world.credential('forge.username', 'bot');
      await world.put(bundle);
      expect(read('work/a.txt')).toBe('one\n');
      const kept = execFileSync(
        'grep',
        ['-rlE', `${token}|${Buffer.from(`bot:${token}`).toString('base64')}`, world.workspace],
        { encoding: 'utf8', stdio: 'pipe' },
      ).trim();
      expect(kept).toBe('');
    } catch (error) {
      // grep ends with 1 when it finds nothing.
      if ((error as { status?: number }).status !== 1) throw error;
    } finally {
      await server.close();
    }
  });

  it('gets in by the key of a tool credential, and trusts the hosts of it alone', async () => {
    const bin = join(world.root, 'bin');
    mkdirSync(bin);
    const log = join(world.root, 'ssh.log');
    writeFileSync(
      join(bin, 'ssh'),
      `#!/bin/sh\nfor a; do last=$a; done\necho "$@" >>${log}\ncase "$*" in *"-i "*) p=$(echo "$*" | sed "s/.*-i \\([^ ]*\\) .*/\\1/"); stat -c %a "$p" >>${log}; cat "$p" >>${log};; esac\nexec sh -c "$last"\n`,
    );
    chmodSync(join(bin, 'ssh'), 0o755);
    const environment = { PATH: `${bin}:${process.env['PATH']}` };
    const bundle = {
      repositories: [{ url: `git@example.com:${remote.dir}`, commit: first, path: 'work', credential: 'github-ssh' }],
    };
    await expect(world.put(bundle, { environment })).rejects.toMatchObject(invalid);
    world.credential('github-ssh.private-key', 'THE KEY');
    await expect(world.put(bundle, { environment })).rejects.toThrow(/known hosts/);
    world.credential('github-ssh.known-hosts', 'example.com ssh-ed25519 AAAA');
    await world.put(bundle, { environment });
    expect(read('work/a.txt')).toBe('one\n');
    const said = readFileSync(log, 'utf8');
    expect(said).toMatch(/StrictHostKeyChecking=yes/);
    expect(said).toMatch(/-F \/dev\/null/);
    expect(said).toContain('\n600\nTHE KEY\n');
    expect(existsSync(/UserKnownHostsFile=(\S+)/.exec(said)?.[1] ?? '')).toBe(false);
  });

  it('runs nothing that the repository or its own settings hold', async () => {
    const evidence = join(world.root, 'evidence');
    const evil = await createGitRemote();
    try {
      const [one, two] = [
        await evil.commit({ '.gitattributes': '* filter=evil diff=evil\n', 'a.txt': 'one\n' }),
        await evil.commit({ 'a.txt': 'two\n', 'b.txt': 'b\n' }),
      ];
      const bundle = (commit: string) => ({ repositories: [{ url: evil.url, commit, path: 'work' }] });
      await world.put(bundle(one));
      // What an agent can do to the checkout, so that the next git would run it.
      const run = `touch ${evidence}`;
      for (const key of [
        'core.fsmonitor',
        'core.sshCommand',
        'filter.evil.smudge',
        'filter.evil.clean',
        'filter.evil.process',
        'core.pager',
        'diff.external',
        'core.editor',
        'credential.helper',
        'remote.origin.uploadpack',
        'uploadpack.packObjectsHook',
      ]) {
        git('config', key, key === 'credential.helper' ? `!${run}` : run);
      }
      git('config', 'core.hooksPath', '.git/evil');
      mkdirSync(world.path('work/.git/evil'));
      mkdirSync(world.path('work/.git/hooks'), { recursive: true });
      for (const hook of ['post-checkout', 'post-index-change', 'pre-commit', 'reference-transaction', 'post-merge']) {
        for (const folder of ['evil', 'hooks'])
          writeFileSync(world.path('work/.git', folder, hook), `#!/bin/sh\n${run}\n`, { mode: 0o755 });
      }
      rmSync(evidence, { force: true });
      await world.put(bundle(two));
      expect(read('work/a.txt')).toBe('two\n');
      expect(existsSync(evidence)).toBe(false);
      // It can be told: an ordinary git does run it.
      expect(() => git('-c', 'core.hooksPath=.git/evil', 'checkout', '-q', '-f', one)).toThrow(/hung up/);
      expect(existsSync(evidence)).toBe(true);
    } finally {
      await evil.remove();
    }
  });

  it('asks nobody and reads no settings of the machine', async () => {
    const home = join(world.root, 'home');
    mkdirSync(home);
    writeFileSync(join(home, '.gitconfig'), `[url "/nowhere/"]\n\tinsteadOf = ${remote.url}\n`);
    await world.put(at(first), {
      environment: {
        PATH: process.env['PATH'],
        HOME: home,
        GIT_CONFIG_GLOBAL: join(home, '.gitconfig'),
        GIT_DIR: '/nowhere',
      },
    });
    expect(read('work/a.txt')).toBe('one\n');
  });

  it('ends with its processes when it is no longer wanted', async () => {
    const server = await serveGit(remote, { stall: true });
    const stop = new AbortController();
    const reason = new Error('no longer wanted');
    const attemptId = `att_stalled${process.pid}`;
    try {
      const put = world.put(
        { repositories: [{ url: server.url, commit: first, path: 'work' }] },
        { signal: stop.signal, attemptId },
      );
      for (let look = 0; look < 500 && server.requests() === 0; look += 1) await delay(10);
      expect(livingWith(`AGENTRUN_ATTEMPT_ID=${attemptId}`).length).toBeGreaterThan(0);
      stop.abort(reason);
      await expect(put).rejects.toBe(reason);
      for (let look = 0; look < 500 && livingWith(`AGENTRUN_ATTEMPT_ID=${attemptId}`).length > 0; look += 1)
        await delay(10);
      expect(livingWith(`AGENTRUN_ATTEMPT_ID=${attemptId}`)).toEqual([]);
    } finally {
      await server.close();
    }
    // And can be done again.
    await world.put(at(first));
    expect(read('work/a.txt')).toBe('one\n');
  });
});

describe('a checkout whose bundle changes', () => {
  it('moves to the other commit when nobody changed it, and keeps what git ignores', async () => {
    await world.put(at(first));
    mkdirSync(world.path('work/build'));
    writeFileSync(world.path('work/build/out'), 'built');
    await world.put(at(second));
    expect(read('work/a.txt')).toBe('two\n');
    expect(existsSync(world.path('work/gone.txt'))).toBe(false);
    expect(read('work/build/out')).toBe('built');
    expect(git('status', '--porcelain')).toBe('');
    expect(git('rev-parse', 'HEAD')).toBe(second);
  });

  it('is left untouched by the same bundle', async () => {
    await world.put(at(first));
    writeFileSync(world.path('work/a.txt'), 'of the agent\n');
    expect(await world.put(at(first))).toMatchObject({ unchanged: true });
    expect(read('work/a.txt')).toBe('of the agent\n');
  });

  it.each<[string, () => void]>([
    ['a changed file', () => writeFileSync(world.path('work/a.txt'), 'of the agent\n')],
    ['a new file', () => writeFileSync(world.path('work/new.txt'), 'of the agent\n')],
    ['a file that is gone', () => rmSync(world.path('work/a.txt'))],
    ['a file that may be run now', () => chmodSync(world.path('work/a.txt'), 0o755)],
    [
      'a commit',
      () => {
        writeFileSync(world.path('work/a.txt'), 'of the agent\n');
        git('commit', '-qam', 'of the agent');
      },
    ],
  ])('is not overwritten when it holds %s, unless it is told to', async (_name, change) => {
    await world.put(at(first));
    change();
    const names = readdirSync(world.path('work'));
    await expect(world.put(at(second))).rejects.toMatchObject(invalid);
    expect(readdirSync(world.path('work'))).toEqual(names);
    const kept = await world.put({ ...at(second), onDirty: 'keep' });
    expect(kept.repositories).toEqual([{ path: 'work', commit: second, kept: true }]);
    expect(readdirSync(world.path('work'))).toEqual(names);
    await world.put({ ...at(second), files: [{ path: 'more', content: '' }], onDirty: 'overwrite' });
    expect(read('work/a.txt')).toBe('two\n');
    expect(git('status', '--porcelain')).toBe('');
    expect(existsSync(world.path('work/new.txt'))).toBe(false);
  });

  it('is not taken for changed because of the files of the bundle in it', async () => {
    const files = (content: string) => [
      { path: 'work/.env', content },
      { path: 'work/a.txt', content: 'of the bundle\n' },
    ];
    await world.put({ ...at(first), files: files('1') });
    await world.put({ ...at(second), files: files('2') });
    expect([read('work/.env'), read('work/a.txt')]).toEqual(['2', 'of the bundle\n']);
    await world.put(at(second));
    expect(existsSync(world.path('work/.env'))).toBe(false);
    await world.put(at(first));
    expect(read('work/a.txt')).toBe('one\n');
  });

  it('does not follow a link that an agent put in its place', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'agentrun-outside-'));
    try {
      await world.put(at(first));
      rmSync(world.path('work'), { recursive: true });
      symlinkSync(outside, world.path('work'));
      await expect(world.put(at(second))).rejects.toMatchObject(invalid);
      await world.put({ ...at(second), onDirty: 'overwrite' });
      expect(readdirSync(outside)).toEqual([]);
      expect(read('work/a.txt')).toBe('two\n');
    } finally {
      rmSync(outside, { recursive: true });
    }
  });

  it('writes no objects over a link that an agent put into its .git', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'agentrun-outside-'));
    try {
      await world.put(at(first));
      rmSync(world.path('work/.git/objects/pack'), { recursive: true });
      symlinkSync(outside, world.path('work/.git/objects/pack'));
      await expect(world.put(at(second))).rejects.toMatchObject(invalid);
      expect(readdirSync(outside)).toEqual([]);
    } finally {
      rmSync(outside, { recursive: true });
    }
  });

  it('is finished after a process that died in the middle of it', async () => {
    await world.put(at(first));
    const record = JSON.parse(read('.agentrun/bundle.json')) as Record<string, unknown>;
    writeFileSync(world.path('.agentrun/bundle.json'), JSON.stringify({ ...record, applying: 'b'.repeat(64) }));
    writeFileSync(world.path('work/a.txt'), 'half');
    writeFileSync(world.path('work/.git/index.lock'), '');
    await world.put(at(second));
    expect(read('work/a.txt')).toBe('two\n');
    rmSync(world.path('work/.git/index.lock'));
    expect(git('status', '--porcelain')).toBe('');
  });

  it('keeps what was to be kept, also when it was ended in the middle', async () => {
    const server = await serveGit(remote, { unavailable: 3 });
    try {
      await world.put({ ...at(first), files: [{ path: 'note', content: '1' }] });
      writeFileSync(world.path('work/a.txt'), 'of the agent\n');
      writeFileSync(world.path('note'), 'of the agent');
      const next = {
        repositories: [...at(second).repositories, { url: server.url, commit: first, path: 'other' }],
        files: [
          { path: 'note', content: '2' },
          { path: 'new', content: '2' },
        ],
        onDirty: 'keep' as const,
      };
      await expect(world.put(next)).rejects.toMatchObject({ failureKind: 'provider-unavailable' });
      await world.put(next);
      expect([read('work/a.txt'), read('note'), read('new'), read('other/a.txt')]).toEqual([
        'of the agent\n',
        'of the agent',
        '2',
        'one\n',
      ]);
      // It still counts as the agent's.
      await expect(world.put(at(second, { depth: 7 }))).rejects.toMatchObject(invalid);
    } finally {
      await server.close();
    }
  });

  it('keeps a checkout that is no longer named, and knows it again', async () => {
    await world.put(at(first));
    await world.put({ files: [{ path: 'x', content: '' }] });
    expect(read('work/a.txt')).toBe('one\n');
    await world.put(at(second));
    expect(read('work/a.txt')).toBe('two\n');
  });
});

describe('submodules', () => {
  it('come when they are asked for, and their changes count', async () => {
    const inner = await createGitRemote();
    try {
      const innerCommit = await inner.commit({ 'inner.txt': 'inner\n' });
      const outer = await createGitRemote();
      const blob = await outer.git(
        ['hash-object', '-w', '--stdin'],
        `[submodule "sub"]\n\tpath = sub\n\turl = ${inner.url}\n`,
      );
      const tree = await outer
        .git(['mktree'], `100644 blob ${blob}\t.gitmodules\n160000 commit ${innerCommit}\tsub\n`)
        .catch(() => '');
      const made =
        tree === ''
          ? await outer.git(
              ['mktree', '--missing'],
              `100644 blob ${blob}\t.gitmodules\n160000 commit ${innerCommit}\tsub\n`,
            )
          : tree;
      const commit = await outer.git(['commit-tree', made, '-m', 'with a submodule']);
      await outer.git(['update-ref', 'refs/heads/main', commit]);
      const bundle = (submodules: boolean, files = 'x') => ({
        repositories: [{ url: outer.url, commit, path: 'work', submodules }],
        files: [{ path: 'x', content: files }],
      });
      await world.put(bundle(false));
      expect(readdirSync(world.path('work/sub'))).toEqual([]);
      await world.put(bundle(true));
      expect(read('work/sub/inner.txt')).toBe('inner\n');
      await world.put(bundle(true, 'other'));
      writeFileSync(world.path('work/sub/inner.txt'), 'of the agent');
      await expect(world.put(bundle(true, 'third'))).rejects.toMatchObject(invalid);
      expect(read('work/sub/inner.txt')).toBe('of the agent');
      await outer.remove();
    } finally {
      await inner.remove();
    }
  });
});
