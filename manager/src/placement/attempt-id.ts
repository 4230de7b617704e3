import { ID_PATTERN } from '@agentrun/lib/contract';

const ID = new RegExp(ID_PATTERN);

/** Whether it may name a folder and mark processes: never empty, never a path. */
export function isAttemptId(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value);
}
