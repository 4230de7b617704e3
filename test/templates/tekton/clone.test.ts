import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { serveGit } from '../../helpers/git-http-server.ts';
import { createGitRemote, type GitRemote } from '../../helpers/git-remote.ts';
import { runScript, type ScriptResult, startScript } from '../../helpers/run-script.ts';
import { STEP_SCRIPTS } from '../../helpers/tools-image.ts';

const SCRIPT = join(STEP_SCRIPTS, 'clone.sh');

let remote: GitRemote;
let first: string;
let old: string;
let tip: string;
let side: string;
let root: string;

beforeAll(async () => {
  remote = await createGitRemote();
  first = await remote.commit({ 'lanes/v0.1.yaml': 'nodeId: first\n' }, 'release/v0.1');
  old = await remote.commit({ 'lanes/v0.1.yaml': 'nodeId: old\n' }, 'release/v0.1');
  await remote.git(['branch', 'side', old]);
  side = await remote.commit({ 'lanes/v0.1.yaml': 'nodeId: side\n' }, 'side');
  tip = await remote.commit({ 'lanes/v0.1.yaml': 'nodeId: tip\n' }, 'release/v0.1');
});
afterAll(() => remote.remove());
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'agentrun-clone-'));
  for (const folder of ['home', 'tmp', 'workspace']) await mkdir(join(root, folder));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const environment = (settings: Record<string, string | undefined>) => ({
  PATH: process.env['PATH'],
  HOME: join(root, 'home'),
  TMPDIR: join(root, 'tmp'),
  WORKSPACE: join(root, 'workspace'),
  GIT_READ_URL: remote.url,
  REVISION: tip,
  LANE: 'v0.1',
  STEP: 'clone',
  ...settings,
});
const run = (settings: Record<string, string | undefined>, shell = 'sh'): Promise<ScriptResult> =>
  runScript([shell, SCRIPT], { env: environment(settings) });

