import { open } from 'node:fs/promises';
import { ATTEMPT_ENVIRONMENT } from '@agentrun/lib/contract';
import { fence, type ProcessGroup, type SpawnFailure, spawnGroup } from '@agentrun/lib/processes';
import { type AttemptFolders, folderError, LOG_FILE } from './attempt-folder.ts';
import { type HostHandle, hostHandle } from './handle.ts';
import { readLogTail } from './log-tail.ts';
import type { AttemptExit, AttemptStart } from './placement.ts';
import { PlacementError } from './placement-error.ts';

/** How a runner is started on this machine. */
export interface RunnerCommand {
  /** The command and its arguments, from AGENTRUN_RUNNER_COMMAND. */
  readonly runnerCommand: readonly string[];
  /** PATH of the runner. */
  readonly path: string;
  /** HOME of the runner; the agent gets the one of its session. */
  readonly home: string;
  /** More variables; they do not replace what the placement sets. They reach the runner as they are: no secrets. */
  readonly extraEnv?: Readonly<Record<string, string>>;
}

export interface StartedRunner {
  readonly handle: HostHandle;
  readonly exited: Promise<AttemptExit>;
}

/**
 * Writes the folder of an attempt, starts its runner and records the process, in this order: whenever this is cut short,
 * the folder shows that something may run. When it rejects, nothing runs and the folder is gone; or, with
 * `former-start-alive`, the folder stays to be fenced.
 *
 * @throws PlacementError with the end of the log, where there is one.
 */
export async function startRunner(
  start: AttemptStart,
  folders: AttemptFolders,
  command: RunnerCommand,
): Promise<StartedRunner> {
  const { attemptId } = start.attempt;
  let group: ProcessGroup | null = null;
  try {
    await folders.write(start);
    group = await spawnRunner(start, folders, command);
    const { identity } = group;
    if (identity === null) {
      throw new PlacementError('runner-command', `the runner of attempt ${attemptId} cannot be looked at: mount /proc`);
    }
    const handle = hostHandle(attemptId, identity);
    const { name, labels } = start;
    await folders.record({ formatVersion: 1, handle, name, labels, startedAt: new Date().toISOString() });
    // A manager that leaves its runners running ends although they do not.
    group.unref();
    return { handle, exited: group.exited.then((exit) => ({ ...exit, reason: null })) };
  } catch (error) {
    const { gone } = await fence(attemptId, { deadlineMs: 5000, leader: group?.identity ?? null });
    const failure = await withLogTail(error, folders.path(attemptId, LOG_FILE));
    if (!gone)
      throw new PlacementError('former-start-alive', `${failure.message}; what was started could not be ended`);
    await folders.remove(attemptId).catch(() => {
      // The first error is the one that helps.
    });
    throw failure;
  }
}

async function spawnRunner(
  start: AttemptStart,
  folders: AttemptFolders,
  command: RunnerCommand,
): Promise<ProcessGroup> {
  const { attemptId, traceparent } = start.attempt;
  const folder = folders.path(attemptId);
  const env: Record<string, string> = {
    ...command.extraEnv,
    PATH: command.path,
    HOME: command.home,
    [ATTEMPT_ENVIRONMENT.dir]: folder,
    [ATTEMPT_ENVIRONMENT.id]: attemptId,
    ...(traceparent === undefined ? {} : { [ATTEMPT_ENVIRONMENT.traceparent]: traceparent }),
  };
  const log = await open(folders.path(attemptId, LOG_FILE), 'a', 0o600).catch((cause: unknown) => {
    throw folderError(`open the log of attempt ${attemptId}`, cause);
  });
  try {
    const outcome = await spawnGroup(command.runnerCommand, { cwd: folder, env, stdio: ['ignore', log.fd, log.fd] });
    if (outcome.started) return outcome;
    throw new PlacementError(reasonOf(outcome), `${outcome.message}; AGENTRUN_RUNNER_COMMAND names it`);
  } finally {
    await log.close();
  }
}

function reasonOf({ code, retryable }: SpawnFailure): 'runner-command' | 'out-of-resources' | 'folder-failed' {
  if (retryable) return 'out-of-resources';
  return code === 'folder-missing' ? 'folder-failed' : 'runner-command';
}

async function withLogTail(error: unknown, logFile: string): Promise<PlacementError> {
  const failure = folderError('start the runner', error);
  const { reason, message, cause } = failure;
  return new PlacementError(reason, message, { logTail: await readLogTail(logFile), cause });
}
