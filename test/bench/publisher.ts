/**
 * A process that has the library at hand, as a service has that publishes: reads requests, a line each, publishes, and
 * answers each with the milliseconds that it took.
 */
import { createInterface } from 'node:readline';
import { imageArtifact, publishLane, readLaneCommit, renderLane, validateLane } from '../../lib/src/index.ts';

/** What is published, and where to. */
export interface PublishRequest {
  readonly text: string;
  /** Absolute path of the lane file in its repository. */
  readonly path: string;
  readonly repository: string;
  readonly remote: string;
  readonly branch: string;
  /** Digest of the image. */
  readonly digest: string;
}

for await (const line of createInterface({ input: process.stdin })) {
  const { text, path, repository, remote, branch, digest } = JSON.parse(line) as PublishRequest;
  const { lane } = validateLane(text, path);
  if (lane === undefined) throw new Error(`${path} is not right`);
  const commit = await readLaneCommit(path);
  const facts = { sourceCommit: commit.id, envIdentity: 'env-1', digest };
  const artifact = imageArtifact(lane, { ...facts, status: 'built' });
  const rendered = renderLane(lane, { sourceCommit: commit.id, artifact, laneFile: 'lanes/v0.1.yaml' });
  const before = performance.now();
  await publishLane({ rendered, text, path, repository, commit }, { remote, branch });
  process.stdout.write(`${performance.now() - before}\n`);
}
