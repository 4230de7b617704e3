import { afterEach, describe, expect, it } from 'vitest';
import { GOOD_LANE, type LaneRepository, laneRepository } from '../../helpers/lane-repository.ts';

interface JsonReport {
  readonly ok: boolean;
  readonly lanes: readonly { lane: string; status: string; filesDigest?: string }[];
  readonly problems: readonly {
    code: string;
    severity: string;
    file: string;
    line: number;
    column: number;
    lanePath?: string;
  }[];
}

let repository: LaneRepository;
afterEach(() => repository.remove());
const open = (options?: Parameters<typeof laneRepository>[0]) => {
  repository = laneRepository(options);
  return repository;
};
const reportOf = (text: string) => JSON.parse(text) as JsonReport;

describe('agentrun check', () => {
  it('says that a good lane is right, and that it used the placeholder', async () => {
    const { agentrun } = open();
    const result = await agentrun('check', 'v0.1');
    expect(result).toMatchObject({ code: 0, stdout: '' });
    expect(result.stderr).toContain('v0.1 is right, checked with the placeholder image');
  });

  it('needs no repository and no clean tree', async () => {
    const { agentrun, write } = open({ git: false });
    write('lanes/v0.1.yaml', `${GOOD_LANE}# a note\n`);
    expect((await agentrun('check', 'v0.1')).code).toBe(0);
  });

  it('gives the same digests wherever it runs: neither commit nor folder counts', async () => {
    const first = reportOf((await open().agentrun('check', 'v0.1', '--format', 'json')).stdout);
    repository.remove();
    const second = reportOf((await open({ git: false }).agentrun('check', 'v0.1', '--format', 'json')).stdout);
    expect(second.lanes).toEqual(first.lanes);
  });

  it('reports every mistake of every lane at once, with its place', async () => {
    const { agentrun, write } = open();
    write('lanes/v0.1.yaml', GOOD_LANE.replace('maxRunners: 20', 'maxRunners: none').replace('nodeId:', 'nodeld:'));
    write('lanes/v0.2.yaml', GOOD_LANE.replace('version: v0.1', 'version: v0.3'));
    const report = reportOf((await agentrun('check', '--all', '--format', 'json')).stdout);
    expect(report.ok).toBe(false);
    expect(new Set(report.problems.map(({ file, code }) => `${file} ${code}`))).toEqual(
      new Set([
        'lanes/v0.1.yaml lane-type',
        'lanes/v0.1.yaml lane-unknown-field',
        'lanes/v0.2.yaml lane-rule',
        'lanes/v0.2.yaml lane-version-mismatch',
      ]),
    );
    for (const problem of report.problems)
      expect(problem).toMatchObject({ line: expect.any(Number) as number, column: expect.any(Number) as number });
  });

  it('finds what two lanes must not share', async () => {
    const { agentrun, write } = open();
    await agentrun('lane', 'new', 'v0.2', '--from', 'v0.1');
    expect((await agentrun('check', '--all')).code).toBe(0);
    write(
      'lanes/v0.3.yaml',
      GOOD_LANE.replace('version: v0.1', 'version: v0.3').replace(
        'agentrun.pikastech.local/lane: v0.1',
        'agentrun.pikastech.local/lane: v0.3',
      ),
    );
    const report = reportOf((await agentrun('check', '--all', '--format', 'json')).stdout);
    expect(report.problems.map(({ code, file }) => `${file} ${code}`)).toContain('lanes/v0.3.yaml lane-conflict');
    expect(report.lanes.map(({ lane, status }) => `${lane} ${status}`)).toEqual(['v0.1 ok', 'v0.2 ok', 'v0.3 failed']);
  });

  it('reports a fault of the output at the line of the lane that caused it', async () => {
    const { agentrun, write } = open();
    write('lanes/v0.1.yaml', GOOD_LANE.replace(/( +)resources:\n/, '$1resources:\n$1  claims: [{ nam: gpu }]\n'));
    const result = await agentrun('check', 'v0.1', '--format', 'json');
    const { problems } = reportOf(result.stdout);
    expect(result.code).toBe(1);
    const line = GOOD_LANE.split('\n').findIndex((text) => text.trim() === 'resources:') + 1;
    expect(problems.map(({ code }) => code)).toContain('output-schema');
    for (const problem of problems) {
      expect(problem).toMatchObject({
        file: 'lanes/v0.1.yaml',
        line,
        lanePath: expect.stringMatching(/^deployment\.manager\.resources/) as string,
      });
    }
  });

  it('prints no secret, in no format', async () => {
    const { agentrun, write } = open();
    const secret = ['ghp', 'A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8'].join('_');
    write(
      'lanes/v0.1.yaml',
      GOOD_LANE.replace(/( +)env:\n/, `$1env:\n$1  X_TOKEN: ${secret}\n`).replace(
        'maxRunners: 20',
        `maxRunners: ${secret}`,
      ),
    );
    for (const format of ['text', 'json', 'sarif', 'github']) {
      const { code, stdout, stderr } = await agentrun('check', 'v0.1', '--format', format);
      expect(code).toBe(1);
      expect(stdout + stderr).toContain('lane-secret');
      expect(stdout + stderr).not.toContain(secret.slice(4));
    }
  });

  it('warns of a setting that the manager does not know, and passes', async () => {
    const { agentrun, write } = open();
    write('lanes/v0.1.yaml', GOOD_LANE.replace(/( +)env:\n/, '$1env:\n$1  AGENTRUN_SESION_GC_INTERVAL_MS: "5"\n'));
    const result = await agentrun('check', 'v0.1');
    expect(result.code).toBe(0);
    expect(result.stderr).toContain('warning[lane-unknown-setting]');
    expect(result.stderr).toContain('Did you mean AGENTRUN_SESSION_GC_INTERVAL_MS?');
  });

  it.each([
    [['check'], 'name a lane'],
    [['check', 'v0.1', 'v0.1'], 'named twice'],
    [['check', '--all', '--lanes-dir', 'nowhere'], 'cannot be read'],
    [['check', 'v9.9'], 'lane-not-found'],
    [['check', 'lanes'], 'lane-not-found'],
    [['check', './lanes'], 'is a directory'],
    [['check', 'v0.1', '--format', 'xml'], 'xml'],
    [['chek', 'v0.1'], "unknown command 'chek'"],
    [['check', '--al'], "unknown option '--al'"],
    [['lane', 'new', 'v0.2'], '--from'],
    [[], 'Usage: agentrun'],
  ])('answers %j with help, exit 1 and no stack trace', async (args, words) => {
    const { agentrun } = open();
    const { code, stdout, stderr } = await agentrun(...args);
    expect(code).toBe(1);
    expect(stderr).toContain(words);
    expect(stdout + stderr).not.toMatch(/^\s+at /m);
  });
});
