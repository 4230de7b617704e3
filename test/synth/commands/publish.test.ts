import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CommandSetup, commandSetup, IMAGE } from '../../helpers/command-setup.ts';
import { isolatedGitEnvironment } from '../../helpers/git-remote.ts';
import { GOOD_LANE } from '../../helpers/lane-repository.ts';
import { BRANCH, laneFileOf, laneText } from '../../helpers/publish-lanes.ts';

const GITOPS = 'v0.1-gitops';
const MANAGER = 'deploy/gitops/runtime-v01/mgr.yaml';
const CATALOG = 'deploy/artifact-catalog.v01.json';
const INVENTORY = '.agentrun/lanes/v0.1.json';

let setup: CommandSetup;
beforeEach(async () => {
  setup = await commandSetup();
});
afterEach(() => setup.remove());

const tip = (branch = GITOPS) => setup.remote.git(['rev-parse', '--verify', '--quiet', branch]).catch(() => 'none');
const statuses = ({ lanes }: { lanes: readonly { lane: string; status: string }[] }) =>
  lanes.map(({ lane, status }) => `${lane} ${status}`);
const codes = ({ problems }: { problems: readonly { code: string }[] }) => problems.map(({ code }) => code);
/** Another value in the lane, committed. */
const changeLane = (value: string) => {
  setup.lanes.write('lanes/v0.1.yaml', GOOD_LANE.replace('"300000"', `"${value}"`));
  return setup.lanes.commit();
};

describe('agentrun publish', () => {
  it('brings the rendered files to the branch, and says which commit it made', async () => {
    const { run, lanes, files, show } = setup;
    const result = await run('publish', 'v0.1', ...IMAGE);
    expect(result).toMatchObject({ code: 0, stdout: '' });
    expect(result.stderr).toMatch(
      new RegExp(`^lane v0\\.1: published, 11 files, commit ${await tip()}, files sha256:`),
    );
    await lanes.agentrun('synth', 'v0.1', ...IMAGE, '--out', 'out');
    const rendered = (await files(GITOPS)).filter((path) => !path.endsWith('hydrator.metadata') && path !== INVENTORY);
    expect(rendered).toHaveLength(11);
    for (const path of rendered) {
      expect(`${await show(GITOPS, path)}\n`).toBe(readFileSync(join(lanes.dir, 'out', path), 'utf8'));
    }
  });

  it('says unchanged, and makes no commit, when the branch holds the files', async () => {
    await setup.run('publish', 'v0.1', ...IMAGE);
    const before = await tip();
    const again = await setup.json('publish', 'v0.1', ...IMAGE);
    expect([again.code, ...statuses(again)]).toEqual([0, 'v0.1 unchanged']);
    expect(await tip()).toBe(before);
  });

  it('says superseded for an older commit, and publishes it with --allow-older', async () => {
    const { lanes, json } = setup;
    const older = lanes.git('rev-parse', 'HEAD');
    changeLane('300001');
    await json('publish', 'v0.1', ...IMAGE);
    const newer = await tip();
    lanes.git('checkout', '--quiet', older);
    const late = await json('publish', 'v0.1', ...IMAGE);
    expect([late.code, ...statuses(late), await tip()]).toEqual([0, 'v0.1 superseded', newer]);
    const back = await json('publish', 'v0.1', ...IMAGE, '--allow-older');
    expect([back.code, ...statuses(back)]).toEqual([0, 'v0.1 published']);
    expect(await setup.show(GITOPS, MANAGER)).toContain('"300000"');
  });

  it('refuses a commit of another line of history', async () => {
    const { lanes, json } = setup;
    const base = lanes.git('rev-parse', 'HEAD');
    changeLane('300001');
    await json('publish', 'v0.1', ...IMAGE);
    lanes.git('checkout', '--quiet', base);
    changeLane('300002');
    const result = await json('publish', 'v0.1', ...IMAGE);
    expect([result.code, result.ok, ...statuses(result), ...codes(result)]).toEqual([
      1,
      false,
      'v0.1 refused',
      'source-diverged',
    ]);
  });

  it('refuses a file of somebody else, and overwrites it with --force', async () => {
    const { remote, json, show } = setup;
    await remote.commit({ [MANAGER]: 'mine: true\n', 'notes.txt': 'keep\n' }, GITOPS);
    const refused = await json('publish', 'v0.1', ...IMAGE);
    expect([refused.code, ...statuses(refused), ...codes(refused)]).toEqual([1, 'v0.1 refused', 'path-foreign']);
    expect(await show(GITOPS, MANAGER)).toBe('mine: true');
    const forced = await json('publish', 'v0.1', ...IMAGE, '--force');
    expect(statuses(forced)).toEqual(['v0.1 published']);
    expect(await show(GITOPS, 'notes.txt')).toBe('keep');
  });

  it('publishes the lanes that it can, and refuses the others', async () => {
    const { remote, lanes, json } = setup;
    await lanes.agentrun('lane', 'new', 'v0.2', '--from', 'v0.1');
    lanes.commit();
    await remote.commit({ [MANAGER]: 'mine: true\n' }, GITOPS);
    const result = await json('publish', '--all', ...IMAGE);
    expect([result.code, ...statuses(result)]).toEqual([1, 'v0.1 refused', 'v0.2 published']);
    expect(result.problems).toMatchObject([{ code: 'path-foreign', file: 'lanes/v0.1.yaml' }]);
  });

  it('publishes nothing when one of the lanes has errors', async () => {
    const { lanes, json } = setup;
    lanes.write('lanes/v0.3.yaml', 'version: v0.3\n');
    lanes.commit();
    const result = await json('publish', '--all', ...IMAGE);
    expect([result.code, ...statuses(result)]).toEqual([1, 'v0.1 not-written', 'v0.3 failed']);
    expect(await tip()).toBe('none');
  });
});

