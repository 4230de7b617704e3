import { mkdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { laneOnBranch } from '../../../lib/src/gitops/lane-on-branch.ts';
import { unpublishLane } from '../../../lib/src/gitops/unpublish.ts';
import { objectsDigest } from '../../../lib/src/render/digest.ts';
import { GENERATOR_NAME, GENERATOR_VERSION } from '../../../lib/src/render/generator.gen.ts';
import { directoryBytes } from '../../helpers/directory-bytes.ts';
import { createGitRemote } from '../../helpers/git-remote.ts';
import { BRANCH, CODE_COMMIT } from '../../helpers/publish-lanes.ts';
import {
  commitRaw,
  type PublishSetup,
  publishSetup,
  refsOf,
  treeOf,
  treeOfFiles,
} from '../../helpers/publish-setup.ts';

let setup: PublishSetup;
const former = process.env['TMPDIR'];
beforeEach(async () => {
  setup = await publishSetup();
});
afterEach(async () => {
  if (former === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = former;
  await setup.remove();
});

const count = (): Promise<string> => setup.remote.git(['count-objects', '-v']);

it('the first publish to an empty remote begins a branch of its own, which holds the lane and nothing else', async () => {
  const source = await setup.commit({ number: 1 });
  const { status, commit, attempts, problems } = await setup.publish(source);
  expect([status, attempts, problems]).toEqual(['published', 1, []]);
  const { files, companions } = laneOnBranch(source);
  expect(await treeOf(setup.remote)).toEqual(
    treeOfFiles([...files, ...companions].map(({ path, content }) => [path, content])),
  );
  expect(await setup.remote.git(['rev-list', '--parents', BRANCH])).toBe(commit);
  expect((await refsOf(setup.remote)).split('\n').map((line) => line.split('\t')[1])).toEqual([
    `refs/heads/${BRANCH}`,
    'refs/notes/hydrator.metadata',
  ]);
});

it('the other branches of a remote are not touched, and a new one takes nothing from them', async () => {
  await setup.remote.commit({ 'code.ts': 'export {};\n' });
  const main = await setup.remote.git(['rev-parse', 'main']);
  await setup.publish(await setup.commit({ number: 1 }), { branch: 'deeply/nested/branch' });
  expect(await setup.remote.git(['rev-parse', 'main'])).toBe(main);
  expect((await treeOf(setup.remote, 'deeply/nested/branch')).has('code.ts')).toBe(false);
});

it('the commit says where the files come from, in exactly these words', async () => {
  const source = await setup.commit({ number: 1 });
  const { commit = '' } = await setup.publish(source);
  const raw = await setup.remote.git(['cat-file', 'commit', commit]);
  const tree = await setup.remote.git(['rev-parse', `${commit}^{tree}`]);
  const { rendered } = source;
  expect(raw).toBe(
    [
      `tree ${tree}`,
      'author AgentRun <agentrun@localhost> 1767225600 +0000',
      'committer AgentRun <agentrun@localhost> 1767225600 +0000',
      '',
      `Publish lane v0.1 from ${source.commit.id.slice(0, 12)}`,
      '',
      'Agentrun-Lane: v0.1',
      `Agentrun-Lane-Commit: ${source.commit.id}`,
      `Agentrun-Source-Commit: ${CODE_COMMIT}`,
      `Agentrun-Files-Digest: ${rendered.filesDigest}`,
      `Agentrun-Artifact-Digest: ${objectsDigest([rendered.input.artifact])}`,
      `Agentrun-Generator: ${GENERATOR_NAME}@${GENERATOR_VERSION}`,
    ].join('\n'),
  );
  expect(await setup.remote.git(['notes', '--ref=refs/notes/hydrator.metadata', 'show', commit])).toBe(
    `{"drySha":"${source.commit.id}"}`,
  );
});

it('the same publish to two remotes makes the same commits', async () => {
  const other = await createGitRemote();
  try {
    for (const source of [await setup.commit({ number: 1 }), await setup.commit({ number: 2 })]) {
      const { commit } = await setup.publish(source, { author: 'A B <a@b.example>' });
      expect((await setup.publish(source, { author: 'A B <a@b.example>', remote: other.url })).commit).toBe(commit);
    }
    expect(await refsOf(other)).toBe(await refsOf(setup.remote));
  } finally {
    await other.remove();
  }
});

it('a lane commit from before 1973 and from an odd time zone is a date like any other', async () => {
  const source = await setup.commit({ number: 1 });
  const commit = { ...source.commit, committed: '86400 +1545' };
  const { commit: made = '' } = await setup.publish({ ...source, commit });
  expect(await setup.remote.git(['log', '-1', '--date=raw', '--format=%ad %cd', made])).toBe('86400 +1545 86400 +1545');
});

it('an unchanged lane makes no commit, pushes nothing and leaves no object', async () => {
  const source = await setup.commit({ number: 1 });
  const { commit } = await setup.publish(source);
  const [refs, objects] = [await refsOf(setup.remote), await count()];
  for (let again = 0; again < 3; again += 1) {
    expect(await setup.publish(source)).toMatchObject({ status: 'unchanged', commit, attempts: 1, problems: [] });
  }
  expect(await refsOf(setup.remote)).toBe(refs);
  expect(await count()).toBe(objects);
});

it('a dry run shows what would change and pushes nothing', async () => {
  const first = await setup.commit({ number: 1 });
  const dry = await setup.publish(first, { dryRun: true });
  expect([dry.status, dry.commit, dry.before.size]).toEqual(['published', undefined, 0]);
  expect(await refsOf(setup.remote)).toBe('');
  await setup.publish(first);
  const [refs, objects] = [await refsOf(setup.remote), await count()];
  const { status, plan, before } = await setup.publish(await setup.commit({ number: 1, localPostgres: false }), {
    dryRun: true,
  });
  expect([status, plan.removals]).toEqual(['published', ['deploy/lane-1/runtime-v01/postgres.yaml']]);
  expect(before.get('deploy/lane-1/runtime-v01/postgres.yaml')).toContain('kind: StatefulSet');
  await setup.publish(await setup.commit({ number: 2 }), { dryRun: true });
  await unpublishLane(
    { lane: 'v0.1', commit: first.commit },
    { remote: setup.remote.url, branch: BRANCH, force: true, dryRun: true },
  );
  expect(await refsOf(setup.remote)).toBe(refs);
  expect(await count()).toBe(objects);
});

it.each([null, '{}\n'])('metadata of the lane that is %j on the branch is mended by the next publish', async (text) => {
  const path = 'deploy/lane-1/runtime-v01/hydrator.metadata';
  const source = await setup.commit({ number: 1 });
  await setup.publish(source);
  const tree = await treeOf(setup.remote);
  await setup.remote.commit({ [path]: text }, BRANCH);
  expect((await setup.publish(source)).status).toBe('published');
  expect(await treeOf(setup.remote)).toEqual(tree);
});

it('files of a lane that were removed on the branch are written again', async () => {
  const source = await setup.commit({ number: 1 });
  await setup.publish(source);
  const tree = await treeOf(setup.remote);
  await setup.remote.commit({ 'source.v01.json': null, '.agentrun/lanes/v0.1.json': null }, BRANCH);
  expect((await setup.publish(source)).plan.writes.map(({ path }) => path)).toContain('source.v01.json');
  expect(await treeOf(setup.remote)).toEqual(tree);
});

it('names of other files that are no text, or have quotes and line ends in them, stay as they are', async () => {
  const odd = ['"a\\"b\\\\c\\nd.txt"', '"\\377\\376.bin"', '"\\303\\244/e f"'];
  await commitRaw(
    setup.remote,
    odd.map((path) => `M 100644 inline ${path}\ndata 1\nx`),
  );
  const listing = () => setup.remote.git(['ls-tree', '-r', BRANCH, '--']);
  const before = (await listing()).split('\n');
  await setup.publish(await setup.commit({ number: 1 }));
  await setup.publish(await setup.commit({ number: 1, content: 1 }));
  const after = (await listing()).split('\n');
  expect(before).toHaveLength(odd.length);
  expect(after).toEqual(expect.arrayContaining(before));
});

it('a password in the URL of the lane repository is not published, the user of ssh is', async () => {
  const source = await setup.commit({ number: 1 });
  const urls = [
    'https://user:pa55word@git.example/lanes.git',
    'https://t0ken@git.example/lanes.git',
    'ssh://git:pa55word@git.example/lanes.git',
  ];
  for (const [at, repository] of urls.entries()) {
    await setup.publish({ ...source, repository }, { branch: `b${at}` });
    const text = await setup.remote.git(['grep', '-h', 'git.example/', `b${at}`]);
    expect(text).not.toMatch(/pa55word|t0ken|user/);
    expect(text).toContain(at === 2 ? 'ssh://git@git.example/lanes.git' : 'https://git.example/lanes.git');
  }
});

it("the caller's repository is byte for byte as before, after every end of a publish", async () => {
  const first = await setup.commit({ number: 1 });
  const second = await setup.commit({ number: 1, content: 1 });
  setup.lanes.write('lanes/untracked.yaml', 'not: committed\n');
  setup.lanes.git('status');
  const before = directoryBytes(setup.lanes.dir);
  expect((await setup.publish(second)).status).toBe('published');
  expect((await setup.publish(second)).status).toBe('unchanged');
  expect((await setup.publish(first)).status).toBe('superseded');
  expect((await setup.publish(first, { allowOlder: true })).status).toBe('published');
  const unknown = { ...first.commit, id: 'ef'.repeat(20) };
  await expect(setup.publish({ ...first, commit: unknown })).rejects.toMatchObject({ code: 'source-diverged' });
  await expect(setup.publish(first, { remote: join(setup.scratch, 'none.git') })).rejects.toMatchObject({
    code: 'remote-not-found',
  });
  expect(directoryBytes(setup.lanes.dir)).toEqual(before);
});

it('no temporary directory is left, whatever the end', async () => {
  const [first, second] = [await setup.commit({ number: 1 }), await setup.commit({ number: 1, content: 1 })];
  const temporary = join(setup.scratch, 'tmp');
  mkdirSync(temporary);
  process.env['TMPDIR'] = temporary;
  await setup.publish(second);
  await setup.publish(first);
  await expect(setup.publish(second, { remote: join(setup.scratch, 'none.git') })).rejects.toThrow();
  await setup.remote.commit({ 'source.v01.json': '{}\n' }, BRANCH);
  await expect(setup.publish(second)).rejects.toThrow();
  const signing = { format: 'ssh', key: join(setup.scratch, 'no-key') } as const;
  await expect(setup.publish(first, { allowOlder: true, force: true, signing })).rejects.toThrow();
  expect(await readdir(temporary)).toEqual([]);
});
