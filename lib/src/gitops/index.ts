/** Rendered lanes on their GitOps branch: publish, remove, verify. The only user of git in the library. */
export { type LaneRepository } from './lane-at-commit.ts';
export { type LaneCommit, readLaneCommit } from './lane-commit.ts';
export { listPublishedLanes, type PublishedLane } from './published-lanes.ts';
export { publishedArtifact, type PublishedArtifactRequest } from './published-artifact.ts';
export {
  AUTHOR,
  publishLane,
  type PublishOptions,
  type PublishResult,
  type PublishSource,
  type PublishStatus,
} from './publish.ts';
export type { BranchFile, BranchPlan } from './publish-plan.ts';
export { type RepositoryState, repositoryState } from './repository-state.ts';
export type { Signing } from './sign-commit.ts';
export { type Removal, type RemovalResult, unpublishLane, type UnpublishOptions } from './unpublish.ts';
export { verifyLane, type VerifyOptions, type VerifyResult, type VerifyStatus } from './verify.ts';
