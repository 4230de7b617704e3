import { resolve } from 'node:path';
import { AgentRunError, type RepositoryState, sameRepository } from '@agentrun/lib';

/**
 * The URL by which the repository of the lanes is known on the branch: the remote that is the lane's source, else
 * "origin", else the first one; without user and password. A path is made absolute.
 *
 * @throws AgentRunError `lane-repository-unknown` when there is no remote and none was given
 */
export function laneRepositoryUrl(state: RepositoryState, source: string, given: string | undefined): string {
  const { remotes, root } = state;
  const chosen =
    given ??
    (
      remotes.find(({ url }) => sameRepository(url, source)) ??
      remotes.find(({ name }) => name === 'origin') ??
      remotes[0]
    )?.url;
  if (chosen === undefined) {
    throw new AgentRunError(
      'lane-repository-unknown',
      `the repository ${root} has no remote, so nothing says where its lanes live`,
    );
  }
  // What holds a ":" is a URL, or host:path.
  return chosen.includes(':') ? chosen.replace(/^(https?:\/\/)[^/@\s]*@/, '$1') : resolve(root, chosen);
}
