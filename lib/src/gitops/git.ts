import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * git in one directory. It never asks, runs no hook, reads no configuration of the directory's surroundings, and gets
 * only the variables of {@link ALLOWED_VARIABLES}. Each call is a process of its own; calls may overlap.
 */
export interface Git {
  readonly directory: string;
  /** Standard output as text. @throws GitFailure */
  text(args: readonly string[], input?: string | Buffer): Promise<string>;
  /** Standard output as bytes. @throws GitFailure */
  bytes(args: readonly string[], input?: string | Buffer): Promise<Buffer>;
}

/** A git command that failed: what it said, for people and for `push-failure.ts`, which knows the wordings. */
export class GitFailure extends Error {
  readonly args: readonly string[];
  constructor(args: readonly string[], output: string, cause: unknown) {
    super(output, { cause });
    this.name = 'GitFailure';
    this.args = args;
  }
}

/** What git may take from the environment: how to find itself, how to reach and trust a remote, who commits. */
const ALLOWED_VARIABLES = [
  'PATH',
  'HOME',
  'SSH_AUTH_SOCK',
  'GIT_SSH_COMMAND',
  'GIT_SSL_CAINFO',
  'GIT_ASKPASS',
  'SSH_ASKPASS',
  'GIT_CONFIG_GLOBAL',
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'].flatMap((name) => [name, name.toLowerCase()]),
  ...['GIT_AUTHOR', 'GIT_COMMITTER'].flatMap((who) => [`${who}_NAME`, `${who}_EMAIL`, `${who}_DATE`]),
];

export type Environment = Readonly<Record<string, string | undefined>>;

function gitEnvironment(ambient: Environment): Record<string, string> {
  const kept = ALLOWED_VARIABLES.flatMap((name) => {
    const value = ambient[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  // A fixed language: the wordings of refusals are read. No prompt: nobody is there to answer.
  return { ...Object.fromEntries(kept), LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0', GIT_NO_LAZY_FETCH: '1' };
}

const CONFIG = [
  'core.hooksPath=/dev/null',
  'gc.auto=0',
  'maintenance.auto=false',
  'core.autocrlf=false',
];

/** simple-git is loaded with the first call: most commands never need it. */
export function gitIn(directory: string, ambient: Environment = process.env): Git {
  const env = gitEnvironment(ambient);
  const instance = async (input?: string | Buffer) => {
    const { simpleGit } = await import('simple-git');
    return simpleGit({
      baseDir: directory,
      config: CONFIG,
      allowEnvironment: Object.keys(env),
      unsafe: {
        allowUnsafeSshCommand: true,
        allowUnsafeConfigPaths: true,
        allowUnsafeAskPass: true,
        allowUnsafeHooksPath: true,
        allowUnsafeTemplateDir: true,
      },
      ...(input === undefined ? {} : { input: () => input }),
    }).env(env);
  };
  const failure = (args: readonly string[]) => (error: unknown) => {
    throw new GitFailure(args, error instanceof Error ? error.message.trim() : String(error), error);
  };
  return {
    directory,
    text: async (args, input) => (await instance(input)).raw([...args]).catch(failure(args)),
    bytes: async (args, input) => {
      const git = await instance(input);
      // The task takes the arguments of cat-file; nothing else is read as bytes.
      return (await git.binaryCatFile(args.slice(1)).catch(failure(args))) as Buffer;
    },
  };
}

/** Runs some work in an empty bare repository that is gone afterwards, whatever happens. */
export async function inDisposableRepository<T>(work: (git: Git) => Promise<T>, ambient?: Environment): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'agentrun-git-'));
  try {
    const git = gitIn(directory, ambient);
    await git.text(['init', '--bare', '--template=', '--initial-branch=agentrun', '.']);
    return await work(git);
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  }
}
