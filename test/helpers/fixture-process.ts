import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { REPOSITORY } from './repository-root.ts';

/** A program of `test/fixtures` that speaks in lines of JSON. */
export interface FixtureProcess {
  readonly pid: number;
  /** The next line, parsed. Rejects with what it wrote to stderr when the program ended without one. */
  line<T>(): Promise<T>;
  send(text: string): void;
  /** Signals it and waits for its end. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** How the program is run: by default with the user and the environment of the tests. */
export interface FixtureOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** User and group that run it; only root may choose another. */
  readonly user?: number;
}

/** Starts `test/fixtures/<program>` with node and tsx. */
export function startFixture(program: string, args: readonly string[], options: FixtureOptions = {}): FixtureProcess {
  const child = spawn(
    process.execPath,
    ['--conditions=@agentrun/source', '--import', 'tsx', join(REPOSITORY, 'test', 'fixtures', program), ...args],
    {
      cwd: REPOSITORY,
      stdio: 'pipe',
      ...(options.env === undefined ? {} : { env: { ...options.env } }),
      ...(options.user === undefined ? {} : { uid: options.user, gid: options.user }),
    },
  );
  return speak(child);
}

function speak(child: ChildProcess): FixtureProcess {
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null) throw new Error('the program has no pipes');
  let complaint = '';
  stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const exited = once(child, 'exit');
  stdin.on('error', () => undefined);
  return {
    pid: child.pid ?? 0,
    line: async <T>() => {
      const next = await lines.next();
      if (next.done === true) throw new Error(`the program ended without a line: ${complaint}`);
      return JSON.parse(next.value) as T;
    },
    send: (text) => {
      stdin.write(text);
    },
    end: async (signal) => {
      child.kill(signal);
      await exited;
    },
  };
}
