import { afterEach, beforeEach, expect, it } from 'vitest';
import type { AgentRunError } from '../../../lib/src/errors.ts';
import type { PublishSource } from '../../../lib/src/gitops/lane-on-branch.ts';
import type { PublishOptions } from '../../../lib/src/gitops/publish.ts';
import { unpublishLane } from '../../../lib/src/gitops/unpublish.ts';
import { BRANCH } from '../../helpers/publish-lanes.ts';
import { commitRaw, link, type PublishSetup, publishSetup, refsOf } from '../../helpers/publish-setup.ts';

let setup: PublishSetup;
beforeEach(async () => {
  setup = await publishSetup();
});
afterEach(() => setup.remove());

/** The error of a publish that must be refused, and leave every ref as it was. */
async function refusal(source: PublishSource, options: Partial<PublishOptions> = {}): Promise<AgentRunError> {
  const before = await refsOf(setup.remote);
  const error = await setup.publish(source, options).then(
    ({ status }) => expect.unreachable(`it was ${status}`),
    (caught: unknown) => caught as AgentRunError,
  );
  expect(error.name).toBe('AgentRunError');
  expect(await refsOf(setup.remote)).toBe(before);
  return error;
}
const read = (path: string): Promise<string> => setup.remote.git(['cat-file', 'blob', `${BRANCH}:${path}`]);
const commit = (files: Record<string, string | null>) => setup.remote.commit(files, BRANCH);

const MANAGER = 'deploy/lane-1/runtime-v01/mgr.yaml';
const POSTGRES = 'deploy/lane-1/runtime-v01/postgres.yaml';

it('files that somebody else wrote are refused, each by its name, unless forced', async () => {
  const source = await setup.commit({ number: 1 });
  await commit({ [MANAGER]: 'kind: Mine\n', 'source.v01.json': '{}\n', 'README.md': 'hello\n' });
  const { code, problems } = await refusal(source);
  expect(code).toBe('path-foreign');
  expect(problems.map(({ message }) => message)).toEqual([
    'source.v01.json was written by somebody else',
    `${MANAGER} was written by somebody else`,
  ]);
  expect((await setup.publish(source, { force: true })).status).toBe('published');
  expect(await read(MANAGER)).toContain('kind: Deployment');
  expect(await read('README.md')).toBe('hello');
});

it('a file of somebody else that is byte for byte the rendered one is taken over', async () => {
  const source = await setup.commit({ number: 1 });
  const manager = source.rendered.files.find(({ path }) => path === MANAGER)?.content ?? '';
  await commit({ [MANAGER]: manager });
  const { plan } = await setup.publish(source);
  expect(plan.writes.map(({ path }) => path)).not.toContain(MANAGER);
  expect(await read('.agentrun/lanes/v0.1.json')).toContain(MANAGER);
});

it('the metadata of somebody else beside the kustomization is refused, that at the root is replaced', async () => {
  const source = await setup.commit({ number: 1 });
  await commit({ 'hydrator.metadata': '{"drySha": "of another tool"}\n' });
  await commit({ 'deploy/lane-1/runtime-v01/hydrator.metadata': '{}\n' });
  expect((await refusal(source)).message).toBe(
    'deploy/lane-1/runtime-v01/hydrator.metadata was written by somebody else',
  );
  await commit({ 'deploy/lane-1/runtime-v01/hydrator.metadata': null });
  expect((await setup.publish(source)).status).toBe('published');
  expect(await read('hydrator.metadata')).toContain(source.commit.id);
});

it('a file that was edited on the branch is neither overwritten nor removed, unless forced', async () => {
  await setup.publish(await setup.commit({ number: 1 }));
  await commit({ [MANAGER]: 'edited: true\n', [POSTGRES]: 'edited: true\n' });
  const without = await setup.commit({ number: 1, localPostgres: false });
  const { code, problems } = await refusal(without);
  expect(code).toBe('path-edited');
  expect(problems.map(({ message }) => message)).toEqual(
    [MANAGER, POSTGRES].map((path) => `${path} was edited on the branch since it was published`),
  );
  expect((await setup.publish(without, { force: true })).plan.removals).toEqual([POSTGRES]);
});

it('a file whose mode was changed counts as edited', async () => {
  await setup.publish(await setup.commit({ number: 1 }));
  const id = await setup.remote.git(['rev-parse', `${BRANCH}:${MANAGER}`]);
  await commitRaw(setup.remote, [`M 100755 ${id} ${MANAGER}`]);
  expect((await refusal(await setup.commit({ number: 1 }))).code).toBe('path-edited');
});

