import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentRunError } from '../errors.ts';
import { saysNoSpace } from './remote-wordings.ts';

/**
 * git in one directory. It never asks, runs no hook, and gets only the variables of {@link ALLOWED_VARIABLES}. Each
 * call is a process of its own; calls may overlap.
 */
export interface Git {
  readonly directory: string;
  /** Standard output as text. @throws GitFailure */
  text(args: readonly string[], input?: string | Buffer): Promise<string>;
  /** Standard output of `cat-file` as bytes. @throws GitFailure */
  bytes(args: readonly string[], input?: string | Buffer): Promise<Buffer>;
  /** The same with other values for some of the allowed variables. */
  with(variables: Environment): Git;
}

/** A git command that failed: what it said, for people and for `remote-wordings.ts`, which knows the wordings. */
export class GitFailure extends Error {
  readonly args: readonly string[];
  constructor(args: readonly string[], output: string, cause?: unknown) {
    super(output, cause === undefined ? {} : { cause });
    this.name = 'GitFailure';
    this.args = args;
  }
}

/** What git may take from the environment: how to find itself, how to reach and trust a remote, who commits. */
const ALLOWED_VARIABLES = [
  'PATH',
  'HOME',
  'TMPDIR',
  'SSH_AUTH_SOCK',
  'GIT_SSH_COMMAND',
  'GIT_SSL_CAINFO',
  'GIT_ASKPASS',
  'SSH_ASKPASS',
  'GIT_CONFIG_GLOBAL',
  'GNUPGHOME',
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'].flatMap((name) => [name, name.toLowerCase()]),
  ...['GIT_AUTHOR', 'GIT_COMMITTER'].flatMap((who) => [`${who}_NAME`, `${who}_EMAIL`, `${who}_DATE`]),
];

export type Environment = Readonly<Record<string, string | undefined>>;

/** The variables that git gets, of those around it. */
export function gitEnvironment(ambient: Environment): Record<string, string> {
  const kept = ALLOWED_VARIABLES.flatMap((name) => {
    const value = ambient[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  // A fixed language: the wordings of refusals are read. No prompt: nobody is there to answer.
  return {
    ...Object.fromEntries(kept),
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_LAZY_FETCH: '1',
  };
}

/** What somebody's own configuration must not change. */
const CONFIG = [
  'core.hooksPath=/dev/null',
  'core.autocrlf=false',
  'gc.auto=0',
  'maintenance.auto=false',
  'safe.bareRepository=all',
  'log.showSignature=false',
  'i18n.logOutputEncoding=UTF-8',
  'fetch.recurseSubmodules=false',
  'push.recurseSubmodules=no',
  'push.followTags=false',
  // A server that says nothing for a minute is gone; one that works says so every five seconds.
  'http.lowSpeedLimit=1',
  'http.lowSpeedTime=60',
];

/** A disposable repository need not survive a power cut. What a push leaves at the remote is the remote's own affair. */
const DISPOSABLE_CONFIG = ['core.fsync=none', 'fetch.unpackLimit=1', 'fastimport.unpackLimit=1'];

/** How long after its end a program may keep git's output open, as a connection of ssh that is kept for later does. */
const OUTPUT_GRACE_MS = 5000;

/** simple-git is loaded with the first call: most commands never need it. */
export function gitIn(directory: string, ambient: Environment = process.env, extraConfig: readonly string[] = []): Git {
  const env = gitEnvironment(ambient);
  const instance = async (input?: string | Buffer) => {
    const { simpleGit } = await import('simple-git');
    return simpleGit({
      baseDir: directory,
      config: [...CONFIG, ...extraConfig],
      allowEnvironment: Object.keys(env),
      // The output counts when it is complete, not when git has ended.
      completion: { onClose: true, onExit: OUTPUT_GRACE_MS },
      errors: (error, { exitCode, stdOut, stdErr }) =>
        error ?? (exitCode === 0 ? undefined : Buffer.concat([...stdOut, ...stdErr])),
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
  const run = async <T>(args: readonly string[], work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw new GitFailure(args, saidBy(error, args), error);
    }
  };
  return {
    directory,
    text: (args, input) => run(args, async () => (await instance(input)).raw([...args])),
    bytes: (args, input) =>
      run(args, async () => (await (await instance(input)).binaryCatFile(args.slice(1))) as unknown as Buffer),
    with: (variables) => gitIn(directory, { ...ambient, ...variables }, extraConfig),
  };
}

function saidBy(error: unknown, args: readonly string[]): string {
  const command = args.find((arg, at) => arg !== '-c' && args[at - 1] !== '-c') ?? '';
  const said = error instanceof Error ? error.message.trim() : String(error);
  if (/spawn git E[A-Z]+/.test(said)) return 'the program git cannot be started';
  return said === '' ? `git ${command} failed and said nothing` : said;
}

/** The disposable repositories of this process: a process that ends in the middle of the work takes them along. */
const disposable = new Set<string>();

function removeAtExit(directory: string): void {
  if (disposable.size === 0) process.once('exit', removeDisposable);
  disposable.add(directory);
}

function removeDisposable(): void {
  for (const directory of disposable) {
    try {
      rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
    } catch {
      // It does no harm.
    }
  }
}

/** What `git init --bare` makes, as gitrepository-layout(5) has it, without the time that a process takes. */
async function makeBareRepository(directory: string): Promise<void> {
  for (const folder of ['objects/info', 'objects/pack', 'refs/heads']) {
    await mkdir(join(directory, folder), { recursive: true });
  }
  await writeFile(join(directory, 'config'), '[core]\n\trepositoryformatversion = 0\n\tbare = true\n');
  await writeFile(join(directory, 'HEAD'), 'ref: refs/heads/agentrun\n');
}

/**
 * Runs some work in an empty bare repository that is gone afterwards, whatever happens.
 *
 * @throws AgentRunError `git-failed` when there is no place for the repository; what the work throws
 */
export async function inDisposableRepository<T>(work: (git: Git) => Promise<T>, ambient?: Environment): Promise<T> {
  let directory: string | undefined;
  try {
    let git: Git;
    try {
      directory = await mkdtemp(join(tmpdir(), 'agentrun-git-'));
      removeAtExit(directory);
      git = gitIn(directory, ambient, DISPOSABLE_CONFIG);
      await makeBareRepository(directory);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new AgentRunError('git-failed', `a temporary repository in ${tmpdir()} could not be made: ${why}`, {
        cause,
        ...(saysNoSpace(why) ? { hint: 'Make room, or set TMPDIR to a directory with room; nothing was pushed.' } : {}),
      });
    }
    return await work(git);
  } finally {
    if (directory !== undefined) {
      // What is left behind does no harm, and says nothing about the work.
      await rm(directory, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
      disposable.delete(directory);
      if (disposable.size === 0) process.off('exit', removeDisposable);
    }
  }
}
