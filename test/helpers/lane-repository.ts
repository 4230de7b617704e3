import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run } from '../../synth/src/run.ts';
import { isolatedGitEnvironment } from './git-remote.ts';

const root = join(import.meta.dirname, '..', '..');
/** The good lane that mistakes are made from. */
export const GOOD_LANE = readFileSync(join(root, 'test', 'fixtures', 'lanes', 'v0.1.yaml'), 'utf8');

/** What a command printed, and how it ended. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A throw-away folder with lanes, in a git repository unless told otherwise, in which commands can be run. */
export interface LaneRepository {
  readonly dir: string;
  readonly write: (path: string, text: string) => void;
  readonly git: (...args: string[]) => string;
  readonly commit: () => string;
  readonly agentrun: (...args: string[]) => Promise<CommandResult>;
  readonly remove: () => void;
}

/** @param remote URL of the remote "origin", none by default */
export function laneRepository(options: { git?: boolean; remote?: string } = {}): LaneRepository {
  const dir = mkdtempSync(join(tmpdir(), 'agentrun-lanes-'));
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: dir, env: { ...isolatedGitEnvironment(), HOME: dir }, encoding: 'utf8' }).trim();
  const repository: LaneRepository = {
    dir,
    git,
    write(path, text) {
      mkdirSync(dirname(join(dir, path)), { recursive: true });
      writeFileSync(join(dir, path), text);
    },
    commit() {
      git('add', '--all');
      git('commit', '--quiet', '--message', 'change', '--allow-empty');
      return git('rev-parse', 'HEAD');
    },
    async agentrun(...args) {
      const [stdout, stderr]: string[][] = [[], []];
      const code = await run(args, {
        stdout: { write: (text) => stdout?.push(String(text)) },
        stderr: { write: (text) => stderr?.push(String(text)) },
        env: {},
        cwd: () => dir,
      });
      return { code, stdout: stdout?.join('') ?? '', stderr: stderr?.join('') ?? '' };
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
  repository.write('lanes/v0.1.yaml', GOOD_LANE);
  if (options.git !== false) {
    git('init', '--quiet', '--initial-branch', 'main');
    repository.write('.gitignore', 'dist/\nout/\n.out*\n');
    if (options.remote !== undefined) git('remote', 'add', 'origin', options.remote);
    repository.commit();
  }
  return repository;
}
