import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AgentRunError } from '../../../lib/src/errors.ts';
import type { BranchSnapshot } from '../../../lib/src/gitops/branch-snapshot.ts';
import { blobId } from '../../../lib/src/gitops/branch-tree.ts';
import { laneOfInventory, parseInventory, sha256 } from '../../../lib/src/gitops/inventory.ts';
import { laneOnBranch, type PublishSource, planPublish } from '../../../lib/src/gitops/lane-on-branch.ts';
import { type BranchPlan, planLane } from '../../../lib/src/gitops/publish-plan.ts';
import { unpublishLane } from '../../../lib/src/gitops/unpublish.ts';
import {
  BRANCH,
  type LaneVariant,
  laneFileOf,
  laneText,
  REPOSITORY_URL,
  rendered,
  versionOf,
} from '../../helpers/publish-lanes.ts';
import { type PublishSetup, publishSetup, treeOf, treeOfFiles } from '../../helpers/publish-setup.ts';

type Step =
  | { readonly kind: 'publish'; readonly variant: LaneVariant }
  | { readonly kind: 'unpublish'; readonly number: number }
  | { readonly kind: 'foreign'; readonly path: string; readonly content: string | null };

/** What the branch is said to hold: lanes as they were written last, files of others, metadata of the last commit. */
interface Model {
  readonly lanes: Map<number, ReadonlyMap<string, string>>;
  readonly foreign: Map<string, string>;
  root?: string;
}

const ROOT = 'hydrator.metadata';
const LANES = [1, 2, 3] as const;
// Beside the lanes' files, among them, and where a lane may want to write later.
const FOREIGN = [
  'README.md',
  'docs/a/b.md',
  'deploy/notes.txt',
  'deploy/lane-1/runtime-v01/extra.yaml',
  'deploy/lane-2/argocd/other.yaml',
  '.agentrun/notes.txt',
  'source.other-1.json',
  'deploy/lane-2/argocd/app.yaml',
  'deploy/lane-3/moved/hydrator.metadata',
];

const variant: fc.Arbitrary<LaneVariant> = fc
  .record({
    number: fc.constantFrom(...LANES),
    content: fc.integer({ min: 0, max: 2 }),
    localPostgres: fc.boolean(),
    directory: fc.constantFrom(undefined, 'moved'),
    applicationFile: fc.constantFrom(undefined, 'app.yaml'),
    other: fc.boolean(),
  })
  .map(({ number, content, localPostgres, directory, applicationFile, other }) => ({
    number,
    content,
    localPostgres,
    ...(directory === undefined ? {} : { directory }),
    ...(applicationFile === undefined ? {} : { applicationFile }),
    ...(other ? { sourceFile: `source.other-${number}.json` } : {}),
  }));

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: variant.map((one): Step => ({ kind: 'publish', variant: one })) },
  { weight: 2, arbitrary: fc.constantFrom(...LANES).map((number): Step => ({ kind: 'unpublish', number })) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom(...FOREIGN), fc.constantFrom('one\n', 'two\n', null))
      .map(([path, content]): Step => ({ kind: 'foreign', path, content })),
  },
);

const renderedOnce = new Map<string, ReturnType<typeof rendered>>();
/** A lane as it is published in the step of this number. */
function sourceAt(one: LaneVariant, commit: PublishSource['commit'], dir = '/lanes'): PublishSource {
  const text = laneText(one);
  const lane = renderedOnce.get(text) ?? rendered(one.number, text);
  renderedOnce.set(text, lane);
  return { rendered: lane, text, path: `${dir}/${laneFileOf(one.number)}`, repository: REPOSITORY_URL, commit };
}

/** What happens to the model; the code of the refusal when the step must be refused. */
function apply(model: Model, one: Step, source: PublishSource | undefined): string | undefined {
  if (one.kind === 'foreign') {
    const isOwned = one.path === ROOT || [...model.lanes.values()].some((files) => files.has(one.path));
    if (isOwned) return undefined;
    if (one.content === null) model.foreign.delete(one.path);
    else model.foreign.set(one.path, one.content);
    return undefined;
  }
  if (one.kind === 'unpublish') {
    if (!model.lanes.has(one.number)) return undefined;
    if (model.lanes.size === 1) return 'last-lane';
    model.lanes.delete(one.number);
    return undefined;
  }
  if (source === undefined) throw new Error('a publish has a source');
  const { files, companions } = laneOnBranch(source);
  const own = [...files, ...companions.filter(({ path }) => path !== ROOT)];
  if (own.some(({ path }) => model.foreign.has(path))) return 'path-foreign';
  const { number } = one.variant;
  const before = model.lanes.get(number);
  const isSame =
    before !== undefined &&
    before.size === own.length &&
    files.every(({ path, content }) => before.get(path) === content);
  if (isSame) return undefined;
  model.lanes.set(number, new Map(own.map(({ path, content }) => [path, content])));
  model.root = companions.find(({ path }) => path === ROOT)?.content ?? '';
  return undefined;
}

function filesOf({ lanes, foreign, root }: Model): Map<string, string> {
  const files = new Map(foreign);
  for (const own of lanes.values()) for (const [path, content] of own) files.set(path, content);
  if (root !== undefined) files.set(ROOT, root);
  return files;
}

/** A branch in memory, as the plan sees it. */
function snapshotOf(branch: ReadonlyMap<string, string>): BranchSnapshot {
  const entries = new Map([...branch].map(([path, content]) => [path, { mode: '100644', id: blobId(content), path }]));
  const inventories = new Map(
    [...branch].flatMap(([path, content]) => {
      const lane = laneOfInventory(path);
      return lane === undefined ? [] : [[lane, parseInventory(lane, content)] as const];
    }),
  );
  return { head: 'f'.repeat(40), notesHead: undefined, noteId: undefined, entries, inventories };
}

