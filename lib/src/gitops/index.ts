/** Rendered lanes on their GitOps branch: publish, remove, verify. The only user of git in the library. */
export type { DrySource } from './ancestry.ts';
export { assertCommitted } from './assert-committed.ts';
export { type LaneRepository } from './lane-at-commit.ts';
export { type LaneCommit, readLaneCommit } from './lane-commit.ts';
export type { PublishSource } from './lane-on-branch.ts';
export {
  AUTHOR,
  type PublishOptions,
  type PublishResult,
  type PublishStatus,
  publishLane,
} from './publish.ts';
export type { BranchFile, BranchPlan } from './publish-plan.ts';
export { type PublishedArtifactRequest, publishedArtifact } from './published-artifact.ts';
export { listPublishedLanes, type PublishedLane } from './published-lanes.ts';
export { type RepositoryState, repositoryState } from './repository-state.ts';
export type { Signing } from './sign-commit.ts';
export { type Removal, type RemovalResult, type UnpublishOptions, unpublishLane } from './unpublish.ts';
export { type VerifyOptions, type VerifyResult, type VerifyStatus, verifyLane } from './verify.ts';
