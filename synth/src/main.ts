import { run } from './run.ts';
import type { Terminal } from './terminal.ts';

const written = (stream: NodeJS.WriteStream) => new Promise<void>((resolve) => stream.write('', () => resolve()));

let isLost = false;
for (const stream of [process.stdout, process.stderr]) {
  // A reader that goes away has seen enough. Anything else keeps the result from those who need it.
  stream.on('error', ({ code }: NodeJS.ErrnoException) => {
    isLost ||= code !== 'EPIPE';
  });
}
const listeners: ((signal: NodeJS.Signals) => void)[] = [];
// Leaving by itself lets a stopped command remove its temporary folders.
for (const [signal, number] of [
  ['SIGHUP', 1],
  ['SIGINT', 2],
  ['SIGTERM', 15],
] as const) {
  process.on(signal, () => {
    const listener = listeners.at(-1);
    if (listener === undefined) process.exit(128 + number);
    listener(signal);
  });
}

const { stdout, stderr, env } = process;
const terminal: Terminal = {
  stdout,
  stderr,
  env,
  // Opened by those who read it alone.
  get stdin() {
    return process.stdin;
  },
  cwd: () => process.cwd(),
  onSignal: (listener) => {
    listeners.push(listener);
    return () => void listeners.splice(listeners.lastIndexOf(listener), 1);
  },
};

void run(process.argv.slice(2), terminal).then(async (code) => {
  await Promise.all([written(process.stdout), written(process.stderr)]);
  // Nothing is left to do: leaving at once spares the time that Node takes to clear up.
  process.exit(isLost ? 1 : code);
});
