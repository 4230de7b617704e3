import { spawn } from 'node:child_process';

/** How a script ended, and what it printed. */
export interface ScriptResult {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The last line of the output, parsed when it is a JSON object. */
  readonly record: unknown;
}

export interface RunningScript {
  readonly done: Promise<ScriptResult>;
  /** Resolves when the text has been printed, to whichever of the two outputs. */
  printed(text: string): Promise<void>;
  /** Signals the script and its children together, as the entrypoint of Tekton does. */
  kill(signal: NodeJS.Signals): void;
}

export interface ScriptOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Default "/". */
  readonly cwd?: string;
  /** User and group that run it; only root may choose another. */
  readonly user?: number;
}

/** Starts a program with exactly the given environment, in a process group of its own. */
export function startScript(command: readonly [string, ...string[]], options: ScriptOptions): RunningScript {
  const [file, ...args] = command;
  const { env, cwd = '/', user } = options;
  const identity = user === undefined ? {} : { uid: user, gid: user };
  const child = spawn(file, args, { env, cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'], ...identity });
  let [stdout, stderr] = ['', ''];
  let waiting: { readonly text: string; readonly go: () => void }[] = [];
  const look = () => {
    const ready = waiting.filter(({ text }) => stdout.includes(text) || stderr.includes(text));
    waiting = waiting.filter((entry) => !ready.includes(entry));
    for (const { go } of ready) go();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    look();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    look();
  });
  const done = new Promise<ScriptResult>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      const last = stdout.trimEnd().split('\n').at(-1) ?? '';
      resolve({ code, stdout, stderr, record: last.startsWith('{') ? JSON.parse(last) : last });
    });
  });
  return {
    done,
    printed: (text) =>
      new Promise((go) => {
        waiting.push({ text, go });
        look();
      }),
    kill: (signal) => {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    },
  };
}

export const runScript = (command: readonly [string, ...string[]], options: ScriptOptions): Promise<ScriptResult> =>
  startScript(command, options).done;
