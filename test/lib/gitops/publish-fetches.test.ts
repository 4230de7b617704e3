import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { unpublishLane } from '../../../lib/src/gitops/unpublish.ts';
import { verifyLane } from '../../../lib/src/gitops/verify.ts';
import { type FaultyServer, faultyServer } from '../../helpers/faulty-git-server.ts';
import { type GitHttpOptions, serveGit } from '../../helpers/git-http-server.ts';
import { BRANCH, REPOSITORY_URL, versionOf } from '../../helpers/publish-lanes.ts';
import { type PublishSetup, publishSetup } from '../../helpers/publish-setup.ts';

const FETCH = 'POST /git-upload-pack';
const PUSH = 'POST /git-receive-pack';

let setup: PublishSetup;
let closing: (() => unknown)[];
beforeEach(async () => {
  setup = await publishSetup();
  closing = [() => setup.remove()];
  await setup.remote.git(['config', 'http.receivepack', 'true']);
});
afterEach(async () => {
  for (const close of closing.reverse()) await close();
});

/** A server that counts what it is asked, and does something else before one of the requests. */
async function counting(
  options: GitHttpOptions = {},
  faultOf: Parameters<typeof faultyServer>[1] = () => undefined,
): Promise<FaultyServer> {
  const behind = await serveGit(setup.remote, options);
  const server = await faultyServer(behind.url, faultOf);
  closing.push(
    () => behind.close(),
    () => server.close(),
  );
  return server;
}

/** What some work asks a server. */
async function asked(server: FaultyServer, work: () => Promise<unknown>): Promise<string[]> {
  const before = server.requests.length;
  await work();
  return server.requests.slice(before);
}

const count = (requests: readonly string[], one: string): number =>
  requests.filter((request) => request === one).length;

describe('what a publish asks a server', () => {
  it('is the branch, what is overwritten, and one push of branch and note together', async () => {
    const server = await counting();
    for (const number of [1, 2, 3]) await setup.publish(await setup.commit({ number }));
    const source = await setup.commit({ number: 1, content: 1 });
    const requests = await asked(server, () => setup.publish(source, { remote: server.url }));
    // A fetch of refs lists them first; one of contents does not.
    expect([count(requests, FETCH), count(requests, PUSH)]).toEqual([3, 1]);
    const head = await setup.remote.git(['rev-parse', BRANCH]);
    const note = await setup.remote.git(['notes', '--ref=hydrator.metadata', 'show', head]);
    expect(JSON.parse(note)).toEqual({ drySha: source.commit.id });
  });

  it('is the branch only, when it is as it shall be', async () => {
    const server = await counting();
    const source = await setup.commit({ number: 1 });
    await setup.publish(source);
    const requests = await asked(server, () => setup.publish(source, { remote: server.url }));
    expect([count(requests, FETCH), count(requests, PUSH)]).toEqual([2, 0]);
  });

  it('is as little as its lane, whatever else the branch holds', async () => {
    const server = await counting();
    await setup.publish(await setup.commit({ number: 1 }));
    // Nobody who needs this file could be served.
    const id = await setup.remote.git(['hash-object', '-w', '--stdin'], 'x'.repeat(1000));
    const tree = await setup.remote.git(['ls-tree', BRANCH]);
    const more = await setup.remote.git(['mktree'], `${tree}\n100644 blob ${id}\tlarge.bin\n`);
    const commit = await setup.remote.git(['commit-tree', more, '-p', BRANCH, '-m', 'more']);
    await setup.remote.git(['update-ref', `refs/heads/${BRANCH}`, commit]);
    await setup.remote.removeObject(id);
    const { status } = await setup.publish(await setup.commit({ number: 1, content: 1 }), { remote: server.url });
    expect(status).toBe('published');
  });
});

const IGNORED = { 'uploadpack.allowFilter': 'false' };
const REFUSED = { 'uploadpackfilter.allow': 'false' };

