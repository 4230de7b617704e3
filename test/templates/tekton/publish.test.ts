import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LaneInventory } from '../../../lib/src/gitops/inventory.ts';
import { sameRepository } from '../../../lib/src/lane/repository-url.ts';
import { serveGit } from '../../helpers/git-http-server.ts';
import { createGitRemote, type GitRemote } from '../../helpers/git-remote.ts';
import { GOOD_LANE } from '../../helpers/lane-repository.ts';
import type { ScriptResult } from '../../helpers/run-script.ts';
import { type Settings, type StepRunner, stepRunner } from '../../helpers/step-runner.ts';

const CANONICAL = 'ssh://git@git.example.internal/agentrun/agentrun.git';
const DIGEST = `sha256:${'ab'.repeat(32)}`;
const IMAGE = { IMAGE_DIGEST: DIGEST, ENV_IDENTITY: 'env-0123456789ab' };
const BRANCH = 'v0.1-gitops';

let source: GitRemote;
let first: string;
let newer: string;
let side: string;
let gitops: GitRemote;
let steps: StepRunner;

beforeAll(async () => {
  source = await createGitRemote();
  first = await source.commit({ 'lanes/v0.1.yaml': GOOD_LANE }, 'v0.1');
  await source.git(['branch', 'side', first]);
  newer = await source.commit({ 'lanes/v0.1.yaml': GOOD_LANE.replace('node-a', 'node-b') }, 'v0.1');
  side = await source.commit({ 'lanes/v0.1.yaml': GOOD_LANE.replace('node-a', 'node-c') }, 'side');
});
afterAll(() => source.remove());
beforeEach(async () => {
  gitops = await createGitRemote();
  await gitops.commit({ 'README.md': 'a repository for the GitOps branches\n' });
  steps = stepRunner();
});
afterEach(async () => {
  steps.remove();
  await gitops.remove();
});

const clone = (revision: string) =>
  steps.run('clone', { GIT_READ_URL: source.url, REVISION: revision, SOURCE_BRANCH: 'v0.1' });

const settings = (more: Settings): Settings => ({
  GIT_URL: CANONICAL,
  GIT_WRITE_URL: gitops.url,
  GITOPS_BRANCH: BRANCH,
  IMAGE_DIGEST: '',
  ENV_IDENTITY: '',
  SSH_WORKSPACE: '',
  RESULT_COMMIT: join(steps.root, 'commit'),
  ...more,
});

async function publish(revision: string, more: Settings = {}): Promise<ScriptResult> {
  await clone(revision);
  return steps.run('publish', settings(more));
}

const head = () => gitops.git(['rev-parse', '--verify', '--quiet', `refs/heads/${BRANCH}`]).catch(() => undefined);
const file = async (path: string): Promise<unknown> => JSON.parse(await gitops.git(['show', `${BRANCH}:${path}`]));
const catalog = () => file('deploy/artifact-catalog.v01.json');
const result = () => readFileSync(join(steps.root, 'commit'), 'utf8');
const record = (status: string, revision: string | null, commit: string | null | undefined) => ({
  event: 'agentrun-ci-publish',
  status,
  lane: 'v0.1',
  revision,
  commit,
  valuesPrinted: false,
});

