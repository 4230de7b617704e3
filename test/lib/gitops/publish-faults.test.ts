import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { AgentRunError, ErrorCode } from '../../../lib/src/errors.ts';
import type { PublishSource } from '../../../lib/src/gitops/lane-on-branch.ts';
import type { PublishOptions } from '../../../lib/src/gitops/publish.ts';
import { unpublishLane } from '../../../lib/src/gitops/unpublish.ts';
import { closedPort, type Fault, type FaultyServer, faultyServer } from '../../helpers/faulty-git-server.ts';
import { type GitHttpServer, serveGit } from '../../helpers/git-http-server.ts';
import { BRANCH } from '../../helpers/publish-lanes.ts';
import { type PublishSetup, publishSetup, refsOf } from '../../helpers/publish-setup.ts';

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

/** The error of a publish that must fail, and leave every ref as it was. */
async function failure(source: PublishSource, options: Partial<PublishOptions> = {}): Promise<AgentRunError> {
  const before = await refsOf(setup.remote);
  const error = await setup.publish(source, options).then(
    ({ status }) => expect.unreachable(`it was ${status}`),
    (caught: unknown) => caught as AgentRunError,
  );
  expect(error.name).toBe('AgentRunError');
  expect(await refsOf(setup.remote)).toBe(before);
  return error;
}

/** Two commits of one lane, the first of them published: the branch is there. */
async function published(): Promise<PublishSource> {
  await setup.publish(await setup.commit({ number: 1 }));
  return setup.commit({ number: 1, content: 1 });
}

async function faulty(faultOf: (request: string, nth: number) => Fault | undefined): Promise<FaultyServer> {
  const behind: GitHttpServer = await serveGit(setup.remote);
  const server = await faultyServer(behind.url, faultOf);
  closing.push(
    () => behind.close(),
    () => server.close(),
  );
  return server;
}
const PUSH = 'POST /git-receive-pack';

function hook(name: string, ...lines: string[]): void {
  mkdirSync(join(setup.remote.dir, 'hooks'), { recursive: true });
  writeFileSync(join(setup.remote.dir, 'hooks', name), `${['#!/bin/sh', ...lines].join('\n')}\n`);
  chmodSync(join(setup.remote.dir, 'hooks', name), 0o755);
}

it('a port at which nobody listens is remote-unreachable', async () => {
  const remote = `http://127.0.0.1:${await closedPort()}/lanes.git`;
  const { code, message, hint } = await failure(await setup.commit({ number: 1 }), { remote });
  expect([code, hint]).toEqual([
    'remote-unreachable',
    'Look at the address, the network and the host key; nothing was pushed.',
  ]);
  expect(message).toMatch(
    new RegExp(`^${remote}: the server cannot be reached, or went away: fatal: .*Failed to connect`),
  );
});

it.each<[string, number, ErrorCode]>([
  ['POST /git-upload-pack', 500, 'remote-unreachable'],
  ['GET /info/refs?service=git-upload-pack', 401, 'remote-auth'],
  ['GET /info/refs?service=git-upload-pack', 403, 'remote-auth'],
  ['GET /info/refs?service=git-upload-pack', 404, 'remote-not-found'],
  ['GET /info/refs?service=git-upload-pack', 407, 'remote-auth'],
  ['GET /info/refs?service=git-upload-pack', 502, 'remote-unreachable'],
  ['GET /info/refs?service=git-receive-pack', 401, 'remote-auth'],
  ['GET /info/refs?service=git-receive-pack', 403, 'remote-auth'],
  [PUSH, 403, 'remote-auth'],
  [PUSH, 500, 'remote-unreachable'],
  [PUSH, 503, 'remote-unreachable'],
])('a server that answers %s with %i fails at once as %s', async (request, status, code) => {
  const source = await published();
  const server = await faulty((one) => (one === request ? { status } : undefined));
  expect((await failure(source, { remote: server.url })).code).toBe(code);
  expect(server.requests.filter((one) => one === PUSH).length).toBeLessThanOrEqual(1);
});

it('a connection that is cut before the server has the commit is remote-unreachable, and the branch was read again', async () => {
  const source = await published();
  const server = await faulty((one) => (one === PUSH ? 'cut' : undefined));
  const { code, hint } = await failure(source, { remote: server.url });
  expect([code, hint]).toEqual([
    'remote-unreachable',
    `refs/heads/${BRANCH} was as before when it was read again: publish again.`,
  ]);
});

it('a push that arrived though its answer was lost counts as published, over http', async () => {
  const source = await published();
  const server = await faulty((one, nth) => (one === PUSH && nth === 1 ? 'lose-answer' : undefined));
  const { status, commit, problems } = await setup.publish(source, { remote: server.url });
  expect([status, commit, problems]).toEqual(['published', await setup.remote.git(['rev-parse', BRANCH]), []]);
  expect(await setup.remote.git(['log', '-1', '--format=%B', BRANCH])).toContain(source.commit.id);
  // git itself asked again, so that the last answer was a refusal.
  expect(server.requests.filter((one) => one === PUSH).length).toBeGreaterThanOrEqual(2);
});

