import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { AgentRunError } from '../errors.ts';
import { gitEnvironment } from './git.ts';

/** A repository that holds lanes, as it stands. */
export interface RepositoryState {
  /** The commit that is checked out; absent before the first commit. */
  readonly head?: string;
  /** Paths with tracked changes, and untracked ones below `lanes` or `templates`; relative to the repository. */
  readonly changed: readonly string[];
  /** The remotes, in the order of git's configuration. */
  readonly remotes: readonly { readonly name: string; readonly url: string }[];
  /** Absolute path of the work tree. */
  readonly root: string;
}

/**
 * Looks at the repository that a directory belongs to with git's own programs, without changing it.
 *
 * @returns undefined where there is no repository
 * @throws AgentRunError `git-failed` when git is not installed, or does not want to look, with what it says
 */
export async function repositoryState(directory: string): Promise<RepositoryState | undefined> {
  const run = promisify(execFile);
  const git = async (...args: string[]) =>
    (await run('git', args, { cwd: directory, env: gitEnvironment(process.env), maxBuffer: 2 ** 28 })).stdout;
  try {
    const [root, status, remotes] = await Promise.all([
      git('rev-parse', '--show-toplevel'),
      git('status', '--porcelain=v2', '--branch', '-z', '--untracked-files=all'),
      git('config', '--null', '--get-regexp', '^remote\\..*\\.url$').catch(() => ''),
    ]);
    return {
      ...readStatus(status),
      root: root.trimEnd(),
      remotes: remotes.split('\0').flatMap((entry) => {
        const [, name = '', url = ''] = /^remote\.(.*)\.url\n(.*)$/s.exec(entry) ?? [];
        return url === '' ? [] : [{ name, url }];
      }),
    };
  } catch (cause) {
    const { stderr = '', code } = cause as { stderr?: string; code?: unknown };
    if (/not a git repository|must be run in a work tree/.test(stderr)) return undefined;
    const said = code === 'ENOENT' ? 'the program git cannot be started' : stderr.trim().split('\n')[0];
    throw new AgentRunError('git-failed', `the repository of ${directory} cannot be read: ${said}`, { cause });
  }
}

/** Reads `git status --porcelain=v2 --branch -z`. */
function readStatus(text: string): Pick<RepositoryState, 'head' | 'changed'> {
  const changed: string[] = [];
  let head: string | undefined;
  const entries = text.split('\0');
  for (let at = 0; at < entries.length; at += 1) {
    const entry = entries[at] ?? '';
    if (entry.startsWith('# branch.oid ')) {
      const oid = entry.slice('# branch.oid '.length);
      if (/^[0-9a-f]{40,64}$/.test(oid)) head = oid;
    } else if (entry.startsWith('? ')) {
      const path = entry.slice(2);
      if (/(?:^|\/)(?:lanes|templates)\//.test(path)) changed.push(path);
    } else if (entry.startsWith('1 ')) changed.push(entry.split(' ').slice(8).join(' '));
    else if (entry.startsWith('u ')) changed.push(entry.split(' ').slice(10).join(' '));
    else if (entry.startsWith('2 ')) {
      changed.push(entry.split(' ').slice(9).join(' '));
      // The former name of a renamed file follows as an entry of its own.
      at += 1;
    }
  }
  return { ...(head === undefined ? {} : { head }), changed };
}
