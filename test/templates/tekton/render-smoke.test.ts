import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { serveGit } from '../../helpers/git-http-server.ts';
import { createGitRemote, type GitRemote } from '../../helpers/git-remote.ts';

const SCRIPT = join(import.meta.dirname, '../../../templates/tekton/render-smoke.sh');

/** Stands in for the command line: records where it ran and with what, shows the lane, ends as it is told. */
const AGENTRUN = `#!/bin/sh
{ pwd; git rev-parse HEAD; for argument; do printf '%s\\n' "$argument"; done; } >"$RECORD/$1"
cat "lanes/$2.yaml"
case $1 in check) exit "\${CHECK_EXIT:-0}" ;; *) exit "\${SYNTH_EXIT:-0}" ;; esac
`;

let remote: GitRemote;
let old: string;
let tip: string;
let root: string;

beforeAll(async () => {
  remote = await createGitRemote();
  old = await remote.commit({ 'lanes/v0.1.yaml': 'nodeId: old\n' }, 'release/v0.1');
  tip = await remote.commit({ 'lanes/v0.1.yaml': 'nodeId: tip\n' }, 'release/v0.1');
});
afterAll(() => remote.remove());
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'agentrun-smoke-'));
  for (const folder of ['bin', 'home', 'record', 'tmp', 'workspace']) await mkdir(join(root, folder));
  await writeFile(join(root, 'bin/agentrun'), AGENTRUN);
  await chmod(join(root, 'bin/agentrun'), 0o755);
});
afterEach(() => rm(root, { recursive: true, force: true }));

interface Result {
  code: number | null;
  stdout: string;
  stderr: string;
  record: unknown;
}

function run(settings: Record<string, string | undefined>, shell = 'sh'): Promise<Result> {
  const env: Record<string, string | undefined> = {
    PATH: `${join(root, 'bin')}:${process.env['PATH']}`,
    HOME: join(root, 'home'),
    TMPDIR: join(root, 'tmp'),
    RECORD: join(root, 'record'),
    WORKSPACE: join(root, 'workspace'),
    GIT_READ_URL: remote.url,
    REVISION: tip,
    LANE: 'v0.1',
    ...settings,
  };
  return new Promise((resolve) => {
    const child = execFile(shell, [SCRIPT], { env, cwd: '/' }, (_error, stdout, stderr) => {
      const last = stdout.trimEnd().split('\n').at(-1) ?? '';
      resolve({ code: child.exitCode, stdout, stderr, record: last.startsWith('{') ? JSON.parse(last) : last });
    });
  });
}

const calls = (name: string): string[] =>
  readFileSync(join(root, 'record', name), 'utf8')
    .trimEnd()
    .split('\n');
const record = (status: string, revision: string | null, lane: string | null = 'v0.1') => ({
  event: 'agentrun-ci-render-smoke',
  status,
  lane,
  revision,
  valuesPrinted: false,
});

