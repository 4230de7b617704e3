import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

const FIXTURES = join(import.meta.dirname, '../fixtures/processes');

/** An id that no other test has. */
export const newAttemptId = (): string => `att_${randomBytes(10).toString('hex')}`;

/** The path of a program of test/fixtures/processes that plain Node or sh runs. */
export const fixture = (name: string): string => join(FIXTURES, name);

/** Starts a command as a runner is started: in a session of its own, with the mark of the attempt. */
export function startMarked(
  attemptId: string,
  command: readonly string[],
  options: { uid?: number; gid?: number } = {},
): ChildProcess {
  const [file = '', ...args] = command;
  return spawn(file, args, {
    env: { PATH: process.env['PATH'] ?? '', AGENTRUN_ATTEMPT_ID: attemptId },
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
    ...options,
  });
}

/** Waits for the first text that the process prints. */
export function firstOutput(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString().trim()));
    child.once('close', (code, signal) => reject(new Error(`ended with ${code ?? signal} before it printed`)));
  });
}
