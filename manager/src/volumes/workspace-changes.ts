import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { WorkspaceChange } from '@agentrun/lib/contract';
import { type RecordedCheckout, WORKSPACE_OWN_FOLDER, WORKSPACE_RECORD } from '@agentrun/lib/contract';
import { Failure } from '../failure.ts';
import { placeBelow } from './workspace-path.ts';

const run = promisify(execFile);

/** Bytes of a patch that are shown. */
const PATCH_BYTES = 1024 * 1024;
const GIT_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 20_000;

/**
 * Compares each checkout of a workspace with the commit that its bundle named, and a workspace without one with nothing.
 *
 * The agent may have written anything into the checkout, its git configuration too. So none of it is used: git works
 * with a repository of ours that only borrows the objects, and runs no hook, filter, textconv or monitor.
 *
 * @throws Failure `unavailable` when git is missing or takes too long
 */
export async function workspaceChanges(workspace: string): Promise<WorkspaceChange[]> {
  const checkouts = await recordedCheckouts(workspace);
  if (checkouts.length === 0) return [await compare(workspace, '.', null)];
  const changes: WorkspaceChange[] = [];
  for (const { path, commit } of checkouts) {
    changes.push(await compare(await placeBelow(workspace, path), path, commit));
  }
  return changes;
}

async function recordedCheckouts(workspace: string): Promise<RecordedCheckout[]> {
  try {
    const file = await placeBelow(workspace, `${WORKSPACE_OWN_FOLDER}/${WORKSPACE_RECORD}`);
    const { repositories } = JSON.parse(await readFile(file, 'utf8')) as { repositories?: RecordedCheckout[] };
    return (repositories ?? []).filter(({ path, commit }) => typeof path === 'string' && /^[0-9a-f]{40}$/.test(commit));
  } catch (error) {
    if (error instanceof Failure && error.kind === 'not-found') return [];
    if (error instanceof SyntaxError || error instanceof TypeError) return [];
    throw error;
  }
}

async function compare(folder: string, path: string, commit: string | null): Promise<WorkspaceChange> {
  const scratch = await mkdtemp(join(tmpdir(), 'agentrun-changes-'));
  try {
    const git = gitFor(scratch, folder);
    await git('init', '--quiet', '--template=', '--bare', scratch);
    if (commit !== null) {
      await mkdir(join(scratch, 'objects', 'info'), { recursive: true });
      await writeFile(join(scratch, 'objects', 'info', 'alternates'), `${join(folder, '.git', 'objects')}\n`);
    }
    await git('read-tree', ...(commit === null ? ['--empty'] : [commit]));
    // New files are compared too; what the checkout ignores is not.
    await git('add', '--intent-to-add', '--', '.', `:(exclude)${WORKSPACE_OWN_FOLDER}`);
    const flags = ['--no-ext-diff', '--no-textconv', '--no-color', '--find-renames'];
    const only = ['--', '.', `:(exclude)${WORKSPACE_OWN_FOLDER}`];
    const patch = await git('diff', ...flags, ...only);
    const numbers = await git('diff', ...flags, '--numstat', ...only);
    return {
      path,
      bundleCommit: commit,
      patch: patch.length > PATCH_BYTES ? patch.slice(0, PATCH_BYTES) : patch,
      truncated: patch.length > PATCH_BYTES,
      ...counted(numbers),
    };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Runs git on a folder with a repository, an index and a configuration of ours. */
function gitFor(scratch: string, folder: string) {
  const env = {
    PATH: '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin',
    HOME: scratch,
    LC_ALL: 'C',
    GIT_DIR: scratch,
    GIT_WORK_TREE: folder,
    GIT_INDEX_FILE: join(scratch, 'index'),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
  };
  const settings = [
    '-c',
    'core.bare=false',
    '-c',
    'core.hooksPath=/dev/null',
    '-c',
    'core.fsmonitor=false',
    '-c',
    'core.quotePath=false',
  ];
  return async (...args: readonly string[]): Promise<string> => {
    try {
      const isInit = args[0] === 'init';
      const { stdout } = await run('git', [...(isInit ? [] : settings), ...args], {
        cwd: isInit ? scratch : folder,
        env: isInit ? { PATH: env.PATH, HOME: scratch, GIT_CONFIG_NOSYSTEM: '1' } : env,
        maxBuffer: GIT_BYTES,
        timeout: TIMEOUT_MS,
      });
      return stdout;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const why = code === 'ENOENT' ? 'git is not installed' : 'git could not compare it';
      throw new Failure('unavailable', `the changes cannot be shown: ${why}`, { cause: error, retryAfterMs: 5000 });
    }
  };
}

function counted(numbers: string): Pick<WorkspaceChange, 'files' | 'insertions' | 'deletions'> {
  const rows = numbers.split('\n').filter((line) => line !== '');
  // A binary file has "-" for its lines.
  const sum = (column: number) => rows.reduce((total, row) => total + (Number(row.split('\t')[column]) || 0), 0);
  return { files: rows.length, insertions: sum(0), deletions: sum(1) };
}