describe('the render-smoke step', () => {
  const shells = ['sh', 'dash', 'bash'].filter((name) =>
    (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, name))),
  );

  it.each(shells)('checks the lane of the revision and proves its rendering (%s)', async (shell) => {
    execFileSync(shell, ['-n', SCRIPT]);
    const result = await run({}, shell);
    expect(result.stderr).toBe(`render-smoke: cloning ${tip} from ${remote.url}\n`);
    expect(result).toMatchObject({ code: 0, record: record('ok', tip) });
    const checkout = join(root, 'workspace/source');
    const lanes = ['--lanes-dir', `${checkout}/lanes`];
    expect(calls('check')).toEqual([checkout, tip, 'check', 'v0.1', ...lanes, '--format', 'text']);
    const [cwd, head, ...synth] = calls('synth');
    expect([cwd, head]).toEqual([checkout, tip]);
    const out = synth.pop() ?? '';
    expect(synth).toEqual(['synth', 'v0.1', '--prove', '--placeholder', ...lanes, '--out']);
    expect(out.startsWith(join(root, 'tmp/'))).toBe(true);
    expect(existsSync(out), 'synth makes it').toBe(false);
    expect(result.stdout).toContain('nodeId: tip\n');
    expect(readdirSync(join(root, 'tmp')), 'nothing is left behind').toEqual([]);
  });

  it('takes a branch, and names the commit that it found', async () => {
    expect(await run({ REVISION: 'release/v0.1' })).toMatchObject({ code: 0, record: record('ok', tip) });
  });

  it('takes an older commit, also from a server that gives none by its id', async () => {
    const server = await serveGit(remote, { protocol2: false });
    try {
      const result = await run({ REVISION: old, GIT_READ_URL: server.url });
      expect(result).toMatchObject({ code: 0, record: record('ok', old) });
      expect(result.stdout).toContain('nodeId: old\n');
      expect(result.stderr).toContain('fetching all branches and tags\n');
    } finally {
      await server.close();
    }
  });

  it('replaces the checkout of an earlier run, and nothing else in the workspace', async () => {
    await run({ REVISION: old });
    await writeFile(join(root, 'workspace/other'), 'kept');
    await writeFile(join(root, 'workspace/source/lanes/v9.9.yaml'), 'stale');
    expect(await run({})).toMatchObject({ code: 0 });
    expect(readdirSync(join(root, 'workspace')).sort()).toEqual(['other', 'source']);
    expect(readdirSync(join(root, 'workspace/source/lanes'))).toEqual(['v0.1.yaml']);
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

  it('ends with the exit code of the check, and then proves nothing', async () => {
    expect(await run({ CHECK_EXIT: '3' })).toMatchObject({ code: 3, record: record('failed', tip) });
    expect(existsSync(join(root, 'record/synth'))).toBe(false);
  });

  it('ends with the exit code of the proof', async () => {
    expect(await run({ SYNTH_EXIT: '9' })).toMatchObject({ code: 9, record: record('failed', tip) });
    expect(readdirSync(join(root, 'tmp'))).toEqual([]);
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
      const good = await run({ GIT_READ_URL: server.urlWith('robot:s3cret-pass') });
      expect(good).toMatchObject({ code: 0 });
      const bad = await run({ GIT_READ_URL: server.urlWith('robot:wr0ng') });
      expect(bad).toMatchObject({ code: 128, record: record('failed', tip) });
      expect(bad.stderr).toContain('from http://***@127.0.0.1:');
      expect(`${good.stdout}${good.stderr}${bad.stdout}${bad.stderr}`).not.toMatch(/s3cret|wr0ng|robot/);
      expect(await readFile(join(root, 'workspace/source/.git/config'), 'utf8')).not.toContain('wr0ng');
    } finally {
      await server.close();
    }
  });
});

describe('a wrong setting of the render-smoke step', () => {
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
    [{ GIT_READ_URL: '' }, 'GIT_READ_URL is empty', 'v0.1', 'tip'],
    [{ GIT_READ_URL: '-oProxyCommand=x' }, 'GIT_READ_URL is empty, begins with "-"', 'v0.1', 'tip'],
    [{ WORKSPACE: 'workspace' }, 'WORKSPACE is "workspace"; it must be an absolute path', 'v0.1', 'tip'],
    [{ WORKSPACE: '/nonexistent' }, 'WORKSPACE is "/nonexistent", which is no directory', 'v0.1', 'tip'],
  ])('%j ends it with exit code 2 before anything is cloned', async (settings, message, lane, revision) => {
    const result = await run(settings);
    expect(result).toMatchObject({ code: 2, record: record('failed', revision === 'tip' ? tip : null, lane) });
    expect(result.stderr).toContain(`render-smoke: error: ${message}`);
    expect(readdirSync(join(root, 'workspace'))).toEqual([]);
  });
});