function carryOut(branch: Map<string, string>, { writes, removals }: BranchPlan): void {
  for (const path of removals) expect(branch.delete(path), `${path} was there to be removed`).toBe(true);
  for (const { path, content } of writes) branch.set(path, content);
}

const codeOf = (error: unknown): string => {
  if (error instanceof AgentRunError) return error.code;
  throw error;
};

async function stepInMemory(
  branch: Map<string, string>,
  one: Step,
  source: PublishSource | undefined,
): Promise<string | undefined> {
  if (one.kind === 'foreign') return undefined;
  const snapshot = snapshotOf(branch);
  const digestOf = ({ path }: { path: string }) => Promise.resolve(sha256(branch.get(path) ?? ''));
  const how = { force: false, digestOf };
  try {
    if (source !== undefined)
      carryOut(branch, (await planPublish(snapshot, laneOnBranch(source), how)) ?? { writes: [], removals: [] });
    else if (one.kind === 'unpublish')
      carryOut(branch, await planLane({ snapshot, lane: versionOf(one.number), files: [], companions: [], ...how }));
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
}

it('after any of 1,000 sequences of steps the branch is what the lanes render to, and the files of others', {
  timeout: 120_000,
}, async () => {
  let published = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
      const model: Model = { lanes: new Map(), foreign: new Map() };
      const branch = new Map<string, string>();
      for (const [at, one] of steps.entries()) {
        const source = one.kind === 'publish' ? sourceAt(one.variant, syntheticCommit(at)) : undefined;
        // That the last lane stays is said before anything is planned; the tests with git show it.
        if (one.kind === 'unpublish' && model.lanes.size === 1) continue;
        const expected = apply(model, one, source);
        if (one.kind === 'foreign') carryOutForeign(branch, model, one.path);
        expect(await stepInMemory(branch, one, source)).toBe(expected);
        expect(branch).toEqual(filesOf(model));
        if (expected !== undefined) refused += 1;
        else if (source !== undefined) published += 1;
      }
    }),
    { numRuns: 1000 },
  );
  // The sequences must have met both.
  expect(published).toBeGreaterThan(2000);
  expect(refused).toBeGreaterThan(50);
});

const syntheticCommit = (at: number): PublishSource['commit'] => ({
  id: (at + 1).toString(16).padStart(40, '0'),
  committed: `${1_700_000_000 + at} +0000`,
  author: 'Test <test@example.com>',
  date: '2026-01-01T00:00:00+00:00',
  subject: `change ${at}`,
  body: '',
});

function carryOutForeign(branch: Map<string, string>, model: Model, path: string): void {
  const content = filesOf(model).get(path);
  if (content === undefined) branch.delete(path);
  else branch.set(path, content);
}

// With git itself: tracks that run side by side, each with a remote of its own and a branch a sequence.
const TRACKS = 3;
const SEQUENCES = 20;
const STEPS = 5;
let setups: PublishSetup[];
let commits: PublishSource['commit'][][];
beforeAll(async () => {
  setups = await Promise.all(Array.from({ length: TRACKS }, () => publishSetup()));
  // Every step publishes from a newer commit of the lane's repository.
  commits = await Promise.all(
    setups.map(async (setup) => {
      const made: PublishSource['commit'][] = [];
      for (let at = 0; at < STEPS; at += 1) made.push((await setup.commit({ number: 1, content: at })).commit);
      return made;
    }),
  );
});
afterAll(() => Promise.all(setups.map((setup) => setup.remove())));

async function stepWithGit(
  setup: PublishSetup,
  branch: string,
  one: Step,
  source: PublishSource | undefined,
  model: Model,
): Promise<string | undefined> {
  try {
    if (source !== undefined) await setup.publish(source, { branch });
    else if (one.kind === 'unpublish') {
      const [commit] = commits[0] ?? [];
      if (commit !== undefined)
        await unpublishLane({ lane: versionOf(one.number), commit }, { remote: setup.remote.url, branch });
    } else if (one.kind === 'foreign')
      await setup.remote.commit({ [one.path]: filesOf(model).get(one.path) ?? null }, branch);
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
}

it.each(Array.from({ length: TRACKS }, (_, track) => ({ track, name: `remote ${track + 1}` })))(
  `the same with git, in ${SEQUENCES} sequences on $name`,
  { timeout: 240_000, concurrent: true },
  async ({ track }) => {
    const [setup, own] = [setups[track], commits[track]];
    if (setup === undefined || own === undefined) throw new Error('there is a remote for each track');
    let sequence = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: STEPS, maxLength: STEPS }), async (steps) => {
        sequence += 1;
        const branch = `${BRANCH}-${sequence}`;
        const model: Model = { lanes: new Map(), foreign: new Map() };
        for (const [at, one] of steps.entries()) {
          const commit = own[at];
          const source =
            one.kind === 'publish' && commit !== undefined ? sourceAt(one.variant, commit, setup.lanes.dir) : undefined;
          const expected = apply(model, one, source);
          expect(await stepWithGit(setup, branch, one, source, model)).toBe(expected);
          expect(await treeOf(setup.remote, branch)).toEqual(treeOfFiles(filesOf(model)));
        }
      }),
      { numRuns: SEQUENCES, endOnFailure: true },
    );
  },
);
