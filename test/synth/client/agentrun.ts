import { run } from '../../../synth/src/run.ts';

/** What a command printed, and how it ended. */
interface Printed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CallOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: string;
  /** Whether both outputs are a terminal; of 100 columns. */
  readonly tty?: boolean;
}

/** A command that runs. */
export interface Call extends PromiseLike<Printed> {
  /** What was printed on stdout so far. */
  readonly stdout: string;
  readonly stderr: string;
  /** Sends it a signal, as Ctrl-C does. */
  signal(signal?: NodeJS.Signals): void;
}

/** Runs a command line in this process, as the bin would. */
export function agentrun(args: readonly string[], { env = {}, cwd = '/', stdin, tty = false }: CallOptions = {}): Call {
  const printed = { stdout: '', stderr: '' };
  const listeners: ((signal: NodeJS.Signals) => void)[] = [];
  const output = (name: 'stdout' | 'stderr') => ({
    isTTY: tty,
    columns: 100,
    write: (text: string | Uint8Array) => {
      printed[name] += typeof text === 'string' ? text : Buffer.from(text).toString('latin1');
      return true;
    },
  });
  const ended = run(args, {
    stdout: output('stdout'),
    stderr: output('stderr'),
    env,
    cwd: () => cwd,
    ...(stdin === undefined ? {} : { stdin: lines(stdin) }),
    onSignal: (listener) => {
      listeners.push(listener);
      return () => void listeners.splice(listeners.indexOf(listener), 1);
    },
  }).then((code) => ({ code, ...printed }));
  return {
    get stdout() {
      return printed.stdout;
    },
    get stderr() {
      return printed.stderr;
    },
    signal: (signal = 'SIGINT') => listeners.at(-1)?.(signal),
    // oxlint-disable-next-line unicorn/no-thenable
    then: (...handlers) => ended.then(...handlers),
  };
}

async function* lines(text: string): AsyncGenerator<string> {
  yield text;
}
