import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createGitRemote, type GitRemote } from '../../helpers/git-remote.ts';
import { hasCommand } from '../../helpers/has-command.ts';
import { GOOD_LANE } from '../../helpers/lane-repository.ts';
import { sshCalls, sshShim } from '../../helpers/ssh-shim.ts';
import { type StepRunner, stepRunner } from '../../helpers/step-runner.ts';

const KNOWN_HOSTS =
  'git.example.internal ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0mJ3Jx0M0m0o1p0q0r0s0t0u0v0w0x0y0z0a0b0c0d\n';
const IMAGE = { IMAGE_DIGEST: `sha256:${'ab'.repeat(32)}`, ENV_IDENTITY: 'env-0123456789ab' };

let source: GitRemote;
let commit: string;
let gitops: GitRemote;
let steps: StepRunner;
let secret: string;

beforeAll(async () => {
  source = await createGitRemote();
  commit = await source.commit({ 'lanes/v0.1.yaml': GOOD_LANE }, 'v0.1');
});
afterAll(() => source.remove());
beforeEach(async () => {
  gitops = await createGitRemote();
  await gitops.commit({ 'README.md': 'a repository for the GitOps branches\n' });
  steps = stepRunner((root) => ({ ssh: sshShim(root) }));
  secret = join(steps.root, 'git-ssh');
});
afterEach(async () => {
  execFileSync('chmod', ['-R', 'u+w', steps.root]);
  steps.remove();
  await gitops.remove();
});

/** A private key, and its fingerprint. */
function newKey(name: string): { text: string; fingerprint: string } {
  const path = join(steps.root, name);
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', path]);
  const [, fingerprint = ''] = execFileSync('ssh-keygen', ['-lf', path], { encoding: 'utf8' }).split(' ');
  return { text: readFileSync(path, 'utf8'), fingerprint };
}

/** Mounts a Secret as the kubelet does: files that all may read, behind two links, in a folder that nobody writes. */
function mountSecret(files: Readonly<Record<string, string>>): void {
  const data = join(secret, '..2026_01_01_00_00_00.000000001');
  mkdirSync(data, { recursive: true });
  symlinkSync(basename(data), join(secret, '..data'));
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(data, name), text, { mode: 0o444 });
    symlinkSync(join('..data', name), join(secret, name));
  }
  for (const folder of [data, secret]) chmodSync(folder, 0o555);
}

async function publish() {
  await steps.run('clone', { GIT_READ_URL: source.url, REVISION: commit, SOURCE_BRANCH: 'v0.1' });
  return steps.run('publish', {
    GIT_URL: 'ssh://git@git.example.internal/agentrun/agentrun.git',
    GIT_WRITE_URL: `ssh://git@git.example.internal:2222${gitops.dir}`,
    GITOPS_BRANCH: 'v0.1-gitops',
    ...IMAGE,
    SSH_WORKSPACE: secret,
    RESULT_COMMIT: join(steps.root, 'commit'),
    // What somebody left in the environment has no say.
    GIT_SSH_COMMAND: 'false',
  });
}

/** The values of `-o`. */
const optionsOf = (args: readonly string[]): string[] => args.filter((_, at) => args[at - 1] === '-o');