it('a path of another lane is refused, also when forced', async () => {
  await setup.publish(await setup.commit({ number: 1 }));
  const thief = await setup.commit({ number: 2, sourceFile: 'source.v01.json' });
  for (const force of [false, true]) {
    const { code, message } = await refusal(thief, { force });
    expect([code, message]).toEqual(['path-owned-by-lane', 'source.v01.json belongs to lane v0.1']);
  }
  const neighbour = await setup.commit({ number: 2, root: 'deploy/lane-1', directory: 'runtime-v01' });
  const { problems } = await refusal(neighbour, { force: true });
  expect(problems.map(({ message }) => message)).toContain(
    'deploy/lane-1/runtime-v01/hydrator.metadata belongs to lane v0.1',
  );
});

it('a path of another lane is refused though somebody removed the file by hand', async () => {
  const owner = await setup.commit({ number: 1 });
  await setup.publish(owner);
  await commit({ 'source.v01.json': null });
  expect((await refusal(await setup.commit({ number: 2, sourceFile: 'source.v01.json' }))).code).toBe(
    'path-owned-by-lane',
  );
  expect((await setup.publish(owner)).status).toBe('published');
});

it('no lane writes where the inventories are', async () => {
  const source = await setup.commit({ number: 1 });
  const stray = { path: '.agentrun/lanes/v0.2.json', content: '{}\n', objects: [] };
  const rendered = { ...source.rendered, files: [...source.rendered.files, stray] };
  expect((await refusal({ ...source, rendered }, { force: true })).code).toBe('output-path');
});

it.each([
  ['a file that differs in case', 'deploy/lane-1/runtime-v01/MGR.yaml'],
  ['a directory that differs in case', 'Deploy/notes.txt'],
  ['a directory that differs in its Unicode form', 'deploy/lane-1/runtime-v01/\u{212a}ustomization.yaml'],
  ['a file where a directory is needed', 'deploy/lane-1'],
  ['a directory where a file is needed', 'source.v01.json/notes.txt'],
  ['a file where the inventories go', '.agentrun'],
  ['a directory where the metadata goes', 'hydrator.metadata/notes.txt'],
])('%s of somebody else is refused, also when forced', async (_, path) => {
  const source = await setup.commit({ number: 1 });
  await commit({ [path]: 'mine\n' });
  for (const force of [false, true]) expect((await refusal(source, { force })).code).toBe('path-collision');
  expect(await read(path)).toBe('mine');
});

it.each(['deploy', 'deploy/lane-1', 'deploy/lane-1/runtime-v01', '.agentrun', '.agentrun/lanes'])(
  'nothing is written through a link or a submodule at %s',
  async (path) => {
    const source = await setup.commit({ number: 1 });
    const head = await commit({ 'elsewhere/mgr.yaml': 'mine\n' });
    for (const entry of [link(path, 'elsewhere'), `M 160000 ${head} ${path}`]) {
      await commitRaw(setup.remote, [entry]);
      for (const force of [false, true]) expect((await refusal(source, { force })).code).toBe('path-collision');
    }
  },
);

it('a link in the place of a file is refused; forced, the link goes and what it led to stays', async () => {
  const source = await setup.commit({ number: 1 });
  await commit({ 'elsewhere.yaml': 'mine\n' });
  await commitRaw(setup.remote, [
    link(MANAGER, '../../../elsewhere.yaml'),
    link('hydrator.metadata', 'elsewhere.yaml'),
  ]);
  expect((await refusal(source)).problems.map(({ code, message }) => [code, message])).toEqual([
    ['path-foreign', `${MANAGER} was written by somebody else`],
    ['path-foreign', 'hydrator.metadata was written by somebody else'],
  ]);
  await setup.publish(source, { force: true });
  expect(await read('elsewhere.yaml')).toBe('mine');
  expect(await setup.remote.git(['ls-tree', BRANCH, MANAGER])).toMatch(/^100644 /);
});

it('a directory of ours that was replaced by a link is refused, also when forced', async () => {
  await setup.publish(await setup.commit({ number: 1 }));
  await commitRaw(setup.remote, ['D deploy/lane-1/runtime-v01', link('deploy/lane-1/runtime-v01', '../..')]);
  const next = await setup.commit({ number: 1, content: 1 });
  for (const force of [false, true]) expect((await refusal(next, { force })).code).toBe('path-collision');
});

