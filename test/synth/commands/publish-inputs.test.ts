import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CommandSetup, commandSetup, IMAGE } from '../../helpers/command-setup.ts';
import { isolatedGitEnvironment } from '../../helpers/git-remote.ts';
import { hasCommand } from '../../helpers/has-command.ts';
import { GOOD_LANE } from '../../helpers/lane-repository.ts';
import { REPOSITORY_URL } from '../../helpers/publish-lanes.ts';
import { REPOSITORY } from '../../helpers/repository-root.ts';
import { sshKey } from '../../helpers/ssh-key.ts';

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

describe('the image', () => {
  it('is the one of the branch with --artifact branch, told as reused', async () => {
    const { json, show } = setup;
    expect(codes(await json('publish', 'v0.1', '--artifact', 'branch'))).toEqual(['artifact-missing']);
    await json('publish', 'v0.1', ...IMAGE);
    changeLane('300001');
    expect(statuses(await json('publish', 'v0.1', '--artifact', 'branch'))).toEqual(['v0.1 published']);
    const catalog = JSON.parse(await show(GITOPS, CATALOG)) as { summary: string; services: { digest: string }[] };
    expect(catalog).toMatchObject({
      summary: 'build=0 reuse=1 placeholder=0',
      services: [{ digest: IMAGE[1], status: 'reused' }],
    });
  });

  it('is not taken from a catalog that somebody edited', async () => {
    const { json, remote, show } = setup;
    await json('publish', 'v0.1', ...IMAGE);
    const catalog = await show(GITOPS, CATALOG);
    await remote.commit({ [CATALOG]: `${catalog.replaceAll(IMAGE[1], `sha256:${'f'.repeat(64)}`)}\n` }, GITOPS);
    const result = await json('publish', 'v0.1', '--artifact', 'branch', '--force');
    expect([result.code, ...codes(result)]).toEqual([1, 'path-edited']);
  });

  it('is that of a file, one for each lane', async () => {
    const { lanes, json, show } = setup;
    await lanes.agentrun('synth', 'v0.1', ...IMAGE, '--out', 'out');
    writeFileSync(join(lanes.dir, 'dist-v0.1.json'), readFileSync(join(lanes.dir, 'out', CATALOG)));
    expect(statuses(await json('publish', 'v0.1', '--artifact', 'dist-{lane}.json'))).toEqual(['v0.1 published']);
    expect(await show(GITOPS, CATALOG)).toContain(IMAGE[1]);
  });

  it('must be named in one way', async () => {
    const { json } = setup;
    expect(codes(await json('publish', 'v0.1'))).toEqual(['artifact-missing']);
    expect(codes(await json('publish', 'v0.1', ...IMAGE, '--placeholder'))).toEqual(['usage']);
  });

  it('may be none at all, and is then said to be the placeholder', async () => {
    const { json, show } = setup;
    expect(statuses(await json('publish', 'v0.1', '--placeholder'))).toEqual(['v0.1 published']);
    expect(await show(GITOPS, CATALOG)).toContain('placeholder=1');
  });

  it('of the tools must not be the example, unless nothing can run anyway', async () => {
    const { lanes, json } = setup;
    lanes.write('lanes/v0.1.yaml', readFileSync(join(REPOSITORY, 'lanes', 'v0.1.yaml'), 'utf8'));
    lanes.commit();
    const refused = await json('publish', 'v0.1', ...IMAGE, '--source-commit', 'c'.repeat(40));
    expect([refused.code, ...statuses(refused), ...codes(refused)]).toEqual([1, 'v0.1 refused', 'example-image']);
    expect(await tip()).toBe('none');
    expect(statuses(await json('publish', 'v0.1', '--placeholder'))).toEqual(['v0.1 published']);
  });
});

describe('the repository of the lane', () => {
  it('must have no changes that are not committed, and there is no way around it', async () => {
    const { lanes, json, run } = setup;
    lanes.write('lanes/v0.1.yaml', `${GOOD_LANE}# change\n`);
    expect(codes(await json('publish', 'v0.1', ...IMAGE))).toEqual(['repository-dirty']);
    const flag = await run('publish', 'v0.1', ...IMAGE, '--allow-dirty');
    expect(flag.code).toBe(1);
    expect(flag.stderr).toContain("unknown option '--allow-dirty'");
    expect(await tip()).toBe('none');
  });

  it('is named on the branch by --lane-repository, else by its remote, without credentials', async () => {
    const { json, show } = setup;
    const named = async () => (JSON.parse(await show(GITOPS, INVENTORY)) as { laneRepository: string }).laneRepository;
    await json('publish', 'v0.1', ...IMAGE);
    expect(await named()).toBe(REPOSITORY_URL);
    changeLane('300001');
    await json(
      'publish',
      'v0.1',
      ...IMAGE,
      '--lane-repository',
      'https://ann:pass@git.example.internal/agentrun/agentrun',
    );
    expect(await named()).toBe('https://git.example.internal/agentrun/agentrun');
  });

  it('must be known by an address', async () => {
    const { lanes, json } = setup;
    lanes.git('remote', 'remove', 'origin');
    const result = await json('publish', 'v0.1', ...IMAGE, '--source-commit', 'c'.repeat(40));
    expect([result.code, ...codes(result)]).toEqual([1, 'lane-repository-unknown']);
  });

  it('may be another one than that of the code, whose commit is then to be given', async () => {
    const other = await commandSetup({ origin: 'https://git.example.internal/deploy/lanes.git' });
    try {
      expect(codes(await other.json('publish', 'v0.1', ...IMAGE))).toEqual(['source-commit-missing']);
      await other.json('publish', 'v0.1', ...IMAGE, '--source-commit', 'c'.repeat(40));
      const metadata = JSON.parse(await other.show(GITOPS, 'hydrator.metadata')) as object;
      expect(metadata).toMatchObject({
        repoURL: 'https://git.example.internal/deploy/lanes.git',
        drySha: other.lanes.git('rev-parse', 'HEAD'),
        references: [{ commit: { sha: 'c'.repeat(40) } }],
      });
      expect((await other.json('verify', 'v0.1')).lanes).toMatchObject([{ status: 'equal' }]);
    } finally {
      await other.remove();
    }
  });
});

