import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CommandSetup, commandSetup, IMAGE } from '../../helpers/command-setup.ts';
import { GOOD_LANE } from '../../helpers/lane-repository.ts';
import { BRANCH, laneFileOf } from '../../helpers/publish-lanes.ts';
import { sshKey } from '../../helpers/ssh-key.ts';

const GITOPS = 'v0.1-gitops';
const MANAGER = 'deploy/gitops/runtime-v01/mgr.yaml';

let setup: CommandSetup;
beforeEach(async () => {
  setup = await commandSetup();
});
afterEach(() => setup.remove());

const publish = () => setup.run('publish', '--all', ...IMAGE);
const outcome = ({ code, lanes, problems }: Awaited<ReturnType<CommandSetup['json']>>) => [
  code,
  ...lanes.map(({ lane, status }) => `${lane} ${status}`),
  ...problems.map((problem) => `${problem.code} ${problem.file ?? ''}`.trim()),
];

describe('agentrun verify', () => {
  it('says equal, exit code 0', async () => {
    await publish();
    const result = await setup.run('verify', 'v0.1');
    expect(result).toMatchObject({ code: 0, stdout: '' });
    const commit = await setup.remote.git(['rev-parse', GITOPS]);
    expect(result.stderr).toMatch(new RegExp(`^lane v0\\.1: equal, commit ${commit}, files sha256:[0-9a-f]{64}\\n$`));
  });

  it('tells in JSON the status, the commit that published, and each difference', async () => {
    await publish();
    const commit = await setup.remote.git(['rev-parse', GITOPS]);
    await setup.remote.commit(
      { [MANAGER]: 'a: 1\n', 'source.json': null, 'deploy/gitops/runtime-v01/x.yaml': 'b: 1\n' },
      GITOPS,
    );
    const report = await setup.json('verify', 'v0.1');
    expect(report).toMatchObject({
      formatVersion: 1,
      command: 'verify',
      ok: false,
      lanes: [{ lane: 'v0.1', status: 'tampered', commit }],
    });
    expect(outcome(report)).toEqual([
      2,
      'v0.1 tampered',
      `branch-edited ${MANAGER}`,
      'branch-missing source.json',
      'branch-unknown-file deploy/gitops/runtime-v01/x.yaml',
    ]);
    for (const { message, file = '', severity } of report.problems)
      expect([message, severity]).toEqual([expect.stringContaining(file), 'error']);
  });

  it('names files that belong to nobody in a note, and stays equal', async () => {
    await publish();
    await setup.remote.commit({ 'README.md': 'x\n' }, GITOPS);
    const result = await setup.run('verify', 'v0.1');
    expect(result.code).toBe(0);
    expect(result.stderr).toContain('lane v0.1: equal');
    expect(result.stderr).toMatch(/\nREADME\.md is on the branch v0\.1-gitops and belongs to no lane\n$/);
  });

  it('says stale, exit code 2, when the lane has changed since', async () => {
    await publish();
    setup.lanes.write('lanes/v0.1.yaml', GOOD_LANE.replace('"300000"', '"300001"'));
    setup.lanes.commit();
    const result = await setup.run('verify', 'v0.1');
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('error[branch-stale] lane v0.1 has changed since');
    expect(result.stderr).toContain('hint: Publish the lane.');
    expect(result.stderr).toContain('lane v0.1: stale');
    await publish();
    expect((await setup.run('verify', 'v0.1')).code).toBe(0);
  });

  it('is asked for a published commit while an older one is checked out: stale too', async () => {
    const older = setup.lanes.git('rev-parse', 'HEAD');
    setup.lanes.write('lanes/v0.1.yaml', GOOD_LANE.replace('"300000"', '"300001"'));
    setup.lanes.commit();
    await publish();
    setup.lanes.git('checkout', '--quiet', older);
    expect(outcome(await setup.json('verify', 'v0.1'))).toEqual([2, 'v0.1 stale', 'branch-stale']);
  });

  it('cannot say for a lane that was never published, exit code 1', async () => {
    expect(outcome(await setup.json('verify', 'v0.1'))).toEqual([
      1,
      'v0.1 unknown',
      'lane-not-published lanes/v0.1.yaml',
    ]);
    await setup.remote.commit({ 'a.txt': 'x\n' }, GITOPS);
    expect(outcome(await setup.json('verify', 'v0.1'))).toEqual([
      1,
      'v0.1 unknown',
      'provenance-missing lanes/v0.1.yaml',
    ]);
  });

  it('fails in words for a remote that is not there, and for a lane that is not', async () => {
    const remote = await setup.lanes.agentrun('verify', 'v0.1', '--remote', '/nonexistent/x.git');
    expect([remote.code, remote.stderr]).toEqual([1, expect.stringContaining('error[remote-not-found]') as string]);
    expect(outcome(await setup.json('verify', 'v0.9'))).toEqual([1, 'v0.9 unknown', 'lane-not-found lanes/v0.9.yaml']);
  });

  it('is stale for a lane whose file is gone, when it is told where to look', async () => {
    await publish();
    rmSync(join(setup.lanes.dir, 'lanes/v0.1.yaml'));
    setup.lanes.write('lanes/README.md', 'no lanes\n');
    setup.lanes.commit();
    const report = await setup.json('verify', 'v0.1', '--branch', GITOPS);
    expect(outcome(report)).toEqual([2, 'v0.1 stale', 'branch-stale']);
    expect(report.problems[0]?.message).toContain('is gone from its repository');
  });

  it.each([
    [
      'sarif',
      (text: string) => (JSON.parse(text) as { runs: { results: { ruleId: string }[] }[] }).runs[0]?.results[0]?.ruleId,
    ],
    ['github', (text: string) => /^::error .*$/m.exec(text)?.[0]],
  ])('prints the differences as %s', async (format, read) => {
    await publish();
    await setup.remote.commit({ [MANAGER]: 'a: 1\n', 'README.md': 'x\n' }, GITOPS);
    const { code, stdout, stderr } = await setup.run('verify', 'v0.1', '--format', format);
    expect([code, stderr]).toEqual([2, '']);
    expect(read(stdout)).toContain('branch-edited');
  });
});

