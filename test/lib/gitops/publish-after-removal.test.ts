import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { unpublishLane } from '../../../lib/src/gitops/unpublish.ts';
import { faultyServer } from '../../helpers/faulty-git-server.ts';
import { serveGit } from '../../helpers/git-http-server.ts';
import { isolatedGitEnvironment } from '../../helpers/git-remote.ts';
import { BRANCH, laneText, publishSource } from '../../helpers/publish-lanes.ts';
import { type PublishSetup, publishSetup, refsOf } from '../../helpers/publish-setup.ts';

let setup: PublishSetup;
beforeEach(async () => {
  setup = await publishSetup();
});
afterEach(() => setup.remove());

const remove = async (lane: string, commit: Awaited<ReturnType<PublishSetup['commit']>>['commit']) =>
  unpublishLane({ lane, commit }, { remote: setup.remote.url, branch: BRANCH, force: true });

/** A lane that a newer commit removed: the commits before and after, and the one of the removal. */
async function removed() {
  const [before, other] = [await setup.commit({ number: 1 }), await setup.commit({ number: 2 })];
  await setup.publish(before);
  await setup.publish(other);
  const at = await setup.commit({ number: 1, content: 1 });
  expect((await remove('v0.1', at.commit)).status).toBe('removed');
  return { before, at, after: await setup.commit({ number: 1, content: 2 }) };
}

describe('a lane that a newer commit removed', () => {
  it('is not brought back by an older one that comes late, unless a rollback is asked for', async () => {
    const { before } = await removed();
    const refs = await refsOf(setup.remote);
    expect(await setup.publish(before)).toMatchObject({ status: 'superseded', plan: { writes: [], removals: [] } });
    expect(await refsOf(setup.remote)).toBe(refs);
    expect((await setup.publish(before, { allowOlder: true })).status).toBe('published');
  });

  it('is published by that commit and by later ones', async () => {
    const { at, after } = await removed();
    expect((await setup.publish(at)).status).toBe('published');
    await remove('v0.1', at.commit);
    expect((await setup.publish(after)).status).toBe('published');
  });

  it('stays away when that happens between two tries', async () => {
    await setup.publish(await setup.commit({ number: 1 }));
    const [late, newer] = [await setup.commit({ number: 2 }), await setup.commit({ number: 2, content: 1 })];
    await setup.remote.git(['config', 'http.receivepack', 'true']);
    const behind = await serveGit(setup.remote);
    const comeAndGo = async () => {
      await setup.publish(newer);
      await remove('v0.2', newer.commit);
    };
    const server = await faultyServer(behind.url, (one, nth) =>
      one === 'POST /git-receive-pack' && nth === 1 ? { before: comeAndGo } : undefined,
    );
    try {
      expect(await setup.publish(late, { remote: server.url })).toMatchObject({ status: 'superseded', attempts: 2 });
    } finally {
      await server.close();
      await behind.close();
    }
  });

  it('stays away when others published since', async () => {
    const { before } = await removed();
    await setup.publish(await setup.commit({ number: 3 }));
    await setup.publish(await setup.commit({ number: 2, content: 3 }));
    expect((await setup.publish(before)).status).toBe('superseded');
  });

  it('stays away though it was the only one', async () => {
    const before = await setup.commit({ number: 1 });
    await setup.publish(before);
    await remove('v0.1', (await setup.commit({ number: 1, content: 1 })).commit);
    expect((await setup.publish(before)).status).toBe('superseded');
  });

  it('stays away when it was renamed', async () => {
    const before = await setup.commit({ number: 1 });
    await setup.publish(before);
    const renamed = await setup.commit({ number: 2, root: 'deploy/lane-1' });
    expect(await setup.publish(renamed, { replaces: ['v0.1'] })).toMatchObject({ replaced: ['v0.1'] });
    expect((await setup.publish(before)).status).toBe('superseded');
  });

  it.each([
    ['whole', []],
    ['partial', ['--filter=blob:none']],
  ])('stays away for a %s clone that was made before, and asks the repository of the lanes', async (_, filter) => {
    setup.lanes.git('config', 'uploadpack.allowFilter', 'true');
    const clone = join(setup.scratch, 'clone');
    const before = await setup.commit({ number: 1 });
    await setup.publish(before);
    const env = isolatedGitEnvironment();
    execFileSync('git', ['clone', '--quiet', ...filter, pathToFileURL(setup.lanes.dir).href, clone], { env });
    await remove('v0.1', (await setup.commit({ number: 1, content: 1 })).commit);
    const repository = pathToFileURL(setup.lanes.dir).href;
    const late = await publishSource(clone, 1, laneText({ number: 1 }), before.commit.id);
    expect((await setup.publish({ ...late, repository })).status).toBe('superseded');
  });
});

describe('a lane that is not on the branch any more', () => {
  it('is published when nobody says which commit removed it', async () => {
    const { before } = await removed();
    const message = 'Remove lane v0.1\n\nAgentrun-Removed-Lane: v0.1\n';
    const tree = await setup.remote.git(['rev-parse', `${BRANCH}^{tree}`]);
    const commit = await setup.remote.git(['commit-tree', tree, '-p', `${BRANCH}~1`, '-m', message]);
    await setup.remote.git(['update-ref', `refs/heads/${BRANCH}`, commit]);
    expect((await setup.publish(before)).status).toBe('published');
  });

  it('is published when the commit that removed it is of another history', async () => {
    const before = await setup.commit({ number: 1 });
    await setup.publish(before);
    await remove('v0.1', { ...before.commit, id: 'ab'.repeat(20) });
    expect((await setup.publish(before)).status).toBe('published');
  });

  it('is published when its files were removed by hand', async () => {
    const before = await setup.commit({ number: 1 });
    await setup.publish(before);
    const paths = (await setup.remote.git(['ls-tree', '-r', '--name-only', BRANCH])).split('\n');
    await setup.remote.commit(Object.fromEntries(paths.map((path) => [path, null])), BRANCH);
    expect((await setup.publish(before)).status).toBe('published');
  });
});