it.each([
  ['is refused', {}],
  ['fails', { status: 500 }],
])('the same when another publisher comes before git asks again, and that %s', async (_, end) => {
  const source = await published();
  const other = await setup.commit({ number: 2 });
  const server = await faulty((one, nth) => {
    if (one !== PUSH || nth > 2) return undefined;
    return nth === 1 ? 'lose-answer' : { ...end, before: () => setup.publish(other) };
  });
  const { status, commit } = await setup.publish(source, { remote: server.url });
  expect([status, commit]).toEqual(['published', await setup.remote.git(['rev-parse', `${BRANCH}^`])]);
});

it('when neither the answer nor the branch can be had, the error says that nobody knows', async () => {
  const source = await published();
  let isLost = false;
  const server = await faulty((one) => {
    if (one === PUSH) isLost = true;
    return one === PUSH ? 'lose-answer' : isLost ? { status: 502 } : undefined;
  });
  await expect(setup.publish(source, { remote: server.url })).rejects.toMatchObject({
    code: 'remote-unreachable',
    hint: 'Nobody knows whether the push arrived: publish again, which does nothing if it did.',
  });
  expect((await setup.publish(source)).status).toBe('unchanged');
});

it('a receive-pack that is killed before it moved the branch fails, and a killed one that moved it does not', async () => {
  const source = await published();
  hook('pre-receive', 'kill -9 $PPID');
  expect((await failure(source)).code).toBe('remote-unreachable');
  hook('pre-receive', 'exit 0');
  hook('reference-transaction', '[ "$1" = committed ] && grep -q refs/heads/ && kill -9 $PPID', 'exit 0');
  const { status, commit } = await setup.publish(source);
  expect([status, commit]).toEqual(['published', await setup.remote.git(['rev-parse', BRANCH])]);
});

/** A hook by which another publisher puts a commit on top, once, and then the connection is killed. */
const onTop = (ref: string): string[] => [
  '[ "$1" = committed ] && grep -q refs/heads/ && [ ! -e once ] || exit 0',
  'touch once',
  'unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES',
  'export GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x@y GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x@y',
  `git update-ref ${ref} $(git commit-tree -p ${ref} -m more ${ref}^{tree})`,
  'kill -9 $PPID',
];

it('a lost answer is seen through, also when another commit is on top by then', async () => {
  const source = await published();
  hook('reference-transaction', ...onTop(`refs/heads/${BRANCH}`));
  const { status, commit } = await setup.publish(source);
  expect(status).toBe('published');
  expect(await setup.remote.git(['rev-parse', `${BRANCH}^`])).toBe(commit);
  expect(await setup.remote.git(['notes', '--ref=refs/notes/hydrator.metadata', 'show', commit ?? ''])).toContain(
    source.commit.id,
  );
});

it('the same for a removal', async () => {
  const source = await published();
  await setup.publish(await setup.commit({ number: 2 }));
  hook('reference-transaction', ...onTop(`refs/heads/${BRANCH}`));
  const { status, commit } = await unpublishLane(
    { lane: 'v0.1', commit: source.commit },
    { remote: setup.remote.url, branch: BRANCH },
  );
  expect([status, commit]).toEqual(['removed', await setup.remote.git(['rev-parse', `${BRANCH}^`])]);
});

it.each([
  ['pre-receive', 'GitLab: You are not allowed to push code to protected branches on this project.'],
  ['pre-receive', 'no words that are known'],
  ['update', 'refused'],
])('a %s hook that declines is branch-protected at once', async (name, words) => {
  const source = await published();
  hook(name, 'echo called >> hook-calls', `echo '${words}' >&2`, 'exit 1');
  const { code, message } = await failure(source);
  expect(code).toBe('branch-protected');
  expect(message).toContain(words);
  // Once for branch and note together, and once for the branch alone.
  expect(execFileSync('cat', [join(setup.remote.dir, 'hook-calls')], { encoding: 'utf8' })).toBe('called\ncalled\n');
});

it('a server that takes no rewritten history takes publishes', async () => {
  await setup.remote.git(['config', 'receive.denyNonFastForwards', 'true']);
  await setup.remote.git(['config', 'receive.denyDeletes', 'true']);
  await setup.remote.git(['config', 'transfer.fsckObjects', 'true']);
  expect((await setup.publish(await published())).status).toBe('published');
});

it('a server that takes no notes is a warning', async () => {
  const source = await published();
  hook('update', 'case "$1" in refs/notes/*) exit 1;; esac');
  const { status, problems } = await setup.publish(source);
  expect(status).toBe('published');
  expect(problems).toMatchObject([{ code: 'note-not-pushed', severity: 'warning' }]);
});

