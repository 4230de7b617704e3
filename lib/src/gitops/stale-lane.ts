import { artifactForLane } from '../artifacts/artifact-rules.ts';
import { AgentRunError, type Problem } from '../errors.ts';
import { type RenderedLane, renderLane } from '../render/render-lane.ts';
import { branchProblem } from './branch-differences.ts';
import { checkedOutCommit, laneAtCommit } from './lane-at-commit.ts';
import type { SourceLookup } from './render-again.ts';

/** Whether the checked-out lane would render to something else than the published one, with the same code and image. */
export async function staleProblem(
  published: RenderedLane,
  laneCommit: string,
  lookup: SourceLookup,
): Promise<Problem | undefined> {
  const { repository } = lookup;
  const { lane, input } = published;
  const laneFile = lookup.laneFile ?? input.laneFile;
  const head = await checkedOutCommit(repository);
  if (head === laneCommit && laneFile === input.laneFile) return undefined;
  const stale = (why: string) => branchProblem('branch-stale', `lane ${lane.version} ${why}`);
  try {
    const newest = await laneAtCommit(repository, head, laneFile);
    if (newest === undefined) return stale(`is gone from its repository: ${head} holds no ${laneFile}`);
    const artifact = artifactForLane(newest.lane, input.artifact, laneFile);
    const { filesDigest } = renderLane(newest.lane, { ...input, laneFile, artifact });
    if (filesDigest === published.filesDigest) return undefined;
    return stale(
      `has changed since ${laneCommit}: ${head} renders to ${filesDigest}, the published one to ${published.filesDigest}`,
    );
  } catch (error) {
    if (!(error instanceof AgentRunError)) throw error;
    return stale(`has changed since ${laneCommit}, and cannot be rendered at ${head}: ${error.message}`);
  }
}