describe('agentrun publish --dry-run', () => {
  it('prints a difference that git can apply, and pushes nothing', async () => {
    const { run, lanes, files, remote, show } = setup;
    await run('publish', 'v0.1', ...IMAGE);
    const before = await tip();
    changeLane('300001');
    const result = await run('publish', 'v0.1', ...IMAGE, '--dry-run');
    expect(result.code).toBe(0);
    expect(result.stderr).toMatch(/^lane v0\.1: would-publish, 11 files, files /);
    expect(await tip()).toBe(before);
    const checkout = join(lanes.dir, 'out', 'checkout');
    execFileSync('git', ['clone', '--quiet', '--branch', GITOPS, remote.dir, checkout], {
      env: isolatedGitEnvironment(),
    });
    execFileSync('git', ['apply', '--index'], { cwd: checkout, input: result.stdout });
    await run('publish', 'v0.1', ...IMAGE);
    for (const path of await files(GITOPS))
      expect(readFileSync(join(checkout, path), 'utf8').trimEnd()).toBe(await show(GITOPS, path));
  });

  it('keeps standard output for the report in other formats', async () => {
    const { stdout, stderr } = await setup.run('publish', 'v0.1', ...IMAGE, '--dry-run', '--format', 'json');
    expect(statuses(JSON.parse(stdout) as { lanes: [] })).toEqual(['v0.1 would-publish']);
    expect(stderr).toContain('--- /dev/null\n+++ b/source.json\n');
    expect(await tip()).toBe('none');
  });

  it('hides the secrets that somebody put on the branch', async () => {
    const token = `ghp_${'a1B2'.repeat(9)}`;
    const key = `-----BEGIN RSA PRIVATE KEY-----\n${'MIIEowIBAAKCAQEA7bq9\n'.repeat(5)}-----END RSA PRIVATE KEY-----\n`;
    await setup.remote.commit(
      {
        [MANAGER]: `password: "hunter2-hunter2"\nt: ${token}\n${key}`,
        [CATALOG]: key,
        'source.json': 'kind: Secret\ndata:\n  db: aHVudGVyMg==\n',
      },
      GITOPS,
    );
    const { stdout } = await setup.run('publish', 'v0.1', ...IMAGE, '--dry-run', '--force');
    expect(stdout).toContain(`--- a/${MANAGER}\n`);
    expect(stdout).toContain('[secret]');
    for (const secret of [token, 'hunter2', 'MIIEow', 'aHVudGVyMg']) expect(stdout).not.toContain(secret);
  });
});

describe('agentrun publish --all --prune', () => {
  it('removes the lanes of this folder whose file is gone, and no others', async () => {
    const { lanes, json, commit, files } = setup;
    commit({ number: 1 }, { number: 2 }, { number: 3 });
    await json('publish', 'v0.3', ...IMAGE, '--lane-repository', 'ssh://git@elsewhere.example/lanes.git');
    rmSync(join(lanes.dir, laneFileOf(3)));
    lanes.commit();
    expect(statuses(await json('publish', '--all', ...IMAGE))).toEqual(['v0.1 published', 'v0.2 published']);
    rmSync(join(lanes.dir, laneFileOf(2)));
    lanes.commit();
    const before = await tip(BRANCH);
    const dry = await setup.run('publish', '--all', '--prune', ...IMAGE, '--dry-run');
    expect(dry.stderr).toContain('lane v0.2: would-remove\n');
    expect(dry.stdout).toContain('--- a/source.v02.json\n+++ /dev/null\n');
    expect(await tip(BRANCH)).toBe(before);
    const result = await json('publish', '--all', '--prune', ...IMAGE);
    expect([result.code, ...statuses(result)]).toEqual([0, 'v0.1 published', 'v0.2 removed']);
    const inventories = (await files(BRANCH)).filter((path) => path.startsWith('.agentrun/'));
    expect(inventories).toEqual(['.agentrun/lanes/v0.1.json', '.agentrun/lanes/v0.3.json']);
  });

  it('tells what was published when a lane cannot be pruned', async () => {
    const { lanes, json, commit, remote } = setup;
    commit({ number: 1 }, { number: 2 });
    await json('publish', '--all', ...IMAGE);
    await remote.commit({ 'source.v02.json': '{}\n' }, BRANCH);
    rmSync(join(lanes.dir, laneFileOf(2)));
    commit({ number: 1, content: 5 });
    const result = await json('publish', '--all', '--prune', ...IMAGE);
    expect([result.code, ...statuses(result), ...codes(result)]).toEqual([1, 'v0.1 published', 'path-edited']);
  });

  it('needs --all', async () => {
    expect(codes(await setup.json('publish', 'v0.1', '--prune', ...IMAGE))).toEqual(['usage']);
  });
});

describe('a second lane on the same branch', () => {
  it('must not want the paths of the first', async () => {
    const { lanes, json, commit } = setup;
    commit({ number: 1 });
    await json('publish', 'v0.1', ...IMAGE);
    lanes.write(laneFileOf(2), laneText({ number: 2, sourceFile: 'source.v01.json' }));
    lanes.commit();
    const result = await json('publish', 'v0.2', ...IMAGE);
    expect([result.code, ...statuses(result), ...codes(result)]).toEqual([1, 'v0.2 refused', 'path-owned-by-lane']);
  });
});
