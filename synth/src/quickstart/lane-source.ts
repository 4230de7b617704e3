import { existsSync } from 'node:fs';
import { cp, mkdir, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { AgentRunError, repositoryState } from '@agentrun/lib';
import { runProgram } from './program.ts';

/** Where the lane is published from. */
export interface LaneSource {
  /** The lane file, absolute, in a repository in which everything is committed. */
  readonly path: string;
  /** The same as a person would name it. */
  readonly shown: string;
  /** Why it is not the file that was asked for; null where it is. */
  readonly copied: string | null;
}

/**
 * The lane where it lies, when its repository is clean. Otherwise a copy of all lanes as they are now, committed to a
 * repository of the quickstart: somebody who tries things out need not commit them first.
 *
 * @param folder the folder of the lanes, absolute
 * @param copy where the repository with the copy is, or will be
 * @throws AgentRunError `lane-not-found`, `git-failed`
 */
export async function laneSource(
  { folder, lane, cwd }: { readonly folder: string; readonly lane: string; readonly cwd: string },
  copy: string,
  env: Readonly<Record<string, string>>,
): Promise<LaneSource> {
  const path = join(folder, `${lane}.yaml`);
  const shown = relative(cwd, path);
  if (!existsSync(path)) {
    const hint = 'Run in a clone of AgentRun, or name the lane with --lane and --lanes-dir.';
    throw new AgentRunError('lane-not-found', `there is no lane file ${shown}`, { hint });
  }
  const why = await whyNotThere(folder);
  if (why === null) return { path, shown, copied: null };
  await mkdir(copy, { recursive: true, mode: 0o700 });
  const git = async (...args: string[]) => {
    const identity = ['-c', 'user.name=AgentRun', '-c', 'user.email=agentrun@localhost'];
    const argv = ['git', ...identity, '-c', 'commit.gpgsign=false', '-c', 'core.hooksPath=/dev/null', ...args];
    const { code, stdout, stderr } = await runProgram(argv, { cwd: copy, env });
    if (code !== 0) throw new AgentRunError('git-failed', `git ${args[0]} failed in ${copy}: ${stderr.trim()}`);
    return stdout;
  };
  await git('init', '--quiet', '--initial-branch=main');
  await rm(join(copy, 'lanes'), { recursive: true, force: true });
  await cp(folder, join(copy, 'lanes'), { recursive: true });
  await git('add', '--all');
  if ((await git('status', '--porcelain')) !== '') await git('commit', '--quiet', '--message=The lanes as they are');
  return { path: join(copy, 'lanes', `${lane}.yaml`), shown, copied: why };
}

async function whyNotThere(folder: string): Promise<string | null> {
  const state = await repositoryState(folder).catch((error: unknown) => {
    // A repository that git does not want to look at, as one of another user, is as good as none.
    if (error instanceof AgentRunError) return undefined;
    throw error;
  });
  if (state?.head === undefined) return `${dirname(folder)} is no git repository with a commit`;
  const [first] = state.changed;
  return first === undefined ? null : `${first} has changes that are not committed`;
}
