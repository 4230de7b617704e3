import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AgentRunError, type ErrorCode } from '../../../lib/src/errors.ts';
import { GitFailure } from '../../../lib/src/gitops/git.ts';
import { remoteFailure, resolveRemote, withoutCredentials } from '../../../lib/src/gitops/remote.ts';
import { saysRace, saysRefused } from '../../../lib/src/gitops/remote-wordings.ts';

const rejected = (words: string, kind = 'remote rejected'): string =>
  `To ssh://git@host/x.git\n!\t${'ab'.repeat(20)}:refs/heads/x\t[${kind}] (${words})\nDone\nerror: failed to push some refs to 'ssh://git@host/x.git'`;
const OLD = '12'.repeat(20);
const NEW = '34'.repeat(20);

it.each([
  ['git, the lease', rejected('stale info', 'rejected')],
  ['git, no lease', rejected('fetch first', 'rejected')],
  ['git, no lease', rejected('non-fast-forward', 'rejected')],
  ['git, files', rejected('failed to update ref')],
  ['git, files', rejected('incorrect old value provided')],
  ['git, files', rejected("cannot lock ref 'refs/heads/x': reference already exists")],
  ['git, files', rejected('reference already exists')],
  ['git, http', rejected(`cannot lock ref 'refs/heads/x': is at ${NEW} but expected ${OLD}`)],
  [
    'git, files',
    `error: cannot lock ref 'refs/heads/x': Unable to create '/srv/x.git/refs/heads/x.lock': File exists.`,
  ],
  ['git, a shallow remote', rejected('shallow update not allowed')],
  ['git, the shallow file', 'fatal: shallow file has changed since we read it'],
  ['git 2.50', rejected('reference update failed')],
  ['git, atomic', rejected('atomic transaction failed')],
  ['JGit', rejected('failed to lock')],
  ['JGit', rejected('lock failure')],
  [
    'Azure DevOps',
    rejected(
      "TF401028: The reference 'refs/heads/x' has already been updated by another client, so you cannot update it. Please try again.",
    ),
  ],
  ['Bitbucket', rejected('failed to update ref; the reference has been updated by another push')],
])('another publisher that was faster is known by the words of %s (%#)', (_, said) => {
  expect(saysRace(said)).toBe(true);
});

it.each<[ErrorCode, string]>([
  ['branch-protected', rejected('pre-receive hook declined')],
  ['branch-protected', rejected('hook declined')],
  ['branch-protected', rejected('protected branch hook declined')],
  ['branch-protected', `remote: error: GH006: Protected branch update failed for refs/heads/x.\n${rejected('x')}`],
  ['branch-protected', `remote: error: GH013: Repository rule violations found for refs/heads/x.\n${rejected('x')}`],
  ['branch-protected', 'remote: GitLab: You are not allowed to push code to protected branches on this project.'],
  ['branch-protected', 'remote: Gitea: Not allowed to push to protected branch x'],
  ['branch-protected', 'remote: Branch refs/heads/x can only be modified through pull requests.'],
  [
    'branch-protected',
    rejected('TF402455: Pushes to this branch are not permitted; you must use a pull request to update this branch.'),
  ],
  ['branch-protected', rejected('prohibited by Gerrit: not permitted: update')],
  [
    'branch-protected',
    rejected('branch is currently checked out').replace('x.git', 'y.git') +
      '\nremote: error: refusing to update checked out branch: refs/heads/x',
  ],
  ['remote-auth', "fatal: Authentication failed for 'https://host/x.git/'"],
  ['remote-auth', "fatal: could not read Username for 'https://host': terminal prompts disabled"],
  ['remote-auth', 'remote: HTTP Basic: Access denied\nfatal: Authentication failed'],
  [
    'remote-auth',
    'remote: Permission to a/b.git denied to c.\nfatal: unable to access: The requested URL returned error: 403',
  ],
  ['remote-auth', 'remote: Write access to repository not granted.'],
  ['remote-auth', 'git@host: Permission denied (publickey).\nfatal: Could not read from remote repository.'],
  ['remote-auth', 'git@host: Permission denied (keyboard-interactive).'],
  ['remote-auth', 'error: RPC failed; HTTP 403 curl 22 The requested URL returned error: 403'],
  ['remote-auth', 'fatal: unable to access: Received HTTP code 407 from proxy after CONNECT'],
  ['remote-auth', 'remote: error: insufficient permission for adding an object to repository database ./objects'],
  ['remote-not-found', 'ERROR: Repository not found.\nfatal: Could not read from remote repository.'],
  [
    'remote-not-found',
    "fatal: '/x.git' does not appear to be a git repository\nfatal: Could not read from remote repository.",
  ],
  ['remote-not-found', "fatal: repository 'https://host/x.git/' not found"],
  ['remote-not-found', 'remote: The project you were looking for could not be found.'],
  ['remote-unreachable', "fatal: unable to access 'https://host/': Could not resolve host: host"],
  ['remote-unreachable', 'ssh: connect to host host port 22: Connection refused'],
  ['remote-unreachable', 'ssh: connect to host host port 22: No route to host'],
  ['remote-unreachable', 'Host key verification failed.\nfatal: Could not read from remote repository.'],
  ['remote-unreachable', '@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @'],
  ['remote-unreachable', 'fatal: unable to access: SSL certificate problem: self-signed certificate'],
  [
    'remote-unreachable',
    'fatal: unable to access: Operation too slow. Less than 1 bytes/sec transferred the last 60 seconds',
  ],
  ['remote-unreachable', 'fatal: the remote end hung up unexpectedly'],
  ['remote-unreachable', 'send-pack: unexpected disconnect while reading sideband packet'],
  ['remote-unreachable', rejected('remote failed to report status', 'remote failure')],
  ['git-failed', 'error: file write error: No space left on device\nfatal: unpack-objects failed\nfatal: early EOF'],
  ['push-refused', rejected('something that nobody has heard of')],
])('%s is known by the words of the server (%#)', (code, said) => {
  expect(saysRace(said)).toBe(false);
  const failure = remoteFailure(new GitFailure(['push'], said), 'ssh://git@host/x.git', { fallback: 'push-refused' });
  expect(failure.code).toBe(code);
  expect(failure.message).toMatch(/^ssh:\/\/git@host\/x\.git: /);
  expect(failure.message).not.toContain('\n');
});

