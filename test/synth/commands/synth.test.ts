import { existsSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { imageArtifact, loadLaneSync, renderLane } from '../../../lib/src/index.ts';
import { GOOD_LANE, type LaneRepository, laneRepository } from '../../helpers/lane-repository.ts';
import { readTree } from '../../helpers/read-tree.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;
const SOURCE = 'ssh://git@git.example.internal/agentrun/agentrun.git';
let repository: LaneRepository;
afterEach(() => repository.remove());

const open = (options?: Parameters<typeof laneRepository>[0]) => {
  repository = laneRepository(options);
  return repository;
};
const out = (path = '') => join(repository.dir, 'out', path);

describe('agentrun synth', () => {
  it('writes the files of a lane and the control plane, and prints the digest', async () => {
    const { agentrun, git, dir } = open();
    const result = await agentrun('synth', 'v0.1', '--placeholder');
    expect(result).toMatchObject({ code: 0, stdout: expect.stringMatching(/^v0\.1 sha256:[0-9a-f]{64}\n$/) as string });
    expect(result.stderr).toContain('lane v0.1: written, 11 files');
    expect(result.stderr).toContain('output: dist/v0.1');
    const tree = await readTree(join(dir, 'dist', 'v0.1'));
    expect(tree.map(({ path }) => path)).toEqual([
      'control-plane.yaml',
      'deploy/artifact-catalog.v01.json',
      'deploy/gitops/argocd/application-v01.yaml',
      'deploy/gitops/argocd/project.yaml',
      ...['kustomization', 'limits', 'mgr', 'namespace', 'network', 'postgres', 'runner-rbac'].map(
        (name) => `deploy/gitops/runtime-v01/${name}.yaml`,
      ),
      'source.json',
    ]);
    expect(JSON.parse(tree.find(({ path }) => path === 'source.json')?.content ?? '')).toMatchObject({
      lane: 'v0.1',
      sourceCommit: git('rev-parse', 'HEAD'),
      configSource: 'lanes/v0.1.yaml',
      generator: { name: '@agentrun/lib' },
    });
  });

  it('says unchanged and writes nothing when nothing changed', async () => {
    const { agentrun } = open();
    await agentrun('synth', 'v0.1', '--placeholder', '--out', 'out');
    const before = readlinkSync(out());
    const again = await agentrun('synth', 'v0.1', '--placeholder', '--out', 'out');
    expect(again.stderr).toContain('lane v0.1: unchanged');
    expect(readlinkSync(out())).toBe(before);
  });

  it('takes the path of a lane file, and a folder of lanes', async () => {
    const { agentrun } = open();
    const byName = await agentrun('synth', 'v0.1', '--placeholder');
    const byPath = await agentrun('synth', './lanes/v0.1.yaml', '--placeholder');
    const byFolder = await agentrun('synth', 'v0.1', '--lanes-dir', join(repository.dir, 'lanes'), '--placeholder');
    expect([byPath.stdout, byFolder.stdout]).toEqual([byName.stdout, byName.stdout]);
  });

  it('keeps the former output when a lane is wrong', async () => {
    const { agentrun, write, commit } = open();
    await agentrun('synth', 'v0.1', '--placeholder', '--out', 'out');
    const before = await readTree(out());
    write('lanes/v0.1.yaml', GOOD_LANE.replace('maxRunners: 20', 'maxRunners: none'));
    commit();
    const result = await agentrun('synth', 'v0.1', '--placeholder', '--out', 'out');
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(
      /^lanes\/v0\.1\.yaml:\d+:\d+: error\[lane-type\] deployment\.runner\.retention\.maxRunners /m,
    );
    expect(await readTree(out())).toEqual(before);
  });

  it('writes nothing unless every lane is right, and tells of all of them', async () => {
    const { agentrun, write, commit } = open();
    await agentrun('lane', 'new', 'v0.2', '--from', 'v0.1');
    write('lanes/v0.3.yaml', 'version: v0.3\n');
    commit();
    const result = await agentrun('synth', '--all', '--placeholder', '--format', 'json');
    expect(result.code).toBe(1);
    const report = JSON.parse(result.stdout) as { ok: boolean; lanes: { lane: string; status: string }[] };
    expect(report.ok).toBe(false);
    expect(report.lanes.map(({ lane, status }) => `${lane} ${status}`)).toContain('v0.3 failed');
    expect(existsSync(join(repository.dir, 'dist'))).toBe(false);
  });

  it('needs to know the image, and lists the ways to say it', async () => {
    const { agentrun } = open();
    const result = await agentrun('synth', 'v0.1');
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('error[artifact-missing]');
    for (const way of ['--artifact FILE', '--image-digest', '--env-identity', '--placeholder'])
      expect(result.stderr).toContain(way);
  });

  it.each([
    [['--placeholder', '--artifact', 'a.json'], 'usage'],
    [['--image-digest', DIGEST], 'usage'],
    [['--env-identity', 'env-1'], 'usage'],
    [['--placeholder', '--all'], 'usage'],
    [
      ['--image-digest', 'sha256:short', '--env-identity', 'env-1', '--source-commit', 'a'.repeat(40)],
      'artifact-invalid',
    ],
    [['--image-digest', DIGEST, '--env-identity', 'not a tag', '--source-commit', 'a'.repeat(40)], 'artifact-invalid'],
    [['--placeholder', '--source-commit', 'main'], 'source-commit-invalid'],
    [['--artifact', 'missing.json', '--source-commit', 'a'.repeat(40)], 'artifact-invalid'],
  ])('refuses %j with %s', async (args, code) => {
    const { agentrun } = open();
    const result = await agentrun('synth', 'v0.1', ...args, '--format', 'json');
    expect(result.code).toBe(1);
    expect(
      (JSON.parse(result.stdout) as { problems: { code: string }[] }).problems.map((problem) => problem.code),
    ).toEqual([code]);
    expect(existsSync(join(repository.dir, 'dist'))).toBe(false);
  });

  it('takes the checked-out commit where the repository is the source of the lane', async () => {
    const { agentrun, git } = open({ remote: `${SOURCE.replace('.git', '')}/` });
    const result = await agentrun('synth', 'v0.1', '--image-digest', DIGEST, '--env-identity', 'env-1');
    expect(result.code).toBe(0);
    const record = JSON.parse(readFileSync(join(repository.dir, 'dist/v0.1/source.json'), 'utf8')) as {
      sourceCommit: string;
    };
    expect(record.sourceCommit).toBe(git('rev-parse', 'HEAD'));
  });

  it('asks for the commit where the repository is another one', async () => {
    const { agentrun } = open({ remote: 'https://git.example.internal/other/lanes.git' });
    const result = await agentrun('synth', 'v0.1', '--image-digest', DIGEST, '--env-identity', 'env-1');
    expect(result.stderr).toContain('error[source-commit-missing]');
    expect(result.code).toBe(1);
  });

  it('asks for the commit outside of any repository', async () => {
    const { agentrun } = open({ git: false });
    expect((await agentrun('synth', 'v0.1', '--placeholder')).stderr).toContain('error[repository-missing]');
    expect((await agentrun('synth', 'v0.1', '--placeholder', '--source-commit', 'a'.repeat(40))).code).toBe(0);
  });

  it.each([
    ['a tracked change', 'lanes/v0.1.yaml', `${GOOD_LANE}# change\n`],
    ['a new lane that is not tracked', 'lanes/v0.9.yaml', GOOD_LANE],
    ['a new template that is not tracked', 'templates/new.sh', 'x\n'],
  ])('refuses a repository with %s, unless told to', async (_what, path, text) => {
    const { agentrun, write } = open();
    write(path, text);
    const refused = await agentrun('synth', 'v0.1', '--placeholder');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`error[repository-dirty]`);
    expect(refused.stderr).toContain(path);
    expect((await agentrun('synth', 'v0.1', '--placeholder', '--allow-dirty')).code).toBe(0);
  });

  it('minds no file that is not tracked and no part of the lanes', async () => {
    const { agentrun, write } = open();
    write('notes.txt', 'x\n');
    expect((await agentrun('synth', 'v0.1', '--placeholder')).code).toBe(0);
  });

  it('takes a record, or the catalog that it wrote itself', async () => {
    const { agentrun, write, dir } = open();
    const commit = 'c'.repeat(40);
    const { lane } = loadLaneSync(join(dir, 'lanes/v0.1.yaml'));
    const record = imageArtifact(lane, { sourceCommit: commit, envIdentity: 'env-1', digest: DIGEST, status: 'built' });
    write('out-v0.1.json', JSON.stringify(record));
    const first = await agentrun(
      'synth',
      'v0.1',
      '--artifact',
      'out-{lane}.json',
      '--source-commit',
      commit,
      '--out',
      'out',
    );
    expect(first.code).toBe(0);
    const catalog = readFileSync(out('deploy/artifact-catalog.v01.json'), 'utf8');
    expect(JSON.parse(catalog)).toMatchObject({ summary: 'build=1 reuse=0 placeholder=0' });
    write('catalog.json', catalog);
    const second = await agentrun(
      'synth',
      'v0.1',
      '--artifact',
      'catalog.json',
      '--source-commit',
      commit,
      '--out',
      'out',
    );
    expect(second.stdout).toBe(first.stdout);
    expect(first.stdout).toBe(`v0.1 ${renderLane(lane, { sourceCommit: commit, artifact: record }).filesDigest}\n`);
  });

  it.each([
    ['another registry', { image: 'elsewhere.example/x:env-1' }, 'artifact-mismatch'],
    ['another commit', { bootCommit: 'd'.repeat(40) }, 'artifact-mismatch'],
    ['a field too many', { extra: 1 }, 'artifact-mismatch'],
    ['an unknown status', { status: 'done' }, 'artifact-invalid'],
    ['a digest of nothing', { digest: 'sha256:0' }, 'artifact-invalid'],
    ['a number for a digest', { digest: 5 }, 'artifact-invalid'],
  ])('refuses a record with %s', async (_what, change, code) => {
    const { agentrun, write, dir } = open();
    const commit = 'c'.repeat(40);
    const { lane } = loadLaneSync(join(dir, 'lanes/v0.1.yaml'));
    const record = imageArtifact(lane, { sourceCommit: commit, envIdentity: 'env-1', digest: DIGEST, status: 'built' });
    write('record.json', JSON.stringify({ ...record, ...change }));
    const result = await agentrun('synth', 'v0.1', '--artifact', 'record.json', '--source-commit', commit);
    expect(result.stderr).toContain(`error[${code}]`);
    expect(result.code).toBe(1);
  });

  it.each([
    ['not JSON', '{'],
    ['a list', '[]'],
    ['an empty catalog', '{"services":[]}'],
    ['null', 'null'],
  ])('refuses an artifact that is %s', async (_what, text) => {
    const { agentrun, write } = open();
    write('record.json', text);
    const result = await agentrun('synth', 'v0.1', '--artifact', 'record.json', '--source-commit', 'c'.repeat(40));
    expect(result.stderr).toContain('error[artifact-invalid]');
    expect(result.code).toBe(1);
  });

  it('refuses an output directory with files of somebody else', async () => {
    const { agentrun, write } = open();
    write('out/mine.txt', 'keep\n');
    const result = await agentrun('synth', 'v0.1', '--placeholder', '--out', 'out');
    expect(result.stderr).toContain('error[output-directory]');
    expect(readFileSync(out('mine.txt'), 'utf8')).toBe('keep\n');
  });

  it('gives each lane a folder with --all', async () => {
    const { agentrun, commit, dir } = open();
    await agentrun('lane', 'new', 'v0.2', '--from', 'v0.1');
    rmSync(join(dir, 'lanes/v0.1.yaml'));
    commit();
    expect((await agentrun('synth', '--all', '--placeholder')).code).toBe(0);
    expect(existsSync(join(dir, 'dist/lanes/v0.2/deploy/gitops/runtime-v02/mgr.yaml'))).toBe(true);
  });
});
