import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readLaneCommit, relationOf } from '../../../lib/src/gitops/lane-commit.ts';
import type { PublishSource } from '../../../lib/src/gitops/lane-on-branch.ts';
import { BRANCH, type LaneVariant, laneFileOf, laneText, publishSource } from '../../helpers/publish-lanes.ts';
import { type PublishSetup, publishSetup, refsOf } from '../../helpers/publish-setup.ts';

let setup: PublishSetup;
beforeEach(async () => {
  setup = await publishSetup();
});
afterEach(() => setup.remove());

const tree = (): Promise<string> => setup.remote.git(['rev-parse', `${BRANCH}^{tree}`]);
const note = (): Promise<string> => setup.remote.git(['notes', '--ref=refs/notes/hydrator.metadata', 'show', BRANCH]);

it('an older commit of the lane changes nothing, unless a rollback is asked for, which gives back the exact tree', async () => {
  const trees: string[] = [];
  const sources: PublishSource[] = [];
  const variants: Partial<LaneVariant>[] = [
    {},
    { localPostgres: false, content: 1 },
    { directory: 'moved', content: 2 },
  ];
  for (const variant of variants) {
    const source = await setup.commit({ number: 1, ...variant });
    expect((await setup.publish(source)).status).toBe('published');
    sources.push(source);
    trees.push(await tree());
  }
  const before = await refsOf(setup.remote);
  const head = await setup.remote.git(['rev-parse', BRANCH]);
  for (const source of sources.slice(0, 2)) {
    expect(await setup.publish(source)).toEqual({
      status: 'superseded',
      commit: head,
      plan: { writes: [], removals: [] },
      replaced: [],
      attempts: 1,
      before: new Map(),
      problems: [],
    });
  }
  expect(await refsOf(setup.remote)).toBe(before);
  for (const at of [0, 1, 0, 2]) {
    const [source, wanted] = [sources[at], trees[at]];
    if (source === undefined) throw new Error('there is a source for each tree');
    expect((await setup.publish(source, { allowOlder: true })).status).toBe('published');
    expect(await tree()).toBe(wanted);
    expect(await note()).toBe(`{"drySha":"${source.commit.id}"}`);
  }
});

it('a commit that is no descendant of the published one is refused, unless a rollback is asked for', async () => {
  await setup.commit({ number: 1 });
  const published = await setup.commit({ number: 1, content: 1 });
  await setup.publish(published);
  setup.lanes.git('checkout', '--quiet', '-b', 'side', 'HEAD~1');
  const side = await setup.commit({ number: 1, content: 2 });
  const before = await refsOf(setup.remote);
  await expect(setup.publish(side)).rejects.toMatchObject({
    code: 'source-diverged',
    message: `lane v0.1 was published from ${published.commit.id} of ${published.repository}, which is no ancestor of ${side.commit.id}`,
  });
  expect(await refsOf(setup.remote)).toBe(before);
  expect((await setup.publish(side, { allowOlder: true })).status).toBe('published');
});

it('a lane of the same name from another repository is refused', async () => {
  const source = await setup.commit({ number: 1 });
  await setup.publish(source);
  const stranger = {
    ...(await setup.commit({ number: 1, content: 1 })),
    repository: 'https://other.example/lanes.git',
  };
  await expect(setup.publish(stranger)).rejects.toMatchObject({
    code: 'source-diverged',
    message: expect.stringContaining('is another repository than https://other.example/lanes.git') as string,
  });
  // Another way to write the same URL is no other repository.
  const spelled = {
    ...(await setup.commit({ number: 1, content: 2 })),
    repository: 'git@git.example.internal:agentrun/agentrun',
  };
  expect((await setup.publish(spelled)).status).toBe('published');
});

it('a newer commit with the same files moves the note only, and then no commit in between is taken', async () => {
  const first = await setup.commit({ number: 1 });
  const between = await setup.commit({ number: 1, content: 1 });
  const last = await setup.commit({ number: 1 });
  const { commit } = await setup.publish(first);
  const branches = () => setup.remote.git(['for-each-ref', 'refs/heads']);
  const before = await branches();
  expect(await setup.publish(last)).toMatchObject({ status: 'unchanged', commit, plan: { writes: [], removals: [] } });
  expect(await note()).toBe(`{"drySha":"${last.commit.id}"}`);
  const refs = await refsOf(setup.remote);
  for (const late of [between, first]) expect((await setup.publish(late)).status).toBe('superseded');
  expect((await setup.publish(last)).status).toBe('unchanged');
  expect(await refsOf(setup.remote)).toBe(refs);
  expect(await branches()).toBe(before);
});