describe.skipIf(!hasCommand('sh', '-c', 'command -v ssh-keygen'))('the publish step with the workspace git-ssh', () => {
  it('pushes with its key, and trusts the hosts that it knows, no other', async () => {
    const key = newKey('id_ed25519');
    mountSecret({ id_ed25519: key.text, 'id_ed25519.pub': 'not a private key\n', known_hosts: KNOWN_HOSTS });
    const done = await publish();
    expect(done.stderr).toBe('');
    const head = await gitops.git(['rev-parse', 'v0.1-gitops']);
    expect(done).toMatchObject({ code: 0, record: { status: 'published', revision: commit, commit: head } });

    const calls = sshCalls(steps.root);
    expect(calls.map(({ command }) => command.split(' ')[0])).toContain('git-receive-pack');
    for (const { arguments: args, command, seen } of calls) {
      expect(command).toMatch(new RegExp(`^git-(?:upload|receive)-pack '${gitops.dir}'$`));
      const identity = args[args.indexOf('-i') + 1] ?? '';
      const folder = dirname(identity);
      expect(folder.startsWith(`${steps.temporary}/`), 'a folder of its own').toBe(true);
      expect(args.filter((argument) => argument === '-i')).toHaveLength(1);
      expect(args.slice(0, 2)).toEqual(['-F', '/dev/null']);
      expect(optionsOf(args)).toEqual(
        expect.arrayContaining([
          'BatchMode=yes',
          'StrictHostKeyChecking=yes',
          `UserKnownHostsFile=${folder}/known_hosts`,
          'GlobalKnownHostsFile=/dev/null',
          'IdentitiesOnly=yes',
          'IdentityAgent=none',
        ]),
      );
      expect(args.slice(-3)).toEqual(['-p', '2222', 'git@git.example.internal']);
      const lines = seen.join('\n');
      expect(lines).toContain(`600 ${folder}/id_ed25519\n256 ${key.fingerprint} `);
      expect(lines).toContain(KNOWN_HOSTS.trim());
    }
    expect(readdirSync(steps.temporary), 'no copy of the key is left').toEqual([]);
    expect(`${done.stdout}${done.stderr}`).not.toMatch(/PRIVATE|AAAAC3/);
  });

  it('takes every key, also one that lost its last line feed', async () => {
    const [one, two] = [newKey('id_rsa'), newKey('id_ecdsa')];
    mountSecret({ id_rsa: one.text.trimEnd(), id_ecdsa: two.text, known_hosts: KNOWN_HOSTS });
    expect(await publish()).toMatchObject({ code: 0, record: { status: 'published' } });
    const [call] = sshCalls(steps.root);
    const seen = call?.seen.join('\n') ?? '';
    expect(seen).toContain(one.fingerprint);
    expect(seen).toContain(two.fingerprint);
  });

  it.skipIf(!hasCommand('sh', '-c', 'command -v ssh'))('gives the real ssh options that it understands', async () => {
    mountSecret({ id_ed25519: newKey('id_ed25519').text, known_hosts: KNOWN_HOSTS });
    await publish();
    const settings = sshCalls(steps.root)[0]?.settings ?? [];
    const setting = (name: string) => settings.filter((line) => line.startsWith(`${name} `));
    for (const line of ['batchmode yes', 'identitiesonly yes', 'identityagent none', 'port 2222', 'user git'])
      expect(settings).toContain(line);
    expect(setting('stricthostkeychecking')).toEqual([expect.stringMatching(/ (?:yes|true)$/)]);
    expect(setting('userknownhostsfile')).toEqual([expect.stringMatching(/ [^ ]*\/known_hosts$/)]);
    expect(setting('identityfile')).toEqual([expect.stringMatching(/\/id_ed25519$/)]);
  });

  it.each([
    ['file of known hosts', { id_ed25519: 'a key\n' }, 'the workspace git-ssh has no file "known_hosts"'],
    ['private key', { 'id_ed25519.pub': 'x\n', known_hosts: KNOWN_HOSTS }, 'the workspace git-ssh has no private key'],
    ['file at all', {}, 'the workspace git-ssh has no file "known_hosts"'],
  ])('ends at once when the workspace has no %s', async (_what, files, message) => {
    mountSecret(files);
    const done = await publish();
    expect(done).toMatchObject({ code: 2, record: { event: 'agentrun-ci-publish', status: 'failed', commit: null } });
    expect(done.stderr).toContain(`publish: error: ${message}`);
    expect(sshCalls(steps.root)).toEqual([]);
    expect(readdirSync(steps.temporary)).toEqual([]);
  });

  it('does without a workspace', async () => {
    await steps.run('clone', { GIT_READ_URL: source.url, REVISION: commit });
    const done = await steps.run('publish', {
      GIT_URL: source.url,
      GIT_WRITE_URL: `ssh://git@git.example.internal${gitops.dir}`,
      GITOPS_BRANCH: 'v0.1-gitops',
      ...IMAGE,
      SSH_WORKSPACE: '',
      RESULT_COMMIT: join(steps.root, 'commit'),
    });
    expect(done).toMatchObject({ code: 0, record: { status: 'published' } });
    expect(sshCalls(steps.root)[0]?.arguments).not.toContain('-i');
  });
});
