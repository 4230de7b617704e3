import { ERROR_CODES, type Problem } from '@agentrun/lib/errors';
import { visibleName } from './visible-text.ts';

/** Where a problem lies beside its place in a file, a line each: the lane field, the rendered object. */
export function problemDetails(problem: Problem): string[] {
  const { lanePath, object, pointer } = problem;
  const lines: string[] = [];
  if (lanePath !== undefined) lines.push(`field: ${visibleName(lanePath)}`);
  if (object !== undefined) lines.push(`object: ${visibleName(object)}`);
  // The empty pointer is the whole object.
  if (pointer !== undefined && pointer !== '') lines.push(`pointer: ${visibleName(pointer)}`);
  return lines;
}

/** The next step: the one of the problem, else the one of its code. */
export function problemHint(problem: Problem): string {
  return problem.hint ?? ERROR_CODES[problem.code];
}