it('with several lanes on a branch, the note of another lane neither holds a lane back nor goes back', async () => {
  const older = await setup.commit({ number: 1 });
  const other = await setup.commit({ number: 2 });
  await setup.publish(older);
  const newer = await setup.commit({ number: 1, content: 1 });
  await setup.publish(other);
  await setup.publish({ ...other, commit: newer.commit });
  expect(await note()).toBe(`{"drySha":"${newer.commit.id}"}`);
  // Lane 1 was never published from the commit that the note names.
  const late = { ...older, commit: other.commit };
  expect((await setup.publish(late)).status).toBe('unchanged');
  expect(await note()).toBe(`{"drySha":"${newer.commit.id}"}`);
  expect((await setup.publish(newer)).status).toBe('published');
});

/** A clone of the lane repository, as a CI makes it; a lane at its checked-out commit. */
async function inClone(name: string, args: readonly string[], number: number, content: number): Promise<PublishSource> {
  const dir = join(setup.scratch, name);
  const origin = pathToFileURL(setup.lanes.dir).href;
  setup.lanes.git('clone', '--quiet', ...args, origin, dir);
  return { ...(await publishSource(dir, number, laneText({ number, content }))), repository: origin };
}

it.each([
  ['complete', []],
  ['shallow', ['--depth=1']],
])('in a %s clone that was made before the newer commit, a late render is superseded', async (_, args) => {
  await setup.commit({ number: 1 });
  const late = await inClone('early', args, 1, 0);
  await setup.commit({ number: 1, content: 1 });
  const early = await inClone('later', [], 1, 1);
  expect((await setup.publish(early)).status).toBe('published');
  const clone = execFileSync('git', ['rev-parse', '--git-dir'], {
    cwd: join(setup.scratch, 'early'),
    encoding: 'utf8',
  });
  expect(clone.trim()).toBe('.git');
  expect((await setup.publish(late)).status).toBe('superseded');
});

it('a shallow clone that does not reach back to the published commit is looked up at the remote', async () => {
  const origin = pathToFileURL(setup.lanes.dir).href;
  await setup.publish({ ...(await setup.commit({ number: 1 })), repository: origin });
  for (let content = 1; content < 4; content += 1) await setup.commit({ number: 1, content });
  const shallow = await inClone('shallow', ['--depth=1'], 1, 3);
  expect((await setup.publish(shallow)).status).toBe('published');
});

it('a commit that is on no branch any more is found by its id', async () => {
  const origin = pathToFileURL(setup.lanes.dir).href;
  setup.lanes.git('checkout', '--quiet', '--detach');
  const published = await setup.commit({ number: 1 });
  setup.lanes.git('checkout', '--quiet', 'main');
  const newer = await inClone('clone', [], 1, 0);
  const relation = await relationOf(newer.path, newer.commit.id, published.commit.id, origin);
  expect(relation).toBe('older');
});

it('where nobody can say which commit is newer, the lane is refused, with the way out', async () => {
  const repository = join(setup.scratch, 'nowhere.git');
  const source = { ...(await setup.commit({ number: 1 })), repository };
  await setup.publish({ ...source, commit: { ...source.commit, id: 'ab'.repeat(20) } });
  const before = await refsOf(setup.remote);
  await expect(setup.publish(source)).rejects.toMatchObject({
    code: 'source-diverged',
    message: expect.stringContaining('which is not known to come before') as string,
    hint: expect.stringContaining('git fetch --unshallow') as string,
  });
  expect(await refsOf(setup.remote)).toBe(before);
});

it('a lane file outside of any repository has no commit', async () => {
  for (const dir of [setup.scratch, join(setup.scratch, 'nowhere')]) {
    await expect(readLaneCommit(join(dir, laneFileOf(1)))).rejects.toMatchObject({ code: 'repository-missing' });
  }
});
