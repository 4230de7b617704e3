import { attemptMark } from './attempt-mark.ts';
import { processSource } from './process-source.ts';

/** One process of an attempt. */
export interface AttemptProcess {
  readonly pid: number;
  readonly startTime: string;
  /** The name of its program, without arguments: those may hold secrets. */
  readonly command: string;
}

/** What a look for the processes of an attempt found. */
export interface AttemptProcesses {
  readonly processes: readonly AttemptProcess[];
  /** Why some may be missing; null when every process could be seen. An empty list with a reason shows nothing. */
  readonly couldNotLook: string | null;
}

/**
 * Every living process whose environment carries `AGENTRUN_ATTEMPT_ID=<id>`, in whatever session or group it is.
 *
 * Not found: a process that cleared its environment, and one whose environment may not be read (another user's, or one
 * that forbids it). {@link fence} reaches those too as far as parent, group and session lead to them.
 *
 * @param options.exclude pids that are left out, such as the caller's own.
 * @throws TypeError for what is no attempt id.
 */
export async function processesOfAttempt(
  attemptId: string,
  options: { readonly exclude?: readonly number[] } = {},
): Promise<AttemptProcesses> {
  const { entries, couldNotLook } = await processSource.list(attemptMark(attemptId), () => {});
  const processes = entries
    .filter(({ pid, marked, ended }) => marked && !ended && options.exclude?.includes(pid) !== true)
    .map(({ pid, startTime, command }) => ({ pid, startTime, command }));
  return { processes, couldNotLook };
}