const checkout = () => join(root, 'workspace/source');
const lane = () => readFileSync(join(checkout(), 'lanes/v0.1.yaml'), 'utf8');
const git = (...args: string[]) => execFileSync('git', args, { cwd: checkout(), encoding: 'utf8' }).trim();
const holds = (commit: string): boolean => {
  try {
    execFileSync('git', ['cat-file', '-e', commit], { cwd: checkout(), stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
const record = (status: string, revision: string | null, version: string | null = 'v0.1') => ({
  event: 'agentrun-ci-clone',
  status,
  lane: version,
  revision,
  valuesPrinted: false,
});

describe('the clone step', () => {
  const shells = ['sh', 'dash', 'bash'].filter((name) =>
    (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, name))),
  );

  it.each(shells)('checks the revision out, alone, and leaves nothing else behind (%s)', async (shell) => {
    execFileSync(shell, ['-n', SCRIPT]);
    const result = await run({}, shell);
    expect(result.stderr).toBe(`clone: cloning ${tip} from ${remote.url}\n`);
    expect(result).toMatchObject({ code: 0, record: record('ok', tip) });
    expect(git('rev-parse', 'HEAD')).toBe(tip);
    expect(git('status', '--porcelain')).toBe('');
    expect(lane()).toBe('nodeId: tip\n');
    expect(holds(old)).toBe(false);
    expect(readdirSync(join(root, 'tmp'))).toEqual([]);
  });

  it('takes a branch, and names the commit that it found', async () => {
    expect(await run({ REVISION: 'release/v0.1' })).toMatchObject({ code: 0, record: record('ok', tip) });
  });

  it('names itself as its task calls it', async () => {
    const { record: seen } = await run({ STEP: 'fetch' });
    expect(seen).toMatchObject({ event: 'agentrun-ci-fetch' });
  });

  it('takes an older commit, also from a server that gives none by its id', async () => {
    const server = await serveGit(remote, { protocol2: false });
    try {
      const result = await run({ REVISION: old, GIT_READ_URL: server.url });
      expect(result).toMatchObject({ code: 0, record: record('ok', old) });
      expect(lane()).toBe('nodeId: old\n');
      expect(result.stderr).toContain('fetching all branches and tags\n');
    } finally {
      await server.close();
    }
  });

  it.each([
    ['a branch', 'release/v0.1', () => tip],
    ['a commit', undefined, () => tip],
  ])('brings the history of %s when the lane follows a branch', async (_what, revision, head) => {
    const result = await run({ REVISION: revision ?? head(), SOURCE_BRANCH: 'release/v0.1' });
    expect(result).toMatchObject({ code: 0, record: record('ok', head()) });
    expect(git('rev-parse', '--is-shallow-repository')).toBe('false');
    expect(git('merge-base', first, 'HEAD')).toBe(first);
  });

  it('brings what came after the revision, too', async () => {
    expect(await run({ REVISION: old, SOURCE_BRANCH: 'release/v0.1' })).toMatchObject({
      code: 0,
      record: record('ok', old),
    });
    expect(lane()).toBe('nodeId: old\n');
    expect(git('merge-base', tip, 'HEAD')).toBe(old);
    expect(holds(side), 'but no other branch').toBe(false);
  });

  it('goes on without the branch that the lane follows, and says so', async () => {
    const result = await run({ SOURCE_BRANCH: 'gone' });
    expect(result).toMatchObject({ code: 0, record: record('ok', tip) });
    expect(result.stderr).toContain("no history of the branch gone: fatal: couldn't find remote ref refs/heads/gone");
  });

  it('replaces the checkout of an earlier run, and nothing else in the workspace', async () => {
    await run({ REVISION: old });
    await writeFile(join(root, 'workspace/other'), 'kept');
    await writeFile(join(checkout(), 'lanes/v9.9.yaml'), 'stale');
    expect(await run({})).toMatchObject({ code: 0 });
    expect(readdirSync(join(root, 'workspace')).sort()).toEqual(['other', 'source']);
    expect(readdirSync(join(checkout(), 'lanes'))).toEqual(['v0.1.yaml']);
  });

  it('runs no hook that HOME configures', async () => {
    const witness = join(root, 'witness');
    await mkdir(join(root, 'home/hooks'));
    await writeFile(join(root, 'home/hooks/post-checkout'), `#!/bin/sh\ntouch ${witness}\n`);
    await chmod(join(root, 'home/hooks/post-checkout'), 0o755);
    await writeFile(join(root, 'home/.gitconfig'), `[core]\n\thooksPath = ${root}/home/hooks\n`);
    expect(await run({})).toMatchObject({ code: 0 });
    expect(existsSync(witness)).toBe(false);
  });

  it.each([
    ['a commit', '0123456789abcdef0123456789abcdef01234567'],
    ['a branch', 'no-such-branch'],
  ])('fails when the repository lacks %s, and says so', async (_what, revision) => {
    const result = await run({ REVISION: revision });
    expect(result).toMatchObject({ code: 128, record: record('failed', revision) });
    expect(result.stderr).toContain(`of ${revision} from ${remote.url} failed:`);
  });

  it('fails when the revision is the id of a tag', async () => {
    await remote.git(['tag', '--annotate', '--message', 'a release', 'v1', tip]);
    const tag = await remote.git(['rev-parse', 'refs/tags/v1']);
    const result = await run({ REVISION: tag });
    expect(result).toMatchObject({ code: 1, record: record('failed', tag) });
    expect(result.stderr).toContain(`REVISION is ${tag}, but what it names is commit ${tip}`);
  });

  it('never prints credentials of the URL', async () => {
    const server = await serveGit(remote, { credentials: 'robot:s3cret-pass' });
    try {
      const branch = { SOURCE_BRANCH: 'gone' };
      const good = await run({ GIT_READ_URL: server.urlWith('robot:s3cret-pass'), ...branch });
      expect(good).toMatchObject({ code: 0 });
      const kept = await readFile(join(checkout(), '.git/config'), 'utf8');
      const bad = await run({ GIT_READ_URL: server.urlWith('robot:wr0ng') });
      expect(bad).toMatchObject({ code: 128, record: record('failed', tip) });
      expect(bad.stderr).toContain('from http://***@127.0.0.1:');
      expect(`${good.stdout}${good.stderr}${bad.stdout}${bad.stderr}${kept}`).not.toMatch(/s3cret|wr0ng|robot/);
    } finally {
      await server.close();
    }
  });

  it('ends when it is told to, and leaves nothing behind', async () => {
    const server = await serveGit(remote, { stall: true });
    try {
      const running = startScript(['sh', SCRIPT], { env: environment({ GIT_READ_URL: server.url }) });
      await expect.poll(() => server.requests(), { timeout: 10_000 }).toBe(1);
      running.kill('SIGTERM');
      expect(await running.done).toMatchObject({ code: 143, record: record('failed', tip) });
      expect(readdirSync(join(root, 'tmp'))).toEqual([]);
    } finally {
      await server.close();
    }
  });
});

describe('a wrong setting of the clone step', () => {
  it.each([
    [{ LANE: '' }, 'LANE is ""; it must be the version of a lane, such as v0.1', null, null],
    [{ LANE: 'v0.1"}' }, 'LANE is', null, null],
    [{ LANE: 'v0.1\n' }, 'LANE is', null, null],
    [{ LANE: '--out=/x' }, 'LANE is', null, null],
    [{ LANE: 'v1.2.3' }, 'LANE is', null, null],
    [{ LANE: 'v1.' }, 'LANE is', null, null],
    [{ LANE: '../v0.1' }, 'LANE is', null, null],
    [{ REVISION: undefined }, 'REVISION is ""; it must be a commit of 40', 'v0.1', null],
    [{ REVISION: '--upload-pack=touch' }, 'REVISION is', 'v0.1', null],
    [{ REVISION: 'a..b' }, 'REVISION is', 'v0.1', null],
    [{ REVISION: 'a"b' }, 'REVISION is', 'v0.1', null],
    [{ REVISION: 'a$(touch x)' }, 'REVISION is', 'v0.1', null],
    [{ SOURCE_BRANCH: '-x' }, 'SOURCE_BRANCH is "-x"; it must be a branch, or empty', 'v0.1', 'tip'],
    [{ SOURCE_BRANCH: 'a:b' }, 'SOURCE_BRANCH is', 'v0.1', 'tip'],
    [{ GIT_READ_URL: '' }, 'GIT_READ_URL is empty', 'v0.1', 'tip'],
    [{ GIT_READ_URL: '-oProxyCommand=x' }, 'GIT_READ_URL is empty, begins with "-"', 'v0.1', 'tip'],
    [{ WORKSPACE: 'workspace' }, 'WORKSPACE is "workspace"; it must be an absolute path', 'v0.1', 'tip'],
    [{ WORKSPACE: '/nonexistent' }, 'WORKSPACE is "/nonexistent", which is no directory', 'v0.1', 'tip'],
  ])('%j ends it with exit code 2 before anything is cloned', async (settings, message, version, revision) => {
    const result = await run(settings);
    expect(result).toMatchObject({ code: 2, record: record('failed', revision === 'tip' ? tip : null, version) });
    expect(result.stderr).toContain(`clone: error: ${message}`);
    expect(readdirSync(join(root, 'workspace'))).toEqual([]);
  });
});