describe('the publish step', () => {
  it('brings the lane to the branch, with the image that is given, and nothing the second time', async () => {
    const done = await publish('v0.1', IMAGE);
    expect(done.stderr).toBe('');
    const commit = await head();
    expect(done).toMatchObject({ code: 0, record: record('published', newer, commit) });
    expect(done.stdout.trim().split('\n')).toHaveLength(1);
    expect(result()).toBe(commit);
    expect(readdirSync(steps.temporary), 'nothing is left behind').toEqual([]);
    const inventory = (await file('.agentrun/lanes/v0.1.json')) as LaneInventory;
    expect(inventory).toMatchObject({ laneFile: 'lanes/v0.1.yaml', laneCommit: newer, sourceCommit: newer });
    expect(sameRepository(inventory.laneRepository, CANONICAL)).toBe(true);
    expect(await catalog()).toMatchObject({ sourceCommitId: newer, services: [{ digest: DIGEST, status: 'built' }] });
    expect(await gitops.git(['rev-list', '--count', BRANCH])).toBe('1');

    const again = await publish(newer, IMAGE);
    expect(again).toMatchObject({ code: 0, record: record('unchanged', newer, commit) });
    expect(result()).toBe(commit);
    expect(await head()).toBe(commit);
  });

  it('takes the image of the branch when none is given', async () => {
    await publish(first, IMAGE);
    const done = await publish(newer);
    expect(done).toMatchObject({ code: 0, record: record('published', newer, await head()) });
    expect(await catalog()).toMatchObject({ sourceCommitId: newer, services: [{ digest: DIGEST, status: 'reused' }] });
  });

  it('fails when there is no image at all, and says what to give', async () => {
    const done = await publish(newer);
    expect(done).toMatchObject({ code: 1, record: record('failed', newer, null) });
    expect(done.stderr).toContain('error[artifact-missing]');
    expect(done.stderr).toContain('--image-digest with --env-identity');
    expect(await head()).toBeUndefined();
    expect(existsSync(join(steps.root, 'commit'))).toBe(false);
  });

  it('leaves the branch alone for a revision that was overtaken', async () => {
    await publish(newer, IMAGE);
    const commit = await head();
    const done = await publish(first, IMAGE);
    expect(done).toMatchObject({ code: 0, record: record('superseded', first, commit) });
    expect(result()).toBe(commit);
    expect(await head()).toBe(commit);
  });

  it('refuses a revision that stands beside what was published', async () => {
    await publish(newer, IMAGE);
    const commit = await head();
    const done = await publish(side, IMAGE);
    expect(done).toMatchObject({ code: 1, record: record('failed', side, null) });
    expect(done.stderr).toContain('error[source-diverged]');
    expect(await head()).toBe(commit);
  });

  it('refuses a checkout that somebody changed', async () => {
    await clone(newer);
    writeFileSync(join(steps.workspace, 'source/lanes/v0.1.yaml'), GOOD_LANE);
    const done = await steps.run('publish', settings(IMAGE));
    expect(done).toMatchObject({ code: 1, record: record('failed', newer, null) });
    expect(done.stderr).toContain('error[repository-dirty]');
  });

  it('fails for a lane that the revision does not have', async () => {
    const done = await publish(newer, { ...IMAGE, LANE: 'v9.9' });
    expect(done).toMatchObject({ code: 1, record: { ...record('failed', newer, null), lane: 'v9.9' } });
    expect(done.stderr).toContain('lanes/v9.9.yaml');
  });

  it('fails when the server refuses the push, in the words of the server', async () => {
    mkdirSync(join(gitops.dir, 'hooks'));
    const hook = '#!/bin/sh\necho "only the release robot may write here" >&2\nexit 1\n';
    writeFileSync(join(gitops.dir, 'hooks/pre-receive'), hook, { mode: 0o755 });
    const done = await publish(newer, IMAGE);
    expect(done).toMatchObject({ code: 1, record: record('failed', newer, null) });
    expect(done.stderr).toContain('error[branch-protected]');
    expect(done.stderr).toContain('only the release robot may write here');
    expect(await head()).toBeUndefined();
  });

  it('takes credentials from where git has them, and prints none', async () => {
    await gitops.git(['config', 'http.receivepack', 'true']);
    const server = await serveGit(gitops, { credentials: 'robot:s3cret-pass' });
    try {
      const refused = await publish(newer, { ...IMAGE, GIT_WRITE_URL: server.url });
      expect(refused).toMatchObject({ code: 1, record: record('failed', newer, null) });
      expect(refused.stderr).toContain('error[remote-auth]');
      writeFileSync(join(steps.home, '.gitconfig'), '[credential]\n\thelper = store\n');
      writeFileSync(join(steps.home, '.git-credentials'), `${server.urlWith('robot:s3cret-pass')}\n`);
      const done = await publish(newer, { ...IMAGE, GIT_WRITE_URL: server.url });
      expect(done).toMatchObject({ code: 0, record: record('published', newer, await head()) });
      expect(`${refused.stdout}${refused.stderr}${done.stdout}${done.stderr}`).not.toMatch(/s3cret|robot/);
    } finally {
      await server.close();
    }
  });

  it('ends when it is told to, and leaves nothing behind', async () => {
    const server = await serveGit(gitops, { stall: true });
    try {
      await clone(newer);
      const running = steps.start('publish', settings({ ...IMAGE, GIT_WRITE_URL: server.url }));
      await expect.poll(() => server.requests(), { timeout: 30_000 }).toBe(1);
      running.kill('SIGTERM');
      expect(await running.done).toMatchObject({ code: 143, record: record('failed', newer, null) });
      expect(readdirSync(steps.temporary)).toEqual([]);
    } finally {
      await server.close();
    }
  });
});

describe('a wrong setting of the publish step', () => {
  it.each([
    [{ IMAGE_DIGEST: DIGEST }, 'image-digest is given without env-identity'],
    [{ ENV_IDENTITY: 'env-1' }, 'env-identity is given without image-digest'],
    [{ GITOPS_BRANCH: '' }, 'GITOPS_BRANCH is ""; it must be a branch'],
    [{ GITOPS_BRANCH: '--force' }, 'GITOPS_BRANCH is "--force"'],
    [{ GITOPS_BRANCH: 'a:b' }, 'GITOPS_BRANCH is "a:b"'],
    [{ GIT_URL: '' }, 'GIT_URL and GIT_WRITE_URL must be git URLs'],
    [{ GIT_WRITE_URL: '-oProxyCommand=x' }, 'GIT_URL and GIT_WRITE_URL must be git URLs'],
    [{ GIT_WRITE_URL: 'https://robot:s3cret@git.example.internal/x.git' }, 'must hold no password'],
    [{ GIT_URL: 'ssh://robot:s3cret@git.example.internal:22/x.git' }, 'must hold no password'],
  ])('%j ends it with exit code 2', async (wrong, message) => {
    const done = await publish(newer, wrong);
    expect(done).toMatchObject({ code: 2, record: record('failed', null, null) });
    expect(done.stderr).toContain(`publish: error: ${message.startsWith('must') ? 'GIT_URL' : message}`);
    expect(done.stderr).toContain(message);
    expect(`${done.stdout}${done.stderr}`).not.toContain('s3cret');
    expect(await head()).toBeUndefined();
  });

  it.each(['GIT_URL', 'GIT_WRITE_URL', 'GITOPS_BRANCH', 'RESULT_COMMIT', 'LANE', 'WORKSPACE'])(
    'a missing %s ends it before anything else',
    async (name) => {
      const done = await publish(newer, { ...IMAGE, [name]: undefined });
      expect(done.code).not.toBe(0);
      expect(done.stderr).toContain(name);
      expect(await head()).toBeUndefined();
    },
  );
});
