import { run } from './run.ts';

const written = (stream: NodeJS.WriteStream) => new Promise<void>((resolve) => stream.write('', () => resolve()));

let isLost = false;
for (const stream of [process.stdout, process.stderr]) {
  // A reader that goes away has seen enough. Anything else keeps the result from those who need it.
  stream.on('error', ({ code }: NodeJS.ErrnoException) => {
    isLost ||= code !== 'EPIPE';
  });
}
// Leaving by itself lets a stopped command remove its temporary folders.
for (const [signal, number] of [
  ['SIGHUP', 1],
  ['SIGINT', 2],
  ['SIGTERM', 15],
] as const) {
  process.once(signal, () => process.exit(128 + number));
}

void run(process.argv.slice(2), process).then(async (code) => {
  await Promise.all([written(process.stdout), written(process.stderr)]);
  // Nothing is left to do: leaving at once spares the time that Node takes to clear up.
  process.exit(isLost ? 1 : code);
});
