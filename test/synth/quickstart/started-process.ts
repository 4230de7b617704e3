import { spawn } from 'node:child_process';

/** A process that does nothing until it is ended. */
export async function startedProcess(): Promise<{ readonly pid: number; end(): Promise<void> }> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  return {
    pid: child.pid ?? 0,
    end: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
