import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CommandSetup, commandSetup, IMAGE } from '../../helpers/command-setup.ts';
import { BRANCH, laneFileOf } from '../../helpers/publish-lanes.ts';

let setup: CommandSetup;
beforeEach(async () => {
  setup = await commandSetup();
  setup.commit({ number: 1 }, { number: 2 });
  await setup.remote.commit({ 'notes.txt': 'keep\n' }, BRANCH);
  await setup.run('publish', '--all', ...IMAGE);
});
afterEach(() => setup.remove());

const tip = () => setup.remote.git(['rev-parse', BRANCH]);
const outcome = ({ code, lanes, problems }: Awaited<ReturnType<CommandSetup['json']>>) => [
  code,
  ...lanes.map(({ lane, status }) => `${lane} ${status}`),
  ...problems.map((problem) => problem.code),
];

describe('agentrun unpublish', () => {
  it('removes everything of the lane, and nothing else', async () => {
    const before = await setup.files(BRANCH);
    const result = await setup.run('unpublish', 'v0.1');
    expect(result).toMatchObject({ code: 0, stdout: '', stderr: `lane v0.1: removed, commit ${await tip()}\n` });
    const left = await setup.files(BRANCH);
    const others = /lane-2\/|v02|v0\.2|^notes\.txt$|^hydrator\.metadata$/;
    expect(left).toEqual(before.filter((path) => others.test(path)));
    expect(left.length).toBeGreaterThan(12);
  });

  it('takes the path of the file too', async () => {
    expect(outcome(await setup.json('unpublish', './lanes/v0.1.yaml'))).toEqual([0, 'v0.1 removed']);
  });

  it('prints with --dry-run what would go, and removes nothing', async () => {
    const before = await tip();
    const result = await setup.run('unpublish', 'v0.1', '--dry-run');
    expect(result.stderr).toBe('lane v0.1: would-remove\n');
    expect(result.stdout).toContain('--- a/deploy/lane-1/runtime-v01/mgr.yaml\n+++ /dev/null\n');
    expect(result.stdout).not.toContain('lane-2');
    expect(await tip()).toBe(before);
  });

  it('says absent when the branch holds nothing of the lane', async () => {
    await setup.run('unpublish', 'v0.1');
    const before = await tip();
    expect(outcome(await setup.json('unpublish', 'v0.1'))).toEqual([0, 'v0.1 absent']);
    expect(await tip()).toBe(before);
  });

  it('removes the last lane only with --force', async () => {
    await setup.run('unpublish', 'v0.1');
    expect(outcome(await setup.json('unpublish', 'v0.2'))).toEqual([1, 'last-lane']);
    expect(outcome(await setup.json('unpublish', 'v0.2', '--force'))).toEqual([0, 'v0.2 removed']);
    expect(await setup.files(BRANCH)).toEqual(['hydrator.metadata', 'notes.txt']);
  });

  it('keeps what somebody edited, unless forced', async () => {
    const path = 'deploy/lane-1/runtime-v01/mgr.yaml';
    await setup.remote.commit({ [path]: 'mine: true\n' }, BRANCH);
    const before = await tip();
    expect(outcome(await setup.json('unpublish', 'v0.1'))).toEqual([1, 'path-edited']);
    expect(await tip()).toBe(before);
    expect(outcome(await setup.json('unpublish', 'v0.1', '--force'))).toEqual([0, 'v0.1 removed']);
  });

  it('needs --remote and --branch when the lane file is gone', async () => {
    rmSync(join(setup.lanes.dir, laneFileOf(1)));
    setup.lanes.commit();
    const unknown = await setup.lanes.agentrun('unpublish', 'v0.1');
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toContain('error[lane-not-found] lanes/v0.1.yaml is gone');
    expect(unknown.stderr).toContain('hint: Give --remote and --branch.');
    expect(outcome(await setup.json('unpublish', 'v0.1', '--branch', BRANCH))).toEqual([0, 'v0.1 removed']);
  });

  it('fails in words for a remote that is not there', async () => {
    const result = await setup.lanes.agentrun('unpublish', 'v0.1', '--remote', '/nonexistent/x.git');
    expect([result.code, result.stderr]).toEqual([1, expect.stringContaining('error[remote-not-found]') as string]);
  });

  it('shows examples with --help', async () => {
    const { code, stdout } = await setup.lanes.agentrun('unpublish', '--help');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/Examples?:\n {2}agentrun unpublish /) as string]);
  });
});
