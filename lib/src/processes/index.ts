/** Processes: who they are, who belongs to an attempt, how they are started and ended. */
export { type AttemptProcess, type AttemptProcesses, processesOfAttempt } from './attempt-processes.ts';
export { type FenceOptions, type FenceResult, fence, type Survivor } from './fence.ts';
export {
  type ProcessExit,
  type ProcessGroup,
  type SpawnGroupOptions,
  type Stdio,
  spawnGroup,
} from './process-group.ts';
export {
  isAlive,
  type ProcessIdentity,
  type ProcessState,
  processIdentity,
  processState,
} from './process-identity.ts';
export type { SpawnFailure, SpawnFailureCode } from './spawn-failure.ts';
