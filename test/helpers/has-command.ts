import { spawnSync } from 'node:child_process';

/** Whether a program is there and the given call of it succeeds; says so in one line when it is not. */
export function hasCommand(command: string, ...args: string[]): boolean {
  const found = spawnSync(command, args, { stdio: 'ignore' }).status === 0;
  if (!found) process.stdout.write(`skipped: ${command} is not on this machine\n`);
  return found;
}
