import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unpublishLane } from '../../../lib/src/gitops/unpublish.ts';
import { foreignCommits } from '../../helpers/branch-surgery.ts';
import { BRANCH } from '../../helpers/publish-lanes.ts';
import { sshKey } from '../../helpers/ssh-key.ts';
import { codesOf, failureOf, type VerifySetup, verifySetup } from '../../helpers/verify-setup.ts';

let setup: VerifySetup;
beforeAll(async () => {
  setup = await verifySetup();
});
afterAll(() => setup.remove());

describe('the history of the branch', () => {
  it.each([3, 60, 1100])('is searched beneath %i commits of others', async (count) => {
    const branch = `deep-${count}`;
    foreignCommits(
      setup.remote,
      Array.from({ length: count }, (_, at) => ({
        branch,
        base: at === 0 ? setup.published : branch,
        changes: { 'other.txt': `${at}\n` },
        message: setup.message.replaceAll('v0.1', 'v0.11'),
      })),
    );
    const result = await setup.verify({ branch });
    expect(result).toMatchObject({ status: 'equal', publishCommit: setup.published, foreignFiles: ['other.txt'] });
  });

  it('is followed through the merge by which a pull request brought the commit', async () => {
    const { remote, published } = setup;
    const [next] = await setup.commit({ number: 1, content: 21 });
    await remote.git(['branch', 'promoted-next', published]);
    const { commit = '' } = await setup.publish(next!, { branch: 'promoted-next' });
    const changes = Object.fromEntries(filesChanged(commit).map((path) => [path, show(commit, path)]));
    foreignCommits(remote, [{ branch: 'promoted', base: published, merges: [commit], changes, message: 'Promote' }]);
    expect(await setup.verify({ branch: 'promoted' })).toMatchObject({ status: 'equal', publishCommit: commit });
  });

  const git = (...args: string[]) => execFileSync('git', args, { cwd: setup.remote.dir, encoding: 'utf8' });
  const filesChanged = (commit: string) => git('diff', '--name-only', `${commit}^`, commit).trim().split('\n');
  const show = (commit: string, path: string) => git('cat-file', 'blob', `${commit}:${path}`);

  it('holds lanes that are judged one by one', async () => {
    const { publish, verify, commit } = setup;
    const branch = 'several';
    for (const source of await commit({ number: 1 }, { number: 2 }, { number: 3 })) await publish(source, { branch });
    for (const lane of ['v0.1', 'v0.2', 'v0.3'])
      expect(await verify({ branch, lane })).toMatchObject({ status: 'equal', foreignFiles: [] });
    const path = 'deploy/lane-2/runtime-v02/mgr.yaml';
    foreignCommits(setup.remote, [{ branch, base: branch, changes: { [path]: 'x\n' } }]);
    const results = await Promise.all(['v0.1', 'v0.2', 'v0.3'].map((lane) => verify({ branch, lane })));
    expect(results.map(({ status }) => status)).toEqual(['equal', 'tampered', 'equal']);
    expect(codesOf(results[1]!)).toEqual([`branch-edited ${path}`]);
  });

  it('tells a lane that was removed from one that never was', async () => {
    const { publish, verify, commit, remote, lanes } = setup;
    const branch = 'removed';
    const [one, two] = await commit({ number: 1 }, { number: 2 });
    for (const source of [one!, two!]) await publish(source, { branch });
    await unpublishLane({ lane: 'v0.1', commit: one!.commit }, { remote: remote.dir, branch, cwd: lanes.dir });
    expect(await failureOf(verify({ branch }))).toMatchObject({
      code: 'lane-not-published',
      message: expect.stringContaining('was removed') as string,
    });
    expect((await verify({ branch, lane: 'v0.2' })).status).toBe('equal');
    await publish(one!, { branch });
    expect((await verify({ branch })).status).toBe('equal');
  });
});

describe('a question that cannot be answered', () => {
  it.each([
    ['the branch does not exist', { branch: 'nowhere' }, 'lane-not-published'],
    ['the lane was never published', { lane: 'v0.9' }, 'provenance-missing'],
    ['there is no such repository', { remote: '/nonexistent/repository.git' }, 'remote-not-found'],
    ['nobody listens there', { remote: 'http://127.0.0.1:1/r.git' }, 'remote-unreachable'],
    ['the remote is none', { remote: '--upload-pack=x' }, 'remote-invalid'],
    ['the branch is none', { branch: 'a:refs/heads/b' }, 'usage'],
    [
      'the lane is looked for outside of a repository',
      { repository: { directory: '/', url: '/nonexistent' } },
      'repository-missing',
    ],
  ])('is an error: %s', async (_what, options, code) => {
    expect((await failureOf(setup.verify(options))).code).toBe(code);
  });
});

describe('a required signature', () => {
  let signers: string;
  let others: string;
  beforeAll(async () => {
    const own = sshKey(join(setup.scratch, 'own'));
    signers = own.signers;
    others = sshKey(join(setup.scratch, 'other')).signers;
    await setup.publish(setup.source, { branch: 'signed', signing: { format: 'ssh', key: own.path } });
  });

  it('is satisfied by a key that may sign', async () => {
    expect(await setup.verify({ branch: 'signed', requireSignature: true, allowedSigners: signers })).toMatchObject({
      status: 'equal',
      problems: [],
    });
  });

  it.each([
    ['there is none', BRANCH, () => signers],
    ['another key signed', 'signed', () => others],
    ['nothing says who may sign', 'signed', () => undefined],
  ])('is missed when %s', async (_what, branch, allowed) => {
    const allowedSigners = allowed();
    const result = await setup.verify({
      branch,
      requireSignature: true,
      ...(allowedSigners === undefined ? {} : { allowedSigners }),
    });
    expect([result.status, ...codesOf(result)]).toEqual(['tampered', 'signature-missing']);
  });

  it('finds out who puts an unsigned publish on top of a signed one', async () => {
    const message = await setup.remote.git(['log', '-1', '--format=%B', 'signed']);
    const result = await setup.verifyEdited(
      {},
      { base: 'signed', message },
      { requireSignature: true, allowedSigners: signers },
    );
    expect(codesOf(result)).toEqual(['signature-missing']);
  });

  it('is asked of the publish only: the files are compared whoever committed last', async () => {
    const result = await setup.verifyEdited(
      { 'notes.txt': 'x\n' },
      { base: 'signed' },
      { requireSignature: true, allowedSigners: signers },
    );
    expect(result).toMatchObject({ status: 'equal', foreignFiles: ['notes.txt'] });
  });
});
