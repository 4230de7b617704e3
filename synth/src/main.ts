import { run } from './run.ts';

const written = (stream: NodeJS.WriteStream) => new Promise<void>((resolve) => stream.write('', () => resolve()));

void run(process.argv.slice(2), process).then(async (code) => {
  process.exitCode = code;
  await Promise.all([written(process.stdout), written(process.stderr)]);
  // Nothing is left to do: leaving at once spares the time that Node takes to clear up.
  process.exit();
});
