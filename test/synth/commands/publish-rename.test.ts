import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type CommandSetup, commandSetup, IMAGE } from '../../helpers/command-setup.ts';
import { BRANCH, type LaneVariant, laneFileOf } from '../../helpers/publish-lanes.ts';

let setup: CommandSetup;
beforeEach(async () => {
  setup = await commandSetup();
});
afterEach(() => setup.remove());

const SHARED: Partial<LaneVariant> = { root: 'deploy/one', directory: 'runtime', sourceFile: 'source.json' };
const PRUNE = ['publish', '--all', '--prune', ...IMAGE];

/** Renames lanes in one commit of the lane repository. */
function rename(from: readonly number[], to: readonly LaneVariant[]): void {
  for (const number of from) rmSync(join(setup.lanes.dir, laneFileOf(number)));
  setup.commit(...to);
}

/** Statuses of a command with what went wrong. */
async function outcome(...args: readonly string[]): Promise<unknown[]> {
  const [command = '', ...rest] = args;
  const { code, lanes, problems } = await setup.json(command, ...rest);
  const told = lanes.map(({ lane, status }: { lane: string; status: string }) => `${lane} ${status}`);
  return [code, ...told, ...problems.map((problem: { code: string }) => problem.code)];
}

const count = async () => Number(await setup.remote.git(['rev-list', '--count', BRANCH]));
const inventories = async () =>
  (await setup.files(BRANCH)).flatMap((path) => /^\.agentrun\/lanes\/(.*)\.json$/.exec(path)?.[1] ?? []);
const verified = (lane: string) => setup.json('verify', lane, '--remote', setup.remote.url, '--branch', BRANCH);

for (const [where, variant] of [
  ['that keeps its paths', SHARED],
  ['with paths of its own', {}],
] as const) {
  it(`renames a lane ${where} in one commit`, async () => {
    setup.commit({ number: 1, ...variant });
    await setup.json('publish', '--all', ...IMAGE);
    rename([1], [{ number: 2, ...variant }]);
    const dry = await setup.json('publish', ...PRUNE.slice(1), '--dry-run');
    expect(dry.lanes.map(({ status }: { status: string }) => status)).toEqual(['would-publish', 'would-remove']);
    expect([await count(), await inventories()]).toEqual([1, ['v0.1']]);
    expect(await outcome(...PRUNE)).toEqual([0, 'v0.2 published', 'v0.1 removed']);
    expect([await count(), await inventories()]).toEqual([2, ['v0.2']]);
    const paths = await setup.files(BRANCH);
    expect(paths.filter((path) => /v01|v0\.1|lane-1/.test(path))).toEqual([]);
    expect((await verified('v0.2')).lanes).toMatchObject([{ lane: 'v0.2', status: 'equal' }]);
    expect((await verified('v0.1')).problems).toMatchObject([{ code: 'lane-not-published' }]);
    expect(await outcome(...PRUNE)).toEqual([0, 'v0.2 unchanged']);
  });
}

it('gives each of two renamed lanes the place whose paths it wants', async () => {
  const [one, two] = [SHARED, { ...SHARED, root: 'deploy/two', sourceFile: 'source.two.json' }];
  setup.commit({ number: 1, ...one }, { number: 2, ...two });
  await setup.json('publish', '--all', ...IMAGE);
  rename(
    [1, 2],
    [
      { number: 3, ...two },
      { number: 4, ...one },
    ],
  );
  expect(await outcome(...PRUNE)).toEqual([0, 'v0.3 published', 'v0.2 removed', 'v0.4 published', 'v0.1 removed']);
  expect([await count(), await inventories()]).toEqual([4, ['v0.3', 'v0.4']]);
});

it('does not take the place of a lane with an edited file', async () => {
  setup.commit({ number: 1, ...SHARED });
  await setup.json('publish', '--all', ...IMAGE);
  await setup.remote.commit({ 'source.json': '{}\n' }, BRANCH);
  rename([1], [{ number: 2, ...SHARED }]);
  expect(await outcome(...PRUNE)).toEqual([1, 'v0.2 refused', 'path-edited']);
  expect(await inventories()).toEqual(['v0.1']);
});

it('leaves a lane that a newer commit added as it is', async () => {
  setup.commit({ number: 1 });
  const older = setup.lanes.git('rev-parse', 'HEAD');
  setup.commit({ number: 2 });
  await setup.json('publish', '--all', ...IMAGE);
  setup.lanes.git('checkout', '--quiet', older);
  expect(await outcome(...PRUNE)).toEqual([0, 'v0.1 superseded', 'v0.2 superseded']);
  expect(await inventories()).toEqual(['v0.1', 'v0.2']);
  expect(await outcome(...PRUNE, '--allow-older')).toEqual([0, 'v0.1 published', 'v0.2 removed']);
});
