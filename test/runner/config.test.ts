import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BackendFailure } from '../../runner/src/backends/backend-failure.ts';
import { readConfig } from '../../runner/src/config.ts';
import { RunnerExit } from '../../runner/src/exit-code.ts';
import { attemptStart } from '../helpers/attempt-start.ts';

let dir = '';
const put = (name: string, content: string): void => writeFileSync(join(dir, name), content);
const attempt = { ...attemptStart('att_1').attempt, placement: 'host-process', logFile: '/tmp/runner.log' };
const read = (env: Record<string, string> = {}) =>
  readConfig({ AGENTRUN_ATTEMPT_DIR: dir, AGENTRUN_ATTEMPT_ID: 'att_1', ...env });

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'agentrun-config-'));
  mkdirSync(join(dir, 'credential'));
  put('attempt.json', JSON.stringify(attempt));
  put('profile.json', JSON.stringify({ name: 'codex', config: { backend: 'codex' }, credential: { kind: 'api-key' } }));
  put('credential/api-key', 'the-key-of-the-profile\n');
  put('token', 'art_att_1_token');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('the configuration of a runner', () => {
  it('comes from the attempt folder, from which the token goes', async () => {
    const config = await read();
    expect(config).toMatchObject({
      token: 'art_att_1_token',
      attempt: { attemptId: 'att_1', runId: 'run_1' },
      profile: { name: 'codex' },
    });
    expect(config.secrets).toEqual(['art_att_1_token', 'the-key-of-the-profile']);
    expect(existsSync(join(dir, 'token'))).toBe(false);
    expect(existsSync(join(dir, 'credential/api-key'))).toBe(true);
  });

  it('knows every line of a key as a secret, and takes known hosts for none', async () => {
    const line = 'b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ';
    put(
      'credential/github-ssh.private-key',
      `-----BEGIN OPENSSH PRIVATE KEY-----\n${line}\n-----END OPENSSH PRIVATE KEY-----\n`,
    );
    put(
      'credential/github-ssh.known-hosts',
      'github.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl',
    );
    const { secrets } = await read();
    expect(secrets).toContain(line);
    expect(secrets.join()).not.toContain('github.com');
  });

  it('keeps a profile that cannot be used as the failure of its turns', async () => {
    put('profile.json', '{"name":"x"}');
    expect((await read()).profile).toBeInstanceOf(BackendFailure);
    rmSync(join(dir, 'profile.json'));
    put('token', 'again');
    expect((await read()).profile).toMatchObject({ failureKind: 'profile-invalid' });
  });

  it.each<[string, () => void, RegExp, Record<string, string>?]>([
    ['no folder named', () => {}, /AGENTRUN_ATTEMPT_DIR is not set/, { AGENTRUN_ATTEMPT_DIR: '' }],
    ['a folder that is not there', () => rmSync(dir, { recursive: true }), /cannot be read \(ENOENT\)/],
    [
      'another attempt in the environment',
      () => {},
      /AGENTRUN_ATTEMPT_ID is "att_2"/,
      { AGENTRUN_ATTEMPT_ID: 'att_2' },
    ],
    ['no token', () => rmSync(join(dir, 'token')), /token cannot be read/],
    ['an empty token', () => put('token', '\n'), /holds no token/],
    ['no JSON', () => put('attempt.json', '{'), /is not JSON/],
    [
      'a member that is missing',
      () => put('attempt.json', JSON.stringify({ ...attempt, runId: undefined })),
      /lacks "runId"/,
    ],
    [
      'a member of another type',
      () => put('attempt.json', JSON.stringify({ ...attempt, leaseMs: '5' })),
      /"leaseMs" must be integer/,
    ],
    [
      'another version',
      () => put('attempt.json', JSON.stringify({ ...attempt, formatVersion: 2 })),
      /"formatVersion" must be 1/,
    ],
    [
      'a URL of another kind',
      () => put('attempt.json', JSON.stringify({ ...attempt, managerUrl: 'ftp://x' })),
      /"managerUrl" has not the form/,
    ],
    [
      'a folder that is not absolute',
      () => put('attempt.json', JSON.stringify({ ...attempt, workspace: { dir: 'x' } })),
      /"workspace": "dir"/,
    ],
  ])('is refused for %s', async (_name, change, words, env = {}) => {
    change();
    const refused = read(env);
    await expect(refused).rejects.toBeInstanceOf(RunnerExit);
    await expect(refused).rejects.toMatchObject({ code: 2, message: expect.stringMatching(words) as string });
  });
});
