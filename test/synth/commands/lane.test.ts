import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { GOOD_LANE, type LaneRepository, laneRepository } from '../../helpers/lane-repository.ts';

const root = join(import.meta.dirname, '..', '..', '..');
let repository: LaneRepository;
afterEach(() => repository.remove());
const open = () => {
  repository = laneRepository({ git: false });
  return repository;
};
const read = (path: string) => readFileSync(join(repository.dir, path), 'utf8');

describe('agentrun lane new', () => {
  it('makes a lane that is right beside the old one, and lists what it changed', async () => {
    const { agentrun } = open();
    const result = await agentrun('lane', 'new', 'v0.12', '--from', 'v0.1');
    expect(result.code).toBe(0);
    const changed = read('lanes/v0.12.yaml')
      .split('\n')
      .filter((line, at) => line !== GOOD_LANE.split('\n')[at]);
    expect(result.stderr).toContain(`${changed.length} lines changed`);
    expect(result.stderr).toContain('namespace: agentrun-v01 -> namespace: agentrun-v012');
    expect((await agentrun('check', '--all')).code).toBe(0);
  });

  it('keeps comments and order, and changes the version as a word only', async () => {
    const { agentrun, write } = open();
    write('lanes/v0.1.yaml', `# about v0.1, not v0.10, v0.1.2 or xv01\n${GOOD_LANE}`);
    await agentrun('lane', 'new', 'v2.0', '--from', 'v0.1');
    const text = read('lanes/v2.0.yaml');
    expect(text.split('\n')[0]).toBe('# about v2.0, not v0.10, v0.1.2 or xv01');
    expect(text.split('\n')).toHaveLength(GOOD_LANE.split('\n').length + 1);
    expect(text).toContain(GOOD_LANE.split('\n').find((line) => line.includes('toolsImage')) ?? 'none');
  });

  it.each([
    ['an existing lane', ['v0.1', '--from', 'v0.1'], 'has the version of the old one'],
    ['what is no version', ['main', '--from', 'v0.1'], 'is no lane version'],
    ['a version with a path', ['../v0.2', '--from', 'v0.1'], 'is no lane version'],
    ['a missing source', ['v0.2', '--from', 'v0.7'], 'lane-not-found'],
  ])('refuses %s', async (_what, args, words) => {
    const { agentrun } = open();
    const result = await agentrun('lane', 'new', ...args);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(words);
    expect(read('lanes/v0.1.yaml')).toBe(GOOD_LANE);
  });

  it('overwrites nothing', async () => {
    const { agentrun, write } = open();
    write('lanes/v0.2.yaml', 'mine\n');
    const result = await agentrun('lane', 'new', 'v0.2', '--from', 'v0.1');
    expect(result.stderr).toContain('error[lane-exists]');
    expect(read('lanes/v0.2.yaml')).toBe('mine\n');
  });
});

describe('agentrun lane schema', () => {
  it('prints the schema that is checked in', async () => {
    const { agentrun } = open();
    expect((await agentrun('lane', 'schema')).stdout).toBe(
      readFileSync(join(root, 'lanes', 'lane.schema.json'), 'utf8'),
    );
  });
});

describe('agentrun prerequisites', () => {
  it('prints each Secret with its keys, and the kubectl line that makes it', async () => {
    const { agentrun } = open();
    const { stdout, code } = await agentrun('prerequisites', 'v0.1');
    expect(code).toBe(0);
    expect(stdout).toContain(
      'kubectl -n agentrun-v01 create secret generic agentrun-v01-db --from-file=DATABASE_URL=DATABASE_URL.txt --from-file=POSTGRES_PASSWORD=POSTGRES_PASSWORD.txt\n',
    );
    expect(stdout).toContain('kubectl get customresourcedefinition pipelines.tekton.dev\n');
  });

  it('names for programs every Secret that the rendered pods use', async () => {
    const { agentrun, write } = open();
    write(
      'lanes/v0.1.yaml',
      GOOD_LANE.replace(/( +)env:\n/, '$1secretEnv: { EXTRA_TOKEN: { name: extra, key: t } }\n$1env:\n'),
    );
    const { stdout } = await agentrun('prerequisites', 'v0.1', '--format', 'json');
    const { prerequisites } = JSON.parse(stdout) as {
      prerequisites: { kind: string; name: string; keys?: string[] }[];
    };
    const secrets = prerequisites.filter(({ kind }) => kind === 'Secret').map(({ name, keys }) => [name, keys]);
    expect(secrets).toEqual([
      ['agentrun-v01-db', ['DATABASE_URL', 'POSTGRES_PASSWORD']],
      ['agentrun-v01-api-key', ['AGENTRUN_API_KEY']],
      ['extra', ['t']],
      ['agentrun-v01-git-ssh', ['id_ed25519', 'known_hosts']],
    ]);
  });
});

describe('agentrun --help', () => {
  it.each([
    [['--help']],
    [['synth', '--help']],
    [['check', '--help']],
    [['lane', 'new', '--help']],
    [['prerequisites', '--help']],
  ])('%j shows examples and ends well', async (args) => {
    const { agentrun } = open();
    const { code, stdout } = await agentrun(...args);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Examples?:\n {2}agentrun /);
  });

  it('prints the version of the package', async () => {
    const { agentrun } = open();
    const { version } = JSON.parse(readFileSync(join(root, 'synth', 'package.json'), 'utf8')) as { version: string };
    expect((await agentrun('--version')).stdout).toBe(`${version}\n`);
  });
});
