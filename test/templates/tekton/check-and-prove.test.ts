import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createGitRemote, type GitRemote } from '../../helpers/git-remote.ts';
import { GOOD_LANE } from '../../helpers/lane-repository.ts';
import { type StepRunner, stepRunner } from '../../helpers/step-runner.ts';

let remote: GitRemote;
let good: string;
let bad: string;
let steps: StepRunner;

beforeAll(async () => {
  remote = await createGitRemote();
  good = await remote.commit({ 'lanes/v0.1.yaml': GOOD_LANE });
  bad = await remote.commit({ 'lanes/v0.1.yaml': GOOD_LANE.replace('managerPort: 8080', 'managerPort: 80800') });
});
afterAll(() => remote.remove());
beforeEach(() => {
  steps = stepRunner();
});
afterEach(() => steps.remove());

const clone = (revision: string) => steps.run('clone', { GIT_READ_URL: remote.url, REVISION: revision });
const record = (step: string, status: string, revision: string | null, lane = 'v0.1') => ({
  event: `agentrun-ci-${step}`,
  status,
  lane,
  revision,
  valuesPrinted: false,
});

describe('the check step', () => {
  it('passes a good lane, and writes nothing', async () => {
    await clone(good);
    const before = readdirSync(join(steps.workspace, 'source'));
    const result = await steps.run('check', {});
    expect(result.stderr).toContain('lane v0.1: ok');
    expect(result).toMatchObject({ code: 0, record: record('check', 'ok', good) });
    expect(readdirSync(join(steps.workspace, 'source'))).toEqual(before);
    expect(readdirSync(steps.temporary)).toEqual([]);
  });

  it('fails for a bad one, at its line', async () => {
    await clone(bad);
    const result = await steps.run('check', {});
    expect(result.stderr).toMatch(/^lanes\/v0\.1\.yaml:[0-9]+:[0-9]+: error\[/);
    expect(result).toMatchObject({ code: 1, record: record('check', 'failed', bad) });
  });

  it('fails for a lane that the revision does not have, and names it', async () => {
    await clone(good);
    const result = await steps.run('check', { LANE: 'v9.9' });
    expect(result.stderr).toContain('lanes/v9.9.yaml');
    expect(result).toMatchObject({ code: 1, record: record('check', 'failed', good, 'v9.9') });
  });

  it('fails where nothing was cloned', async () => {
    const result = await steps.run('check', {});
    expect(result.code).not.toBe(0);
    expect(result.record).toEqual(record('check', 'failed', null));
  });
});

describe('the step that proves', () => {
  it('renders the lane in many environments, keeps none of it, and carries the name that its task gives it', async () => {
    await clone(good);
    const result = await steps.run('prove', { STEP: 'render-smoke' });
    expect(result.stderr).toMatch(/v0\.1: proved in [0-9]+ environments, one digest/);
    expect(result).toMatchObject({ code: 0, record: record('render-smoke', 'ok', good) });
    expect(readdirSync(steps.temporary)).toEqual([]);
    expect(readdirSync(join(steps.workspace, 'source'))).toEqual(['.git', 'lanes']);
  });

  it('fails for a lane that cannot be rendered', async () => {
    await clone(bad);
    expect(await steps.run('prove', {})).toMatchObject({ code: 1, record: record('prove', 'failed', bad) });
    expect(readdirSync(steps.temporary)).toEqual([]);
  });

  it('ends when it is told to, and leaves nothing behind', async () => {
    await clone(good);
    const running = steps.start('prove', {});
    await expect.poll(() => readdirSync(steps.temporary), { timeout: 10_000 }).toHaveLength(1);
    running.kill('SIGTERM');
    expect(await running.done).toMatchObject({ code: 143, record: { status: 'failed' } });
    expect(readdirSync(steps.temporary)).toEqual([]);
  });
});
