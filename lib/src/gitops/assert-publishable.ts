import { createHash } from 'node:crypto';
import { AgentRunError } from '../errors.ts';
import type { RenderedLane } from '../render/render-lane.ts';

/** The image digest that a lane begins with, before its registry holds a real one. */
const EXAMPLE_DIGEST = createHash('sha256').update('agentrun example tools image').digest('hex');

/**
 * Refuses what a cluster could not run, unless the lane is published with the placeholder, which says so itself.
 *
 * @throws AgentRunError `example-image`
 */
export function assertPublishable({ lane, input }: RenderedLane): void {
  if (input.artifact.status === 'placeholder' || !lane.ci.toolsImage.endsWith(EXAMPLE_DIGEST)) return;
  throw new AgentRunError('example-image', `lane ${lane.version}: ci.toolsImage has the digest of the example`);
}
