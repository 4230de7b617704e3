import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveGit } from '../../helpers/git-http-server.ts';
import { isolatedGitEnvironment } from '../../helpers/git-remote.ts';
import { laneFileOf, laneText } from '../../helpers/publish-lanes.ts';
import { codesOf, failureOf, type VerifySetup, verifySetup } from '../../helpers/verify-setup.ts';

const MANAGER = 'deploy/lane-1/runtime-v01/mgr.yaml';

let setup: VerifySetup;
beforeAll(async () => {
  setup = await verifySetup();
});
afterAll(() => setup.remove());

describe('a changed source', () => {
  let own: VerifySetup;
  beforeAll(async () => {
    own = await verifySetup();
  });
  afterAll(() => own.remove());

  it('is stale, and says from which commit to which', async () => {
    own.lanes.write(laneFileOf(1), laneText({ number: 1, content: 7 }));
    const head = own.lanes.commit();
    const result = await own.verify();
    expect([result.status, ...codesOf(result)]).toEqual(['stale', 'branch-stale']);
    expect(result.problems[0]?.message).toContain(
      `has changed since ${own.source.commit.id}: ${head} renders to sha256:`,
    );
  });

  it('is not stale for a change in the work tree that is not committed', async () => {
    own.lanes.write(laneFileOf(1), laneText({ number: 1 }));
    own.lanes.commit();
    own.lanes.write(laneFileOf(1), laneText({ number: 1, content: 8 }));
    expect((await own.verify()).status).toBe('equal');
    own.lanes.git('checkout', '--quiet', '--', '.');
  });

  it('is stale when only a comment changed? No: it renders to the same', async () => {
    own.lanes.write(laneFileOf(1), `${laneText({ number: 1 })}# a note\n`);
    own.lanes.commit();
    expect((await own.verify()).status).toBe('equal');
  });

  it('is tampered first, when the branch was edited too', async () => {
    own.lanes.write(laneFileOf(1), laneText({ number: 1, content: 9 }));
    own.lanes.commit();
    const result = await own.verifyEdited({ [MANAGER]: 'x\n' });
    expect([result.status, ...codesOf(result)]).toEqual(['tampered', `branch-edited ${MANAGER}`, 'branch-stale']);
  });

  it('is stale when the newest lane has errors', async () => {
    own.lanes.write(laneFileOf(1), `${laneText({ number: 1 })}unknown: 1\n`);
    const head = own.lanes.commit();
    const result = await own.verify();
    expect(result.status).toBe('stale');
    expect(result.problems[0]?.message).toContain(`cannot be rendered at ${head}: unknown is not known`);
  });

  it('is stale when the lane is gone from its repository', async () => {
    rmSync(join(own.lanes.dir, laneFileOf(1)));
    own.lanes.commit();
    const result = await own.verify();
    expect(result.status).toBe('stale');
    expect(result.problems[0]?.message).toContain('is gone from its repository');
  });
});

describe('the commit of the lane', () => {
  /** A clone that does not hold the commit from which the lane was published. */
  function shallowClone(): string {
    const { lanes, scratch } = setup;
    lanes.write('more.txt', `${Math.floor(performance.now())}\n`);
    lanes.write(laneFileOf(1), laneText({ number: 1 }));
    lanes.commit();
    const directory = join(scratch, `shallow-${Math.floor(performance.now())}`);
    execFileSync('git', ['clone', '--quiet', '--depth=1', `file://${lanes.dir}`, directory], {
      env: isolatedGitEnvironment(),
    });
    return directory;
  }

  it('is fetched from the repository that the caller names, and the clone is left alone', async () => {
    const directory = shallowClone();
    const before = execFileSync('git', ['rev-list', '--all', '--count'], { cwd: directory, encoding: 'utf8' });
    const result = await setup.verify({ repository: { directory, url: setup.lanes.dir } });
    expect(result.status).toBe('equal');
    expect(execFileSync('git', ['rev-list', '--all', '--count'], { cwd: directory, encoding: 'utf8' })).toBe(before);
  });

  it.each(['blob:none', 'tree:0'])('is fetched for a partial clone, made with %s', async (filter) => {
    setup.lanes.git('config', 'uploadpack.allowFilter', 'true');
    const directory = join(setup.scratch, `partial-${filter.replace(':', '-')}`);
    const origin = pathToFileURL(setup.lanes.dir).href;
    setup.lanes.git('clone', '--quiet', '--no-checkout', `--filter=${filter}`, origin, directory);
    expect((await setup.verify({ repository: { directory, url: origin } })).status).toBe('equal');
  });

  it('is fetched with the branches where a server does not give out single commits', async () => {
    const bare = join(setup.scratch, 'old-server', 'remote.git');
    execFileSync('git', ['clone', '--quiet', '--bare', setup.lanes.dir, bare], { env: isolatedGitEnvironment() });
    const server = await serveGit({ ...setup.remote, dir: bare }, { protocol2: false });
    try {
      expect((await setup.verify({ repository: { directory: shallowClone(), url: server.url } })).status).toBe('equal');
    } finally {
      await server.close();
    }
  });

  it('is never fetched from the address that stands on the branch', async () => {
    const bare = join(setup.scratch, 'trap', 'remote.git');
    execFileSync('git', ['clone', '--quiet', '--bare', setup.lanes.dir, bare], { env: isolatedGitEnvironment() });
    const trap = await serveGit({ ...setup.remote, dir: bare });
    try {
      await setup.publish({ ...setup.source, repository: trap.url }, { branch: 'trap' });
      expect((await setup.verify({ branch: 'trap' })).status).toBe('equal');
      const repository = { directory: shallowClone(), url: '/nonexistent/lanes.git' };
      const error = await failureOf(setup.verify({ branch: 'trap', repository }));
      expect(error.code).toBe('repository-missing');
      expect(trap.requests()).toBe(0);
    } finally {
      await trap.close();
    }
  });
});