it('only the words of the remote for the ref are a refusal; an answer that failed to come is none', () => {
  expect(saysRefused(rejected('x'))).toBe(true);
  expect(saysRefused(rejected('stale info', 'rejected'))).toBe(true);
  expect(saysRefused(rejected('remote failed to report status', 'remote failure'))).toBe(false);
  expect(saysRefused('fatal: the remote end hung up unexpectedly')).toBe(false);
});

describe('a remote', () => {
  it.each([
    'https://git.example/a.git',
    'ssh://git@git.example/a.git',
    'git://git.example/a.git',
    'file:///srv/a.git',
    'git@git.example:a/b.git',
    'git.example:a/b.git',
  ])('%s is taken as it is', (remote) => {
    expect(resolveRemote(remote, '/work')).toBe(remote);
  });

  it.each([
    ['/srv/a.git', '/srv/a.git'],
    ['../a.git', resolve('/a.git')],
    ['./a:b.git', join('/lanes', 'a:b.git')],
    ['dir/a:b.git', join('/lanes', 'dir/a:b.git')],
    ['my lanes/a.git', join('/lanes', 'my lanes/a.git')],
  ])('%s is a path', (remote, path) => {
    expect(resolveRemote(remote, '/lanes')).toBe(path);
  });

  it.each([
    '',
    '-u/evil',
    '--upload-pack=evil',
    'ext::sh -c evil',
    'fd::7',
    'http::https://x/y',
    'foo://x/y',
    'ftp://x/y',
    'https://',
    'https://a b/c',
    'ssh://-oProxyCommand=evil/x',
    'ssh://git@-oProxyCommand=evil/x',
    '-oProxyCommand=evil:x',
    'git@-oProxyCommand=evil:x',
    'a\nb',
    'a\0b',
  ])('%j is none', (remote) => {
    expect(() => resolveRemote(remote, '/lanes')).toThrow(AgentRunError);
    expect(() => resolveRemote(remote, '/lanes')).toThrow(/is no remote$/);
  });

  it('a path in a folder whose name ends a line is none', () => {
    expect(() => resolveRemote('remote.git', '/lanes\n[core]')).toThrow(/is no remote$/);
  });

  it.each([
    'https://user:pa55word@git.example/a.git',
    'http://pa55word@git.example:8080/a.git',
    'https://:pa55word@git.example/a.git',
    'https://user:p@pa55word@git.example/a.git',
    'ssh://git:pa55word@git.example/a.git',
    'foo://user:pa55word@git.example/a.git',
  ])('with a password is refused, and not repeated (%#)', (remote) => {
    const error = (() => {
      try {
        return resolveRemote(remote);
      } catch (caught) {
        return caught as AgentRunError;
      }
    })();
    expect(error).toMatchObject({ code: 'remote-invalid' });
    expect(String(error)).toMatch(/holds a password$/);
    expect(String(error)).not.toContain('pa55word');
  });
});

it('no credential of a URL is repeated from what git says', () => {
  const said = [
    "fatal: unable to access 'https://user:pa55word@git.example/a.git/': x",
    'fatal: could not read from https://t0ken@git.example/a.git',
    'ssh://git:pa55word@git.example/a.git is gone',
    "error: failed to push some refs to 'https://u:p@pa55word@git.example/a.git'",
  ].join('\n');
  const { message } = remoteFailure(new GitFailure(['push'], said), 'https://t0ken@git.example/a.git');
  expect(message).not.toMatch(/pa55word|t0ken|user/);
  expect(message).toContain('ssh://git@git.example/a.git');
  expect(withoutCredentials('git@git.example:a.git and a/b@c')).toBe('git@git.example:a.git and a/b@c');
});

it('advice and progress are left out of what git says', () => {
  const said = `POST git-receive-pack (5 bytes)\n${rejected('x')}\nhint: Updates were rejected\nhint: See the note`;
  const { message } = remoteFailure(new GitFailure(['push'], said), '/srv/x.git');
  expect(message).toBe(
    `/srv/x.git: git failed: ! ${'ab'.repeat(20)}:refs/heads/x [remote rejected] (x) | error: failed to push some refs to 'ssh://git@host/x.git'`,
  );
});

it('an error of our own is not wrapped', () => {
  const own = new AgentRunError('path-foreign', 'x');
  expect(remoteFailure(own, '/srv/x.git')).toBe(own);
});
