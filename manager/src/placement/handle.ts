import type { ProcessIdentity } from '@agentrun/lib/processes';
import { isAttemptId } from './attempt-id.ts';
import type { Handle } from './placement.ts';
import { PlacementError } from './placement-error.ts';

/** The handle of a runner that is a process of this machine. */
export type HostHandle = Handle & { readonly kind: 'host-process'; readonly attemptId: string } & ProcessIdentity;

export function hostHandle(attemptId: string, { pid, startTime, bootId }: ProcessIdentity): HostHandle {
  return { kind: 'host-process', attemptId, pid, startTime, bootId };
}

/** Reads what was stored. Throws PlacementError `handle-invalid`. */
export function readHostHandle(handle: Handle): HostHandle {
  const { kind, attemptId, pid, startTime, bootId } = handle;
  const isIdentity =
    typeof pid === 'number' && Number.isSafeInteger(pid) && typeof startTime === 'string' && typeof bootId === 'string';
  if (kind === 'host-process' && isAttemptId(attemptId) && isIdentity) {
    return hostHandle(attemptId, { pid, startTime, bootId });
  }
  const text = JSON.stringify(handle).slice(0, 200);
  throw new PlacementError('handle-invalid', `this is not the handle of a process of this machine: ${text}`);
}

/** Whether both name the same incarnation. */
export function sameIncarnation(one: HostHandle, other: HostHandle): boolean {
  return one.pid === other.pid && one.startTime === other.startTime && one.bootId === other.bootId;
}