it.each([
  ['is no JSON', 'lanes: []\n', 'is not JSON'],
  ['speaks of another lane', '{"formatVersion": 1, "lane": "v0.9"}\n', 'speaks of another lane'],
  ['has a newer format', '{"formatVersion": 2, "lane": "v0.1"}\n', 'has a format that this version does not know'],
])('an inventory that %s stops every lane of the branch', async (_, text, why) => {
  await setup.publish(await setup.commit({ number: 1 }));
  await commit({ '.agentrun/lanes/v0.1.json': text });
  for (const number of [1, 2]) {
    const { code, message } = await refusal(await setup.commit({ number }), { force: true });
    expect([code, message]).toEqual([
      'branch-inventory',
      `the inventory .agentrun/lanes/v0.1.json on the branch ${why}`,
    ]);
  }
});

it.each(['', '-x', 'a b', 'a..b', '*', 'a:b', 'refs/../x', 'x.lock', 'a/'])(
  'the branch name "%s" is refused before git sees it',
  async (branch) => {
    const { code, message } = await refusal(await setup.commit({ number: 1 }), { branch });
    expect([code, message]).toEqual(['usage', `"${branch}" is no name of a branch`]);
  },
);

it.each(['nobody', 'A <a@b>\nM 100644 inline x', 'A <a b>', ' <a@b'])('the author %j is refused', async (author) => {
  expect((await refusal(await setup.commit({ number: 1 }), { author })).code).toBe('usage');
});

it('the image of the example lane is refused but with the placeholder', async () => {
  const source = await setup.commit({ number: 1 });
  const { rendered } = source;
  const example = 'r/ci-tools:0.1@sha256:b066f7e9eb7bb5847831788420d804713f4af0a9c0af317fea2acf31d73520b8';
  const lane = { ...rendered.lane, ci: { ...rendered.lane.ci, toolsImage: example } };
  expect((await refusal({ ...source, rendered: { ...rendered, lane } })).code).toBe('example-image');
});

it('the last lane is removed only when forced, and the files of others stay', async () => {
  const first = await setup.commit({ number: 1 });
  await setup.publish(first);
  await setup.publish(await setup.commit({ number: 2 }));
  await commit({ 'README.md': 'hello\n', 'deploy/lane-1/runtime-v01/mine.yaml': 'mine: true\n' });
  const unpublish = (lane: string, force = false) =>
    unpublishLane({ lane, commit: first.commit }, { remote: setup.remote.url, branch: BRANCH, force });
  expect(await unpublish('v0.1')).toMatchObject({ status: 'removed', attempts: 1 });
  expect(await setup.remote.git(['ls-tree', '-r', '--name-only', BRANCH, 'deploy/lane-1'])).toBe(
    'deploy/lane-1/runtime-v01/mine.yaml',
  );
  const before = await refsOf(setup.remote);
  await expect(unpublish('v0.2')).rejects.toMatchObject({ code: 'last-lane' });
  expect(await unpublish('v0.7')).toMatchObject({ status: 'absent', plan: { writes: [], removals: [] } });
  expect(await refsOf(setup.remote)).toBe(before);
  await unpublish('v0.2', true);
  expect(await setup.remote.git(['ls-tree', '-r', '--name-only', BRANCH])).toBe(
    'README.md\ndeploy/lane-1/runtime-v01/mine.yaml\nhydrator.metadata',
  );
  expect(await setup.remote.git(['log', '-1', '--format=%B%an <%ae>', BRANCH])).toBe(
    `Remove lane v0.2\n\nAgentrun-Removed-Lane: v0.2\nAgentrun-Lane-Commit: ${first.commit.id}\nAgentRun <agentrun@localhost>`,
  );
});

it('a lane with an edited file is removed only when forced', async () => {
  const source = await setup.commit({ number: 1 });
  await setup.publish(source);
  await setup.publish(await setup.commit({ number: 2 }));
  await commit({ [MANAGER]: 'edited: true\n' });
  const before = await refsOf(setup.remote);
  const unpublish = (force: boolean) =>
    unpublishLane({ lane: 'v0.1', commit: source.commit }, { remote: setup.remote.url, branch: BRANCH, force });
  await expect(unpublish(false)).rejects.toMatchObject({ code: 'path-edited' });
  expect(await refsOf(setup.remote)).toBe(before);
  expect((await unpublish(true)).plan.removals).toContain(MANAGER);
});
