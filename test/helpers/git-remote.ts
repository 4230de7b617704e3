import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** A file of a commit: its text, or its text and whether it may be executed; null removes it. */
export type CommittedFile = string | { readonly text: string; readonly executable: boolean } | null;

export interface GitRemote {
  /** The bare repository. */
  readonly dir: string;
  /** Its file:// URL. */
  readonly url: string;
  /** Runs git in it and gives back what it printed, without the last line feed. */
  git(args: readonly string[], input?: string): Promise<string>;
  /** Commits files by path, on top of what the branch holds, and gives back the commit id. */
  commit(files: Readonly<Record<string, CommittedFile>>, branch?: string): Promise<string>;
  /** Takes one loose object away, so that the repository cannot hand it out any more. */
  removeObject(id: string): Promise<void>;
  remove(): Promise<void>;
}

/** The environment for a git that reads nobody's configuration and always writes the same commits. */
export function isolatedGitEnvironment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'));
  return {
    ...Object.fromEntries(kept.map(([name, value]) => [name, value ?? ''])),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'Test',
    GIT_AUTHOR_EMAIL: 'test@example.com',
    GIT_AUTHOR_DATE: '2026-01-01T00:00:00Z',
    GIT_COMMITTER_NAME: 'Test',
    GIT_COMMITTER_EMAIL: 'test@example.com',
    GIT_COMMITTER_DATE: '2026-01-01T00:00:00Z',
  };
}

function runGit(dir: string, args: readonly string[], input: string, extra: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...isolatedGitEnvironment(), ...extra };
    const child = execFile('git', ['-C', dir, ...args], { env, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`git ${args.join(' ')}: ${stderr || error.message}`));
      else resolve(stdout.replace(/\n$/, ''));
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

/** Makes a bare repository in a directory of its own, with `main` as its first branch. */
export async function createGitRemote(): Promise<GitRemote> {
  const root = await mkdtemp(join(tmpdir(), 'agentrun-remote-'));
  const dir = join(root, 'remote.git');
  await runGit(root, ['init', '--quiet', '--bare', '--template=', '--initial-branch=main', dir], '', {});
  const git: GitRemote['git'] = (args, input = '') => runGit(dir, args, input, {});
  // As the hosting systems have it.
  await git(['config', 'uploadpack.allowFilter', 'true']);

  const commit: GitRemote['commit'] = async (files, branch = 'main') => {
    const index = { GIT_INDEX_FILE: join(await mkdtemp(join(root, 'index-')), 'index') };
    const ref = `refs/heads/${branch}`;
    const parent = await git(['rev-parse', '--verify', '--quiet', ref]).catch(() => undefined);
    if (parent !== undefined) await runGit(dir, ['read-tree', parent], '', index);
    const entries: string[] = [];
    for (const [path, file] of Object.entries(files)) {
      if (file === null) {
        entries.push(`0 ${'0'.repeat(40)}\t${path}`);
        continue;
      }
      const { text, executable } = typeof file === 'string' ? { text: file, executable: false } : file;
      const blob = await git(['hash-object', '-w', '--stdin'], text);
      entries.push(`${executable ? '100755' : '100644'} ${blob}\t${path}`);
    }
    await runGit(dir, ['update-index', '--index-info'], `${entries.join('\n')}\n`, index);
    const tree = await runGit(dir, ['write-tree'], '', index);
    const parents = parent === undefined ? [] : ['-p', parent];
    const id = await git(['commit-tree', tree, ...parents, '-m', `change ${Object.keys(files).length} files`]);
    await git(['update-ref', ref, id]);
    return id;
  };

  return {
    dir,
    url: pathToFileURL(dir).href,
    git,
    commit,
    removeObject: (id) => rm(join(dir, 'objects', id.slice(0, 2), id.slice(2))),
    remove: () => rm(root, { recursive: true, force: true }),
  };
}
