import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PublishSource } from '../../../lib/src/gitops/lane-on-branch.ts';
import { unpublishLane } from '../../../lib/src/gitops/unpublish.ts';
import { hasCommand } from '../../helpers/has-command.ts';
import { type PublishSetup, publishSetup, refsOf } from '../../helpers/publish-setup.ts';
import { sshKey } from '../../helpers/ssh-key.ts';

let setup: PublishSetup;
let source: PublishSource;
beforeAll(async () => {
  setup = await publishSetup();
  source = await setup.commit({ number: 1 });
});
afterAll(() => setup.remove());

const hasSsh = hasCommand('sh', '-c', 'command -v ssh-keygen');
const hasGpg = hasCommand('gpg', '--version');
let branches = 0;
/** A branch that no other test uses. */
const newBranch = (): string => `signed/${(branches += 1)}`;

/** What git says of the signature of a commit. */
const verified = (commit = '', signers = '/dev/null'): Promise<string> =>
  setup.remote.git(['-c', `gpg.ssh.allowedSignersFile=${signers}`, 'log', '-1', '--format=%G? %GS', commit]);

describe.runIf(hasSsh)('with an ssh key', () => {
  let key: ReturnType<typeof sshKey>;
  beforeAll(() => {
    key = sshKey(join(setup.scratch, 'key'));
  });
  const signed = (path = key.path) => ({ format: 'ssh', key: path }) as const;

  it('every commit carries a good signature, that of a removal too, and says the same as without', async () => {
    const branch = newBranch();
    const { commit } = await setup.publish(source, { branch, signing: signed() });
    expect(await verified(commit, key.signers)).toBe('G agentrun@localhost');
    const plain = await setup.publish(source, { branch: newBranch() });
    const without = async (id = '') =>
      (await setup.remote.git(['cat-file', 'commit', id])).replace(/gpgsig(?:.*\n )*.*\n/, '');
    expect(await without(commit)).toBe(await without(plain.commit));
    const removal = { lane: 'v0.1', commit: source.commit };
    const removed = await unpublishLane(removal, { remote: setup.remote.url, branch, force: true, signing: signed() });
    expect(await verified(removed.commit, key.signers)).toBe('G agentrun@localhost');
  });

  it('another author signs as himself, and a commit before 1973 keeps its date', async () => {
    const commit = { ...source.commit, committed: '86400 +0130' };
    const options = { branch: newBranch(), signing: signed(), author: "Änne O'Hara <a@b.example>" };
    const { commit: made } = await setup.publish({ ...source, commit }, options);
    const format = '--format=%an <%ae> %ad %cn <%ce> %cd';
    expect(await setup.remote.git(['log', '-1', '--date=raw', format, made ?? ''])).toBe(
      "Änne O'Hara <a@b.example> 86400 +0130 Änne O'Hara <a@b.example> 86400 +0130",
    );
  });

  it('a path is relative to the directory that is given, not to where git runs', async () => {
    const path = relative(setup.lanes.dir, key.path);
    const { commit } = await setup.publish(source, {
      branch: newBranch(),
      cwd: setup.lanes.dir,
      signing: signed(path),
    });
    expect(await verified(commit, key.signers)).toBe('G agentrun@localhost');
  });

  it('a public key signs by the agent that the environment names', async (context) => {
    if (!hasCommand('sh', '-c', 'command -v ssh-agent')) context.skip('there is no ssh-agent');
    const started = execFileSync('ssh-agent', ['-s', '-a', join(setup.scratch, 'agent')], { encoding: 'utf8' });
    const [, pid = ''] = /SSH_AGENT_PID=(\d+)/.exec(started) ?? [];
    try {
      const environment = { ...process.env, SSH_AUTH_SOCK: join(setup.scratch, 'agent') };
      execFileSync('ssh-add', ['-q', key.path], { env: environment, stdio: 'ignore' });
      const alone = join(setup.scratch, 'alone.pub');
      writeFileSync(alone, readFileSync(`${key.path}.pub`));
      const { commit } = await setup.publish(source, { branch: newBranch(), environment, signing: signed(alone) });
      expect(await verified(commit, key.signers)).toBe('G agentrun@localhost');
    } finally {
      process.kill(Number(pid));
    }
  });

  it('a key that is missing, is none, or does not fit its public half signs nothing and pushes nothing', async () => {
    const garbage = join(setup.scratch, 'garbage');
    writeFileSync(garbage, 'no key\n');
    chmodSync(garbage, 0o600);
    const other = sshKey(join(setup.scratch, 'other'));
    const mixed = join(setup.scratch, 'mixed');
    writeFileSync(mixed, readFileSync(key.path));
    chmodSync(mixed, 0o600);
    writeFileSync(`${mixed}.pub`, readFileSync(`${other.path}.pub`));
    const before = await refsOf(setup.remote);
    for (const path of [join(setup.scratch, 'missing'), garbage, mixed]) {
      const failure = setup.publish(source, { branch: newBranch(), signing: signed(path) });
      await expect(failure).rejects.toMatchObject({
        code: 'signing-failed',
        message: expect.stringContaining(`could not be signed with ${path}: `) as string,
        hint: 'Look at the signing key; nothing was pushed, and no unsigned commit was made.',
      });
    }
    expect(await refsOf(setup.remote)).toBe(before);
  });

  it('an unchanged lane is not signed again', async () => {
    const branch = newBranch();
    await setup.publish(source, { branch, signing: signed() });
    const missing = signed(join(setup.scratch, 'missing'));
    expect((await setup.publish(source, { branch, signing: missing })).status).toBe('unchanged');
  });
});

describe.runIf(hasGpg)('with a GPG key', () => {
  const home = (): string => join(setup.scratch, 'gnupg');
  const environment = () => ({ ...process.env, GNUPGHOME: home() });
  beforeAll(() => {
    mkdirSync(home(), { mode: 0o700 });
    const made = [
      '--batch',
      '--quiet',
      '--passphrase',
      '',
      '--quick-gen-key',
      'AgentRun <agentrun@localhost>',
      'ed25519',
      'sign',
    ];
    execFileSync('gpg', made, { env: environment(), stdio: 'ignore' });
  });
  afterAll(() => {
    execFileSync('gpgconf', ['--kill', 'all'], { env: environment(), stdio: 'ignore' });
  });

  it('every commit carries a good signature', async () => {
    const signing = { format: 'openpgp', key: 'agentrun@localhost' } as const;
    const { commit = '' } = await setup.publish(source, { branch: newBranch(), environment: environment(), signing });
    const shown = execFileSync('git', ['log', '-1', '--format=%G? %GS', commit], {
      cwd: setup.remote.dir,
      env: environment(),
      encoding: 'utf8',
    });
    expect(shown.trim()).toBe('G AgentRun <agentrun@localhost>');
  });

  it('a key that nobody has signs nothing and pushes nothing', async () => {
    const before = await refsOf(setup.remote);
    const signing = { format: 'openpgp', key: 'nobody@example.com' } as const;
    const failure = setup.publish(source, { branch: newBranch(), environment: environment(), signing });
    await expect(failure).rejects.toMatchObject({ code: 'signing-failed' });
    expect(await refsOf(setup.remote)).toBe(before);
  });
});