it('a refusal in unknown words counts as a race when the branch has moved since', async () => {
  const source = await published();
  const other = await setup.commit({ number: 2 });
  const server = await faulty((one, nth) =>
    one === PUSH && nth === 1 ? { status: 500, before: () => setup.publish(other) } : undefined,
  );
  expect(await setup.publish(source, { remote: server.url })).toMatchObject({ status: 'published', attempts: 2 });
  expect(await setup.remote.git(['rev-list', '--count', BRANCH])).toBe('3');
});

it('a file of somebody else that comes in between is seen', async () => {
  const source = await setup.commit({ number: 1 });
  await setup.publish(await setup.commit({ number: 2 }));
  const foreign = () => setup.remote.commit({ 'source.v01.json': 'mine\n' }, BRANCH);
  const server = await faulty((one, nth) => (one === PUSH && nth === 1 ? { status: 500, before: foreign } : undefined));
  await expect(setup.publish(source, { remote: server.url })).rejects.toMatchObject({ code: 'path-foreign' });
  expect(await setup.remote.git(['cat-file', 'blob', `${BRANCH}:source.v01.json`])).toBe('mine');
});

it('a branch that stays locked ends with push-timeout, in the words of the server', async () => {
  const source = await published();
  const lock = join(setup.remote.dir, 'refs/heads', `${BRANCH}.lock`);
  writeFileSync(lock, '');
  const { code, message } = await failure(source, { deadlineMs: 700 });
  expect(code).toBe('push-timeout');
  expect(message).toMatch(/^refs\/heads\/gitops\/all could not be had within 1 s, in \d+ tries: .*lock/);
});

it('a server that refuses the note with the branch gets the branch alone', async () => {
  const source = await published();
  hook('pre-receive', 'while read before after ref; do case $ref in refs/notes/*) exit 1;; esac; done');
  const { status, problems } = await setup.publish(source);
  expect([status, problems.map(({ code }) => code)]).toEqual(['published', ['note-not-pushed']]);
});

it.each([
  ['a folder of others', 'refs/notes/hydrator.metadata/x', 'HEAD'],
  ['no commit', 'refs/notes/hydrator.metadata', 'blob'],
])('notes that are %s do not hold up the branch', async (_, ref, what) => {
  const source = await published();
  await setup.remote.git(['update-ref', '-d', 'refs/notes/hydrator.metadata']);
  const id = what === 'blob' ? await setup.remote.git(['hash-object', '-w', '--stdin'], 'x') : BRANCH;
  await setup.remote.git(['update-ref', ref, id]);
  const { status, problems } = await setup.publish(source, { deadlineMs: 500 });
  expect([status, problems.map(({ code }) => code)]).toEqual(['published', ['note-not-pushed']]);
});

it('a remote that is no repository is remote-not-found', async () => {
  const source = await setup.commit({ number: 1 });
  for (const remote of [join(setup.scratch, 'none.git'), setup.scratch, `file://${setup.scratch}/none`]) {
    expect((await failure(source, { remote })).code).toBe('remote-not-found');
  }
});

it('without git, or without a place for the work, the error says so', async () => {
  const source = await setup.commit({ number: 1 });
  const { code, message } = await failure(source, { environment: { PATH: join(setup.scratch, 'bin') } });
  expect([code, message]).toEqual(['git-failed', `${setup.remote.url}: git failed: the program git cannot be started`]);
  const former = process.env['TMPDIR'];
  process.env['TMPDIR'] = join(setup.scratch, 'gone');
  try {
    expect((await failure(source)).code).toBe('git-failed');
  } finally {
    if (former === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = former;
  }
});

it.each([
  ['at the beginning', '20k', 0],
  ['while the branch is fetched', '800k', 4_000_000],
])('a full temporary disk %s is said, and nothing is pushed or left', async (_, size, bytes) => {
  const source = await published();
  // Such a server sends everything.
  await setup.remote.git(['config', 'uploadpack.allowFilter', 'false']);
  await setup.remote.commit({ 'noise.txt': randomBytes(bytes).toString('base64') }, BRANCH);
  const small = join(setup.scratch, 'small');
  mkdirSync(small);
  const mounted =
    process.getuid?.() === 0 && spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', small]).status === 0;
  if (!mounted) {
    process.stdout.write('skipped: a small tmpfs cannot be mounted here\n');
    return;
  }
  closing.push(() => execFileSync('umount', [small]));
  const former = process.env['TMPDIR'];
  process.env['TMPDIR'] = small;
  try {
    const { code, message } = await failure(source);
    expect(code).toBe('git-failed');
    expect(message).toMatch(/no space left on device/i);
    expect(readdirSync(small)).toEqual([]);
  } finally {
    if (former === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = former;
  }
});
