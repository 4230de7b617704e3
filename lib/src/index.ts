/**
 * Loads, validates, renders and checks AgentRun lanes. Rendering and checking are pure: they read no file, clock,
 * environment or network, and give the same bytes on every run and machine.
 *
 * @packageDocumentation
 */
export {
  ARTIFACT_STATUSES,
  type ArtifactStatus,
  defaultLaneFile,
  type ImageFacts,
  imageArtifact,
  placeholderArtifact,
  type ServiceRecord,
  ZERO_DIGEST,
} from './artifacts/artifact.ts';
export { type ArtifactCatalog, artifactCatalog } from './artifacts/catalog.ts';
export { readArtifact } from './artifacts/read-artifact.ts';
export { checkLane } from './check/check-lane.ts';
export { checkRendered } from './check/check-rendered.ts';
export type { Finding } from './check/finding.ts';
export { maskSecrets } from './contract/secret-shapes.ts';
export { AgentRunError, ERROR_CODES, type ErrorCode, type Problem } from './errors.ts';
export {
  AUTHOR,
  assertCommitted,
  type BranchFile,
  type BranchPlan,
  type DrySource,
  type LaneCommit,
  type LaneRepository,
  listPublishedLanes,
  type PublishedArtifactRequest,
  type PublishedLane,
  type PublishOptions,
  type PublishResult,
  type PublishSource,
  type PublishStatus,
  publishedArtifact,
  publishLane,
  type Removal,
  type RemovalResult,
  type RepositoryState,
  readLaneCommit,
  repositoryState,
  type Signing,
  type UnpublishOptions,
  unpublishLane,
  type VerifyOptions,
  type VerifyResult,
  type VerifyStatus,
  verifyLane,
} from './gitops/index.ts';
export type { DisabledPostgres, EnabledPostgres, Lane } from './lane/lane.ts';
export type { LanePath } from './lane/lane-path.ts';
export type { Position } from './lane/line-index.ts';
export { type LoadedLane, type LoadLaneOptions, loadLane, loadLaneSync } from './lane/load-lane.ts';
export { type ChangedLine, newLaneText } from './lane/new-lane.ts';
export type { FieldPart } from './lane/positions.ts';
export { normalizeRepositoryUrl, sameRepository } from './lane/repository-url.ts';
export { type LaneOfMany, laneConflicts } from './lane/rules/lanes.ts';
export { type RunnerJobLabelSource, runnerJobLabels } from './lane/runner-job-labels.ts';
export { type LaneInput, laneSchema } from './lane/schema/index.ts';
export { laneSchemaText } from './lane/schema/schema-text.ts';
export { type PositionOf, type ValidatedLane, validateLane } from './lane/validate-lane.ts';
export { validateLaneObject } from './lane/validate-lane-object.ts';
export type { KubernetesObject } from './manifests/kubernetes-object.ts';
export { type Prerequisite, prerequisites } from './manifests/prerequisites.ts';
export { builtInTemplates, type TemplateSet } from './manifests/template-set.ts';
export { type OutputFile, type WrittenOutput, writeOutput } from './output/index.ts';
export { type Proof, type ProveOptions, proveLane } from './proof/prove-lane.ts';
export { filesDigest, objectsDigest } from './render/digest.ts';
export { GENERATOR_NAME, GENERATOR_VERSION } from './render/generator.gen.ts';
export {
  type RenderedFile,
  type RenderedLane,
  type RenderInput,
  renderControlPlane,
  renderGitopsFiles,
  renderLane,
} from './render/render-lane.ts';
export { yamlDocument, yamlDocuments } from './render/yaml.ts';
