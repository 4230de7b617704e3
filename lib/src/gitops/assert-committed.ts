import { dirname } from 'node:path';
import { AgentRunError } from '../errors.ts';
import { type Environment, GitFailure, gitIn } from './git.ts';
import type { PublishSource } from './lane-on-branch.ts';

/**
 * Makes sure that the commit holds the lane that was rendered, byte for byte: everybody who verifies the branch later
 * goes by the commit.
 *
 * @throws AgentRunError `repository-dirty`
 */
export async function assertCommitted(
  { rendered, path, text, commit }: PublishSource,
  environment?: Environment,
): Promise<void> {
  const refuse = (what: string, cause?: unknown) =>
    new AgentRunError('repository-dirty', `the commit ${commit.id} ${what} the lane file ${path}`, {
      hint: 'Commit the lane file as it is, and publish again.',
      ...(cause === undefined ? {} : { cause }),
    });
  let committed: string;
  try {
    committed = await gitIn(dirname(path), environment).text([
      'cat-file',
      'blob',
      `${commit.id}:${rendered.input.laneFile}`,
    ]);
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    throw refuse('does not hold', error);
  }
  if (committed !== text) throw refuse('holds another text of');
}