describe('agentrun verify --all', () => {
  beforeEach(async () => {
    setup.commit({ number: 1 }, { number: 2 });
    await publish();
  });

  it('judges each lane of the folder', async () => {
    expect(outcome(await setup.json('verify', '--all'))).toEqual([0, 'v0.1 equal', 'v0.2 equal']);
    const path = 'deploy/lane-2/runtime-v02/mgr.yaml';
    await setup.remote.commit({ [path]: 'a: 1\n' }, BRANCH);
    expect(outcome(await setup.json('verify', '--all'))).toEqual([
      2,
      'v0.1 equal',
      'v0.2 tampered',
      `branch-edited ${path}`,
    ]);
  });

  it('finds lanes that are on the branch although their file is gone', async () => {
    rmSync(join(setup.lanes.dir, laneFileOf(2)));
    setup.lanes.commit();
    expect(outcome(await setup.json('verify', '--all'))).toEqual([2, 'v0.1 equal', 'v0.2 stale', 'branch-stale']);
    expect(outcome(await setup.json('verify', 'v0.1'))).toEqual([0, 'v0.1 equal']);
    await setup.run('publish', '--all', '--prune', ...IMAGE);
    expect(outcome(await setup.json('verify', '--all'))).toEqual([0, 'v0.1 equal']);
  });

  it('goes on after a lane that it cannot judge, and then ends with 1', async () => {
    setup.commit({ number: 3 });
    await setup.remote.commit({ 'source.v01.json': '{}\n' }, BRANCH);
    expect(outcome(await setup.json('verify', '--all'))).toEqual([
      1,
      'v0.1 tampered',
      'v0.2 equal',
      'v0.3 unknown',
      'branch-edited source.v01.json',
      'provenance-missing lanes/v0.3.yaml',
    ]);
  });

  it('goes on after a record that cannot be read', async () => {
    await setup.remote.commit({ '.agentrun/lanes/v0.2.json': '{\n' }, BRANCH);
    expect(outcome(await setup.json('verify', '--all'))).toEqual([
      2,
      'v0.1 equal',
      'v0.2 tampered',
      'branch-edited .agentrun/lanes/v0.2.json',
    ]);
  });
});

describe('agentrun verify --require-signature', () => {
  it('takes keys that may sign, by a path relative to where one stands', async () => {
    const { lanes, run, json } = setup;
    mkdirSync(join(lanes.dir, 'out'));
    sshKey(join(lanes.dir, 'out', 'key'));
    const signed = ['--require-signature', '--allowed-signers', 'out/key.signers'];
    await publish();
    expect(outcome(await json('verify', 'v0.1', ...signed))).toEqual([2, 'v0.1 tampered', 'signature-missing']);
    await run('publish', 'v0.1', ...IMAGE, '--branch', 'signed', '--sign', 'out/key');
    expect(outcome(await json('verify', 'v0.1', ...signed, '--branch', 'signed'))).toEqual([0, 'v0.1 equal']);
  });

  it('blames no branch for a file of signers that is not there', async () => {
    await publish();
    const missing = await setup.json('verify', 'v0.1', '--require-signature', '--allowed-signers', 'out/none');
    expect(outcome(missing)).toEqual([1, 'v0.1 unknown', 'usage lanes/v0.1.yaml']);
    expect(outcome(await setup.json('verify', 'v0.1', '--allowed-signers', 'out/none'))).toEqual([1, 'usage']);
  });
});
