import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chown, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** What a program wrote and how it ended; `exitCode` is null for one that could not be started or was killed. */
interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * How the programs of PostgreSQL are run, which refuse to run as root:
 * - `self`: as the user of this process, which is not root;
 * - `user-namespace`: in a user namespace where root is mapped to nobody: files stay root's;
 * - `nobody`: as the system's user nobody, to whom the files are given.
 */
export interface Launcher {
  readonly kind: 'self' | 'user-namespace' | 'nobody';
  /** Runs a program to its end. Never throws: a program that could not be started has its reason in `stderr`. */
  run(program: string, args: readonly string[]): Promise<Ended>;
  /** Starts a program in a session of its own, so that a Ctrl-C for this process does not reach it. */
  startDetached(program: string, args: readonly string[], output: number): ChildProcess;
  /** Gives a file, or a folder with all below it, to the user of the programs. */
  give(path: string): Promise<void>;
}

/** What the programs see of this process: nothing that could change what they write or how they sort. */
export interface LaunchOptions {
  /** Where programs are looked up, as in PATH. */
  readonly searchPath: string;
  /** The folder in which programs run; one that their user may enter. */
  readonly workingDirectory: string;
}

const NOBODY_IN_NAMESPACE = 65534;
const PREFIX = [`--map-user=${NOBODY_IN_NAMESPACE}`, `--map-group=${NOBODY_IN_NAMESPACE}`];
const RUN_TIMEOUT_MS = 120_000;

interface Identity {
  readonly uid: number;
  readonly gid: number;
}

/** Runs programs as the user of this process. */
export function launchAsSelf(options: LaunchOptions): Launcher {
  return launcher('self', options, [], null);
}

/** Runs programs in a user namespace; null where the system or the tools do not allow it for this folder. */
export async function launchInUserNamespace(options: LaunchOptions): Promise<Launcher | null> {
  const candidate = launcher('user-namespace', options, ['unshare', '--user', ...PREFIX, '--'], null);
  // Without a capability the mapped user may be shut out of a folder that root itself can write.
  const probe = await candidate.run('test', ['-w', options.workingDirectory]);
  return probe.exitCode === 0 ? candidate : null;
}

/** Runs programs as the user nobody. Throws when the system has none. */
export async function launchAsNobody(options: LaunchOptions): Promise<Launcher> {
  const self = launchAsSelf({ ...options, workingDirectory: '/' });
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (flag) => Number((await self.run('id', [flag, 'nobody'])).stdout.trim() || Number.NaN)),
  );
  if (uid === undefined || gid === undefined || !Number.isSafeInteger(uid) || !Number.isSafeInteger(gid) || uid === 0) {
    throw new Error('this system has no user "nobody"');
  }
  return launcher('nobody', options, [], { uid, gid });
}

function launcher(
  kind: Launcher['kind'],
  { searchPath, workingDirectory }: LaunchOptions,
  prefix: readonly string[],
  identity: Identity | null,
): Launcher {
  const options = {
    cwd: workingDirectory,
    env: { PATH: searchPath, LC_ALL: 'C', LANG: 'C', TZ: 'UTC' },
    ...identity,
  };
  const argv = (program: string, args: readonly string[]): [string, string[]] => {
    const [file = program, ...rest] = [...prefix, program, ...args];
    return [file, rest];
  };
  return {
    kind,
    run: (program, args) =>
      new Promise((resolve) => {
        const [file, rest] = argv(program, args);
        execFile(file, rest, { ...options, timeout: RUN_TIMEOUT_MS }, (error, stdout, stderr) => {
          if (error === null) resolve({ exitCode: 0, stdout, stderr });
          else if (typeof error.code === 'number') resolve({ exitCode: error.code, stdout, stderr });
          else resolve({ exitCode: null, stdout, stderr: stderr === '' ? error.message : stderr });
        });
      }),
    startDetached: (program, args, output) => {
      const [file, rest] = argv(program, args);
      return spawn(file, rest, { ...options, detached: true, stdio: ['ignore', output, output] });
    },
    give: async (path) => {
      if (identity === null) return;
      for (const entry of await readdir(path, { recursive: true, withFileTypes: true }).catch(() => [])) {
        if (!entry.isSymbolicLink()) await chown(join(entry.parentPath, entry.name), identity.uid, identity.gid);
      }
      await chown(path, identity.uid, identity.gid);
    },
  };
}
