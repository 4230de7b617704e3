import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { artifactForLane } from '../../../lib/src/artifacts/artifact-rules.ts';
import { inventoryPath, inventoryText, type LaneInventory, sha256 } from '../../../lib/src/gitops/inventory.ts';
import { filesDigest } from '../../../lib/src/render/digest.ts';
import { renderLane } from '../../../lib/src/render/render-lane.ts';
import { foreignCommits } from '../../helpers/branch-surgery.ts';
import { laneFileOf, laneText, publishSource } from '../../helpers/publish-lanes.ts';
import { codesOf, failureOf, type VerifySetup, verifySetup } from '../../helpers/verify-setup.ts';

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

describe('a publish commit that somebody else made', () => {
  it('is tampered when its trailers are right and a file is not', async () => {
    const result = await setup.verifyEdited(
      { [MANAGER]: text(MANAGER).replace('replicas: 1', 'replicas: 2') },
      { message: setup.message },
    );
    expect([result.status, ...codesOf(result)]).toEqual(['tampered', `branch-edited ${MANAGER}`]);
    expect(result.publishCommit).not.toBe(setup.published);
  });

  it('is tampered when its trailers name another digest than the source has', async () => {
    const message = setup.message.replace(setup.source.rendered.filesDigest, `sha256:${'0'.repeat(64)}`);
    const result = await setup.verifyEdited({}, { message });
    expect([result.status, ...codesOf(result)]).toEqual(['tampered', 'branch-edited']);
  });

  it.each([
    ['Lane-Commit', 'HEAD'],
    ['Lane-Commit', '--help'],
    ['Source-Commit', 'main'],
    ['Files-Digest', 'sha256:0'],
  ])('counts for nothing when its %s is "%s"', async (trailer, value) => {
    const message = setup.message.replace(new RegExp(`(Agentrun-${trailer}: ).*`), `$1${value}`);
    const result = await setup.verifyEdited({}, { message });
    expect(result).toMatchObject({ status: 'equal', publishCommit: setup.published });
    expect(result.commit).not.toBe(setup.published);
  });

  it('cannot be judged when the commit that it names does not exist', async () => {
    const message = setup.message.replace(/(Agentrun-Lane-Commit: ).*/, `$1${'d'.repeat(40)}`);
    const error = await failureOf(setup.verifyEdited({}, { message }));
    expect(error.code).toBe('repository-missing');
    expect(error.message).toContain('d'.repeat(40));
  });

  it('cannot pass off another lane file of the same version as the source', async () => {
    const { lanes, publish, verify } = setup;
    lanes.write('examples/v0.1.yaml', laneText({ number: 1, content: 5 }));
    const revision = lanes.commit();
    const good = await publishSource(lanes.dir, 1, laneText({ number: 1, content: 5 }), revision);
    const { lane, input } = good.rendered;
    const laneFile = 'examples/v0.1.yaml';
    const rendered = renderLane(lane, {
      ...input,
      laneFile,
      artifact: artifactForLane(lane, input.artifact, laneFile),
    });
    await publish({ ...good, rendered }, { branch: 'examples' });
    expect((await verify({ branch: 'examples' })).status).toBe('equal');
    const result = await verify({ branch: 'examples', laneFile: laneFileOf(1) });
    expect([result.status, ...codesOf(result)]).toEqual(['stale', 'branch-stale']);
  });
});

describe('a publish by another version', () => {
  /** What version 0.0.9 published: other bytes in one file, and everything that goes with that. */
  function byOldVersion(changes: Record<string, string> = { [MANAGER]: `# as it was\n${text(MANAGER)}` }) {
    const content = (path: string) => changes[path] ?? text(path);
    const before = inventory();
    const digest = filesDigest(before.files.map(({ path }) => ({ path, content: content(path) })));
    const now: LaneInventory = {
      ...before,
      generator: { ...before.generator, version: '0.0.9' },
      filesDigest: digest,
      files: before.files.map(({ path }) => ({ path, digest: sha256(content(path)) })),
    };
    const message = setup.message.replace(before.filesDigest, digest).replace(/(Agentrun-Generator: .*@).*/, '$10.0.9');
    return { changes: { ...changes, [INVENTORY]: inventoryText(now) }, message };
  }

  it('says renderer-differs, and which version to run', async () => {
    const { changes, message } = byOldVersion();
    const result = await setup.verifyEdited(changes, { message });
    expect([result.status, ...codesOf(result)]).toEqual(['renderer-differs', 'renderer-differs']);
    expect(result.problems[0]?.message).toContain('was published by @agentrun/lib@0.0.9; this is @agentrun/lib@0.1.0');
  });

  it('names what was edited since, all the same', async () => {
    const { changes, message } = byOldVersion();
    const branch = 'old-version-edited';
    foreignCommits(setup.remote, [
      { branch, base: setup.published, changes, message },
      { branch, base: branch, changes: { [CATALOG]: '{}\n', [`${DIRECTORY}/new.yaml`]: 'a: 1\n', [INVENTORY]: null } },
    ]);
    const result = await setup.verify({ branch });
    expect(result.status).toBe('tampered');
    expect(codesOf(result)).toEqual([
      `branch-missing ${INVENTORY}`,
      `branch-edited ${CATALOG}`,
      `branch-unknown-file ${DIRECTORY}/new.yaml`,
      'renderer-differs',
    ]);
  });

  it('is tampered when the commit does not hold what its own digests say', async () => {
    const { changes, message } = byOldVersion();
    const edited = await setup.verifyEdited({ ...changes, [MANAGER]: 'x\n' }, { message });
    expect([edited.status, codesOf(edited)[0]]).toEqual(['tampered', `branch-edited ${MANAGER}`]);
    const forged = await setup.verifyEdited({ ...byOldVersion({ [MANAGER]: 'x\n' }).changes }, { message });
    expect([forged.status, codesOf(forged)[0]]).toEqual(['tampered', `branch-edited ${INVENTORY}`]);
    const without = await setup.verifyEdited({ ...changes, [INVENTORY]: '{}\n' }, { message });
    expect([without.status, codesOf(without)[0]]).toEqual(['tampered', `branch-edited ${INVENTORY}`]);
  });

  it('says renderer-differs of a lane that this version no longer takes', async () => {
    const { lanes } = setup;
    lanes.write('lanes/v0.1.yaml', `${laneText({ number: 1 })}retired: 1\n`);
    const laneCommit = lanes.commit();
    lanes.write('lanes/v0.1.yaml', laneText({ number: 1 }));
    lanes.commit();
    const { changes, message } = byOldVersion();
    const old = inventory().laneCommit;
    const moved = (given: string) => given.replaceAll(old, laneCommit);
    const record = moved(changes[INVENTORY] ?? '');
    const result = await setup.verifyEdited({ ...changes, [INVENTORY]: record }, { message: moved(message) });
    expect([result.status, ...codesOf(result)]).toEqual(['renderer-differs', 'renderer-differs']);
  });
});
