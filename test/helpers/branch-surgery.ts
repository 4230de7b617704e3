import { execFileSync } from 'node:child_process';
import { type GitRemote, isolatedGitEnvironment } from './git-remote.ts';

/** What becomes of a path in a commit: new content, an entry of another mode, or nothing at all. */
export type Change =
  | string
  | Buffer
  | null
  | { readonly mode: '100644' | '100755' | '120000'; readonly content: string };

/** A commit to be made by plumbing, as somebody with a shell and a grudge would. */
export interface ForeignCommit {
  readonly branch: string;
  /** The commit whose tree is changed. */
  readonly base: string;
  readonly changes: Readonly<Record<string, Change>>;
  /** Default "edit". */
  readonly message?: string;
  /** Takes the place of `base` instead of following it. */
  readonly amend?: boolean;
  /** Further parents, as of a merge. */
  readonly merges?: readonly string[];
}

const data = (content: string | Buffer): Buffer => {
  const bytes = Buffer.from(content as string);
  return Buffer.concat([Buffer.from(`data ${bytes.length}\n`), bytes, Buffer.from('\n')]);
};

/** Makes any number of commits in one go, in the order given; a commit may name a branch made before as its base. */
export function foreignCommits(remote: GitRemote, commits: readonly ForeignCommit[]): void {
  const git = (args: string[], input?: Buffer) =>
    execFileSync('git', args, { cwd: remote.dir, env: isolatedGitEnvironment(), input, encoding: 'utf8' }).trim();
  const known = new Map<string, string>();
  const stream = commits.flatMap((commit, at) => {
    const { branch, base, changes, message = 'edit', amend = false, merges = [] } = commit;
    const from = known.get(base) ?? git(['rev-parse', `${base}^{commit}`]);
    const start = amend
      ? [`M 040000 ${git(['rev-parse', `${from}^{tree}`])} ""\n`]
      : [`from ${from}\n`, ...merges.map((parent) => `merge ${git(['rev-parse', parent])}\n`)];
    known.set(branch, `:${at + 1}`);
    return [
      Buffer.from(`commit refs/heads/${branch}\nmark :${at + 1}\n`),
      Buffer.from(`committer Somebody <somebody@example.com> ${1_767_300_000 + at} +0000\n`),
      data(message),
      ...start.map((line) => Buffer.from(line)),
      ...Object.entries(changes).flatMap(([path, change]) => {
        if (change === null) return [Buffer.from(`D "${path}"\n`)];
        const entry =
          typeof change === 'string' || Buffer.isBuffer(change) ? { mode: '100644', content: change } : change;
        return [Buffer.from(`M ${entry.mode} inline "${path}"\n`), data(entry.content)];
      }),
    ];
  });
  git(['fast-import', '--quiet', '--force', '--date-format=raw'], Buffer.concat(stream));
}

/** The content of every file of a commit. */
export function filesOf(remote: GitRemote, commit: string): Map<string, Buffer> {
  const git = (args: string[]) => execFileSync('git', args, { cwd: remote.dir, env: isolatedGitEnvironment() });
  const paths = git(['ls-tree', '-r', '-z', '--name-only', commit]).toString('utf8').split('\0').filter(Boolean);
  return new Map(paths.map((path) => [path, git(['cat-file', 'blob', `${commit}:${path}`])]));
}
