import { EXECUTION_POLICY_DEFAULTS } from '@agentrun/lib/contract';
import { describe, expect, it } from 'vitest';
import { codexFiles } from '../../../runner/src/backends/codex/config.ts';
import { codexError, failureKindOf } from '../../../runner/src/backends/codex/failures.ts';
import { fileChangeOf } from '../../../runner/src/backends/codex/file-diff.ts';
import { codexPolicy, unheldPolicy } from '../../../runner/src/backends/codex/policy.ts';

describe('the settings of codex', () => {
  it('survive any text', () => {
    const config = { backend: 'codex', model: 'a"\\\n]\u007f[x]', baseUrl: 'http://h/v1/' } as const;
    const files = codexFiles({ name: 'x"]\ny = 1', config, credential: { kind: 'none' } }, '/home');
    expect(files['config.toml']).toContain('model = "a\\"\\\\\\n]\\u007F[x]"\n');
    expect(files['config.toml']).toContain('name = "x\\"]\\ny = 1"\n');
    expect(files['config.toml']).toContain('base_url = "http://h/v1"\n');
    expect(files['config.toml']).not.toContain('env_key');
  });

  it('cannot be made for a wire that codex does not speak', () => {
    const config = { backend: 'codex', wireApi: 'chat' } as const;
    expect(() => codexFiles({ name: 'x', config, credential: { kind: 'none' } }, '/home')).toThrow(/"responses" only/);
  });
});

describe('the kind of a failure of codex', () => {
  it.each([
    ['contextWindowExceeded', 'x', undefined, 'context-overflow'],
    ['usageLimitExceeded', 'x', undefined, 'provider-quota'],
    ['unauthorized', 'x', undefined, 'provider-auth-failed'],
    ['modelNotFound', 'x', undefined, 'profile-invalid'],
    ['serverOverloaded', 'x', undefined, 'provider-unavailable'],
    [{ httpConnectionFailed: { httpStatusCode: 403 } }, 'x', undefined, 'provider-auth-failed'],
    [{ httpConnectionFailed: { httpStatusCode: null } }, 'x', undefined, 'provider-unavailable'],
    [{ httpConnectionFailed: { httpStatusCode: 404 } }, 'x', undefined, 'profile-invalid'],
    [{ responseTooManyFailedAttempts: { httpStatusCode: 429 } }, 'x', undefined, 'provider-rate-limited'],
    [{ somethingNew: { httpStatusCode: 503 } }, 'x', undefined, 'provider-unavailable'],
    ['other', 'x', 401, 'provider-auth-failed'],
    ['other', 'Missing environment variable: `K`.', undefined, 'provider-auth-failed'],
    ['other', 'stream disconnected before completion: x', undefined, 'provider-unavailable'],
    ['other', '{"error":{"type":"invalid_request_error"}}', undefined, 'profile-invalid'],
    ['other', 'write failed: No space left on device', undefined, 'disk-full'],
    ['somethingNew', 'nobody has seen this', undefined, 'backend-protocol'],
    [undefined, 'unexpected status 402 Payment Required', undefined, 'provider-quota'],
    [null, 'x', undefined, 'backend-protocol'],
  ])('is found for %j, "%s", %s: %s', (codexErrorInfo, message, retryStatus, kind) => {
    expect(failureKindOf(codexError({ message, codexErrorInfo }), retryStatus)).toBe(kind);
  });

  it('is found for an error that is none', () => {
    for (const error of [null, 'text', {}])
      expect(failureKindOf(codexError(error), undefined)).toBe('backend-protocol');
  });
});

describe('a changed file', () => {
  const change = (value: object) => fileChangeOf(value as Record<string, unknown>, '/ws', 'call_1');

  it('that came or went has a diff of its whole text', () => {
    expect(change({ path: '/ws/a/b.txt', kind: { type: 'add' }, diff: 'one\ntwo\n' })).toMatchObject({
      path: 'a/b.txt',
      kind: 'add',
      diff: '--- /dev/null\n+++ b/a/b.txt\n@@ -0,0 +1,2 @@\n+one\n+two\n',
    });
    expect(change({ path: '/ws/a', kind: { type: 'delete' }, diff: 'one' })).toMatchObject({
      kind: 'delete',
      diff: '--- a/a\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-one\n\\ No newline at end of file\n',
    });
    expect(change({ path: '/ws/empty', kind: { type: 'add' }, diff: '' })?.diff).toBe('--- /dev/null\n+++ b/empty\n');
  });

  it('that changed keeps the diff of codex, and one outside keeps its path', () => {
    const diff = '@@ -1 +1 @@\n-a\n+b\n';
    expect(change({ path: '/ws/x', kind: { type: 'update', move_path: '/ws/y' }, diff })).toMatchObject({
      path: 'x',
      kind: 'update',
      movedTo: 'y',
      diff: `--- a/x\n+++ b/y\n${diff}`,
    });
    expect(change({ path: '/etc/x', kind: { type: 'update', move_path: null }, diff })?.path).toBe('/etc/x');
    expect(change({ kind: { type: 'add' } })).toBeNull();
  });
});

describe('a policy in the words of codex', () => {
  it('takes the sandbox of the placement when it names none', () => {
    expect(codexPolicy(EXECUTION_POLICY_DEFAULTS, 'full')).toEqual({
      approvalPolicy: 'never',
      sandboxPolicy: { type: 'dangerFullAccess' },
    });
    const policy = {
      ...EXECUTION_POLICY_DEFAULTS,
      sandbox: 'workspace-write',
      network: false,
      approvals: 'decline',
    } as const;
    expect(codexPolicy(policy, 'full')).toMatchObject({
      approvalPolicy: 'on-request',
      sandboxPolicy: { type: 'workspaceWrite', networkAccess: false },
    });
    expect(codexPolicy({ ...policy, sandbox: 'read-only' }, 'full')).toMatchObject({
      sandboxPolicy: { type: 'readOnly', networkAccess: false },
    });
  });

  it('cannot be held where the sandbox is none', () => {
    const offline = { ...EXECUTION_POLICY_DEFAULTS, network: false };
    expect(unheldPolicy(offline, 'full')).toContain('network');
    expect(unheldPolicy(offline, 'workspace-write')).toBeNull();
    expect(unheldPolicy(EXECUTION_POLICY_DEFAULTS, 'full')).toBeNull();
  });
});
