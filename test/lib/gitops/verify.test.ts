import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inventoryPath, type LaneInventory } from '../../../lib/src/gitops/inventory.ts';
import { type Change, foreignCommits } from '../../helpers/branch-surgery.ts';
import { REPOSITORY_URL } from '../../helpers/publish-lanes.ts';
import { codesOf, type VerifySetup, verifySetup } from '../../helpers/verify-setup.ts';

const INVENTORY = inventoryPath('v0.1');
const DIRECTORY = 'deploy/lane-1/runtime-v01';
const MANAGER = `${DIRECTORY}/mgr.yaml`;
const CATALOG = 'deploy/artifact-catalog.v01.json';

let setup: VerifySetup;
beforeAll(async () => {
  setup = await verifySetup();
});
afterAll(() => setup.remove());

const text = (path: string) => setup.files.get(path)?.toString('utf8') ?? '';
const inventory = () => JSON.parse(text(INVENTORY)) as LaneInventory;

/** A chosen byte of a file, with one bit turned: each number another place and bit. */
function flipped(content: Buffer, number: number): Buffer {
  const copy = Buffer.from(content);
  const at = (number * 7919) % copy.length;
  copy[at] = (copy[at] ?? 0) ^ [0x80, 0x01, 0x02, 0x04, 0x20][number % 5]!;
  return copy;
}

/** Runs some work on each item, four at a time. */
async function onEach<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const next = items.entries();
  const worker = async () => {
    for (const [at, item] of next) results[at] = await work(item);
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
  return results;
}

const isUtf8 = (content: Buffer): boolean => Buffer.from(content.toString('utf8'), 'utf8').equals(content);

describe('an untouched branch', () => {
  it('is equal', async () => {
    const result = await setup.verify();
    expect(result).toEqual({
      status: 'equal',
      commit: setup.published,
      publishCommit: setup.published,
      problems: [],
      foreignFiles: [],
      filesDigest: setup.source.rendered.filesDigest,
    });
  });

  it('is equal with files of other people beside it, and lists them', async () => {
    const result = await setup.verifyEdited({
      'README.md': 'ours\n',
      'deploy/lane-1/notes.txt': 'x\n',
      'hydrator.metadata': '{}\n',
    });
    expect(result).toMatchObject({
      status: 'equal',
      problems: [],
      foreignFiles: ['README.md', 'deploy/lane-1/notes.txt'],
    });
  });

  it('is equal after unrelated commits in the repository of the lane', async () => {
    setup.lanes.write('notes.txt', 'x\n');
    setup.lanes.commit();
    expect((await setup.verify()).status).toBe('equal');
  });
});