describe.each([
  ['knows no filters', IGNORED, true],
  ['filters, but hands out no single contents', {}, false],
  ['knows neither', IGNORED, false],
  ['refuses all filters', REFUSED, true],
  ['refuses to leave out trees', { ...REFUSED, 'uploadpackfilter.blob:none.allow': 'true' }, true],
])('a server that %s', (_, config, protocol2) => {
  it('is served by publish, verify and unpublish all the same', async () => {
    for (const [name, value] of Object.entries(config)) await setup.remote.git(['config', name, value]);
    const server = await counting({ protocol2 });
    const to = { remote: server.url };
    for (const number of [1, 2]) await setup.publish(await setup.commit({ number }), to);
    const source = await setup.commit({ number: 1, content: 1 });
    expect((await setup.publish(source, to)).status).toBe('published');
    expect((await setup.publish(source, to)).status).toBe('unchanged');
    const verified = await verifyLane({
      ...to,
      branch: BRANCH,
      lane: versionOf(1),
      repository: { directory: setup.lanes.dir, url: REPOSITORY_URL },
    });
    expect([verified.status, verified.foreignFiles]).toEqual(['equal', []]);
    const removal = { lane: versionOf(2), commit: source.commit };
    expect((await unpublishLane(removal, { ...to, branch: BRANCH })).status).toBe('removed');
    expect(await setup.remote.git(['ls-tree', '-r', '--name-only', BRANCH, '.agentrun'])).toBe(
      '.agentrun/lanes/v0.1.json',
    );
  });
});

describe('a first publish', () => {
  it.each([2, 3, 4, 5, 6, 7])('lands though the branch moves before the request %i for it', async (at) => {
    await setup.publish(await setup.commit({ number: 1 }));
    const source = await setup.commit({ number: 2 });
    let foreign = '';
    const server = await counting({}, (one, nth) => {
      if (one !== FETCH || nth !== at) return undefined;
      return { before: async () => (foreign = await setup.remote.commit({ 'README.md': 'hello\n' }, BRANCH)) };
    });
    const { status, commit } = await setup.publish(source, { remote: server.url });
    expect([status, commit]).toEqual(['published', await setup.remote.git(['rev-parse', BRANCH])]);
    if (foreign !== '') expect(await setup.remote.git(['merge-base', BRANCH, foreign])).toBe(foreign);
  });

  it('lands though the branch goes back before the push', async () => {
    await setup.publish(await setup.commit({ number: 1 }));
    const former = await setup.remote.git(['rev-parse', BRANCH]);
    await setup.remote.commit({ 'README.md': 'hello\n' }, BRANCH);
    const server = await counting({}, (one, nth) =>
      one === PUSH && nth === 1
        ? { before: () => setup.remote.git(['update-ref', `refs/heads/${BRANCH}`, former]) }
        : undefined,
    );
    const { status, attempts } = await setup.publish(await setup.commit({ number: 2 }), { remote: server.url });
    expect([status, attempts]).toEqual(['published', 2]);
    expect(await setup.remote.git(['rev-parse', `${BRANCH}^`])).toBe(former);
  });
});

it('a server that takes one ref at a time gets the branch, and then the note', async () => {
  await setup.remote.git(['config', 'receive.advertiseAtomic', 'false']);
  const server = await counting();
  const source = await setup.commit({ number: 1 });
  const { status, attempts, problems } = await setup.publish(source, { remote: server.url });
  expect([status, attempts, problems]).toEqual(['published', 1, []]);
  expect(count(server.requests, PUSH)).toBe(2);
  expect(await setup.remote.git(['notes', '--ref=hydrator.metadata', 'list'])).toContain(
    await setup.remote.git(['rev-parse', BRANCH]),
  );
});

it('notes that somebody else moves meanwhile do not keep the branch waiting', async () => {
  const server = await counting();
  const [first, second] = [await setup.commit({ number: 1 }), await setup.commit({ number: 2 })];
  const results = await Promise.all([
    setup.publish(first, { remote: server.url, branch: 'one' }),
    setup.publish(second, { remote: server.url, branch: 'two' }),
  ]);
  expect(results.map(({ status, problems }) => [status, problems])).toEqual([
    ['published', []],
    ['published', []],
  ]);
  const notes = await setup.remote.git(['notes', '--ref=hydrator.metadata', 'list']);
  for (const branch of ['one', 'two']) expect(notes).toContain(await setup.remote.git(['rev-parse', branch]));
});
