import { ATTEMPT_ENVIRONMENT } from '../contract/attempt.ts';
import { ID_PATTERN } from '../contract/scalar.ts';

/**
 * The environment entry that each process of an attempt inherits.
 *
 * @throws TypeError for what is no id: an empty one would mark the processes of others.
 */
export function attemptMark(attemptId: string): string {
  if (!new RegExp(ID_PATTERN).test(attemptId)) {
    throw new TypeError(`${JSON.stringify(attemptId)} is not the id of an attempt: it must match ${ID_PATTERN}`);
  }
  return `${ATTEMPT_ENVIRONMENT.id}=${attemptId}`;
}