describe('an edited branch', () => {
  it('is found out for each of 200 turned bits, alone or with others, and only edited files are named', async () => {
    const paths = [...setup.files.keys()];
    expect(paths).toEqual(
      expect.arrayContaining([INVENTORY, `${DIRECTORY}/hydrator.metadata`, 'source.v01.json', CATALOG]),
    );
    const flips = Array.from({ length: 200 }, (_, number) => {
      const path = paths[number % paths.length] ?? '';
      return { path, content: flipped(setup.files.get(path) ?? Buffer.alloc(0), number) };
    });
    expect(flips.filter(({ content }) => !isUtf8(content)).length).toBeGreaterThan(20);
    // Two rounds of single edits; then several at once, never two in one file.
    const alone = flips.slice(0, 2 * paths.length).map((flip) => [flip]);
    const together = Array.from({ length: 29 }, (_, at) =>
      flips.slice(2 * paths.length).filter((_flip, n) => n % 29 === at),
    );
    const cases = [...alone, ...together].map((edits, at) => ({ edits, branch: `flip-${at}` }));
    expect(cases.flatMap(({ edits }) => edits)).toHaveLength(200);
    const changes = (edits: typeof flips) => Object.fromEntries(edits.map(({ path, content }) => [path, content]));
    foreignCommits(
      setup.remote,
      cases.map(({ branch, edits }) => ({ branch, base: setup.published, changes: changes(edits) })),
    );
    const results = await onEach(cases, ({ branch }) => setup.verify({ branch }));
    const seen = results.map((result) => [result.status, ...codesOf(result), ...result.foreignFiles]);
    const named = cases.map(({ edits }) => edits.map(({ path }) => `branch-edited ${path}`).sort());
    expect(named.flat()).toHaveLength(200);
    expect(seen).toEqual(named.map((names) => ['tampered', ...names]));
  }, 90_000);

  it('is found out when the publish commit itself was made again with a turned bit', async () => {
    const cases = [...setup.files].map(([path, content], at) => ({
      path,
      branch: `amended-${at}`,
      content: flipped(content, at * 3 + 1),
    }));
    foreignCommits(
      setup.remote,
      cases.map(({ branch, path, content }) => ({
        ...{ branch, base: setup.published, message: setup.message, amend: true },
        changes: { [path]: content },
      })),
    );
    const results = await onEach(cases, ({ branch }) =>
      setup.verify({ branch, repository: { directory: setup.lanes.dir, url: REPOSITORY_URL } }),
    );
    expect(results.map((result) => [result.status, ...codesOf(result)].join(', '))).toEqual(
      cases.map(({ path }) => `tampered, branch-edited ${path}`),
    );
  });

  it('names all files when all were edited', async () => {
    const changes = Object.fromEntries([...setup.files].map(([path, content], at) => [path, flipped(content, at)]));
    const result = await setup.verifyEdited(changes);
    expect(codesOf(result)).toEqual([...setup.files.keys()].sort().map((path) => `branch-edited ${path}`));
  });

  it('is tampered when catalog and manifest were changed to another image together', async () => {
    const { digest } = inventory().artifact;
    const other = `sha256:${'f'.repeat(64)}`;
    const changed = (path: string) => ({ [path]: text(path).replaceAll(digest, other) });
    const changes = { ...changed(CATALOG), ...changed(MANAGER), ...changed(INVENTORY) };
    for (const [path, content] of Object.entries(changes)) expect(content).not.toBe(text(path));
    const named = [INVENTORY, CATALOG, MANAGER].map((path) => `branch-edited ${path}`).sort();
    expect(codesOf(await setup.verifyEdited(changes))).toEqual(named);
    const forged = await setup.verifyEdited(changes, { message: setup.message });
    expect(forged.status).toBe('tampered');
    expect(codesOf(forged)).toEqual(['branch-edited']);
  });

  it('names each missing file', async () => {
    for (const path of [MANAGER, CATALOG, INVENTORY, `${DIRECTORY}/hydrator.metadata`]) {
      const result = await setup.verifyEdited({ [path]: null });
      expect([result.status, ...codesOf(result), ...result.foreignFiles]).toEqual([
        'tampered',
        `branch-missing ${path}`,
      ]);
    }
  });

  it.each(['kustomization.yml', '.argocd-source.yaml', 'more/deep.yaml'])(
    'names a file added below gitops.path: %s',
    async (name) => {
      const path = `${DIRECTORY}/${name}`;
      const result = await setup.verifyEdited({ [path]: 'a: 1\n' });
      expect([result.status, ...codesOf(result), ...result.foreignFiles]).toEqual([
        'tampered',
        `branch-unknown-file ${path}`,
      ]);
    },
  );

  it.each([
    ['a link', '120000'],
    ['executable', '100755'],
  ] as const)('names a file that was made %s, with the content as it was', async (_what, mode) => {
    for (const path of [MANAGER, INVENTORY]) {
      const result = await setup.verifyEdited({ [path]: { mode, content: text(path) } });
      expect([result.status, ...codesOf(result)]).toEqual(['tampered', `branch-edited ${path}`]);
    }
  });

  it('names every file of a directory that became a link', async () => {
    const gone = [...setup.files.keys()].filter((path) => path.startsWith(`${DIRECTORY}/`));
    const changes: Record<string, Change> = Object.fromEntries(gone.map((path) => [path, null]));
    const result = await setup.verifyEdited({ ...changes, [DIRECTORY]: { mode: '120000', content: '../elsewhere' } });
    expect(codesOf(result)).toEqual(gone.sort().map((path) => `branch-missing ${path}`));
  });

  it('gives equal again when the edit is taken back', async () => {
    const branch = 'taken-back';
    foreignCommits(setup.remote, [
      { branch, base: setup.published, changes: { [MANAGER]: 'x\n' } },
      { branch, base: branch, changes: { [MANAGER]: text(MANAGER) } },
    ]);
    expect((await setup.verify({ branch })).status).toBe('equal');
  });
});