describe('the options of a write', () => {
  it.each([
    [['--author', 'nobody']],
    [['--author', 'A <b> <c>']],
    [['--deadline', '0']],
    [['--deadline', 'soon']],
    [['--deadline', '86401']],
    [['--sign-format', 'x509']],
    [['--format', 'xml']],
  ])('refuse %j', async (args) => {
    const result = await setup.run('publish', 'v0.1', ...IMAGE, ...args);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(`error: option '${args[0]}`);
    expect(await tip()).toBe('none');
  });

  it('name the author and committer', async () => {
    await setup.run('publish', 'v0.1', ...IMAGE, '--author', 'Ann Bot <ann@example.com>', '--deadline', '5');
    expect(await setup.remote.git(['log', '-1', '--format=%an <%ae> %cn <%ce>', GITOPS])).toBe(
      'Ann Bot <ann@example.com> Ann Bot <ann@example.com>',
    );
  });

  it('sign with a key whose path is relative to where one stands', async () => {
    const { lanes, run, remote } = setup;
    mkdirSync(join(lanes.dir, 'out'));
    sshKey(join(lanes.dir, 'out', 'key'));
    const result = await run('publish', 'v0.1', ...IMAGE, '--sign', 'out/key');
    expect(result).toMatchObject({ code: 0 });
    expect(await remote.git(['cat-file', 'commit', GITOPS])).toContain('gpgsig -----BEGIN SSH SIGNATURE-----');
    const missing = await run('publish', 'v0.1', ...IMAGE, '--sign', 'out/nokey', '--branch', 'other');
    expect(missing.stderr).toContain('error[signing-failed]');
    expect(await tip('other')).toBe('none');
  });

  it('say where to, instead of the lane', async () => {
    await setup.run('publish', 'v0.1', ...IMAGE, '--branch', 'review/next');
    expect([await tip(), (await tip('review/next')).length]).toEqual(['none', 40]);
  });
});

describe('what goes wrong', () => {
  it.each([
    [
      'sarif',
      (text: string) => (JSON.parse(text) as { runs: { results: { ruleId: string }[] }[] }).runs[0]?.results[0]?.ruleId,
    ],
    ['github', (text: string) => /title=([a-z-]+)/.exec(text)?.[1] ?? text],
    ['json', (text: string) => (JSON.parse(text) as { problems: { code: string }[] }).problems[0]?.code],
  ])('is told as %s on standard output', async (format, read) => {
    await setup.remote.commit({ [MANAGER]: 'mine: true\n' }, GITOPS);
    const { stdout, code } = await setup.run('publish', 'v0.1', ...IMAGE, '--format', format);
    expect([code, read(stdout)]).toEqual([1, expect.stringContaining('path-foreign') as string]);
  });

  it('is told with the next step, for a repository that is not there', async () => {
    const result = await setup.lanes.agentrun('publish', 'v0.1', ...IMAGE, '--remote', '/nonexistent/x.git');
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/^lanes\/v0\.1\.yaml: error\[remote-not-found\] \/nonexistent\/x\.git: /);
    expect(result.stderr).toContain('hint: Create the repository');
    expect(result.stderr).toContain('lane v0.1: refused');
  });

  it('is only a warning when the note alone is refused', async () => {
    const hook = join(setup.remote.dir, 'hooks', 'update');
    mkdirSync(join(setup.remote.dir, 'hooks'), { recursive: true });
    writeFileSync(hook, '#!/bin/sh\ncase $1 in refs/notes/*) echo no notes here >&2; exit 1 ;; esac\n');
    chmodSync(hook, 0o755);
    const result = await setup.json('publish', 'v0.1', ...IMAGE);
    expect([result.code, result.ok, ...statuses(result)]).toEqual([0, true, 'v0.1 published']);
    expect(result.problems).toMatchObject([{ code: 'note-not-pushed', severity: 'warning' }]);
  });
});

describe.skipIf(!hasCommand('kubectl', 'version', '--client'))('kubectl kustomize', () => {
  it('builds the same from the branch as from the rendered files', async () => {
    const { run, lanes, remote } = setup;
    await run('publish', 'v0.1', ...IMAGE);
    await lanes.agentrun('synth', 'v0.1', ...IMAGE, '--out', 'out');
    const checkout = join(lanes.dir, 'dist', 'checkout');
    execFileSync('git', ['clone', '--quiet', '--branch', GITOPS, remote.dir, checkout], {
      env: isolatedGitEnvironment(),
    });
    const built = [join(lanes.dir, 'out'), checkout].map((root) => {
      const { stdout, status } = spawnSync('kubectl', ['kustomize', join(root, 'deploy/gitops/runtime-v01')], {
        encoding: 'utf8',
      });
      return { stdout, status };
    });
    expect(built[0]?.stdout).toContain('kind: Deployment');
    expect(built[1]).toEqual(built[0]);
  });
});
