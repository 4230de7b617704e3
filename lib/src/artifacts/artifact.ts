import type { Lane } from '../lane/lane.ts';

/** How an image came to be: not at all, built, published to the registry, or taken over from an earlier publish. */
export const ARTIFACT_STATUSES = ['placeholder', 'published', 'built', 'reused'] as const;
/** One of {@link ARTIFACT_STATUSES}. */
export type ArtifactStatus = (typeof ARTIFACT_STATUSES)[number];

/**
 * The environment image of the manager as a checkable record: 14 fields, in the order in which they are written. The
 * four fields that begin with `env` repeat others; `image` goes by tag, `repositoryDigest` by digest.
 */
export interface ServiceRecord {
  readonly serviceId: 'agentrun-mgr';
  readonly artifactKind: 'env-reuse';
  readonly status: ArtifactStatus;
  readonly image: string;
  /** `sha256:` and 64 lower-case hex digits. */
  readonly digest: string;
  readonly repositoryDigest: string;
  readonly imageTag: string;
  /** What the image is made of, as a tag; images of one identity are interchangeable. */
  readonly envIdentity: string;
  readonly envImage: string;
  readonly envDigest: string;
  readonly envRepositoryDigest: string;
  /** The commit that the manager boots: 40 lower-case hex digits. */
  readonly bootCommit: string;
  readonly bootScript: string;
  readonly provenance: {
    readonly sourceCommitId: string;
    readonly source: 'placeholder' | 'agentrun-lane';
    readonly configSource?: string;
    readonly valuesPrinted: false;
  };
}

/** The digest of no image: that of the placeholder alone. */
export const ZERO_DIGEST = `sha256:${'0'.repeat(64)}`;

const BOOT_SCRIPT = 'templates/boot/agentrun-boot.sh';

function record(
  lane: Lane,
  facts: Pick<ServiceRecord, 'status' | 'digest' | 'envIdentity' | 'bootCommit' | 'provenance'>,
): ServiceRecord {
  const { digest, envIdentity } = facts;
  const name = `${lane.ci.registryPrefix}/${lane.deployment.manager.imageBuild.repository}`;
  const image = `${name}:${envIdentity}`;
  const repositoryDigest = `${name}@${digest}`;
  return {
    serviceId: 'agentrun-mgr',
    artifactKind: 'env-reuse',
    status: facts.status,
    image,
    digest,
    repositoryDigest,
    imageTag: envIdentity,
    envIdentity,
    envImage: image,
    envDigest: digest,
    envRepositoryDigest: repositoryDigest,
    bootCommit: facts.bootCommit,
    bootScript: BOOT_SCRIPT,
    provenance: facts.provenance,
  };
}

/**
 * A record without an image, for checks and reviews. `sourceCommit` must be 40 lower-case hex digits, which
 * `renderLane` judges.
 */
export function placeholderArtifact(lane: Lane, sourceCommit: string): ServiceRecord {
  return record(lane, {
    status: 'placeholder',
    digest: ZERO_DIGEST,
    envIdentity: sourceCommit,
    bootCommit: sourceCommit,
    provenance: { sourceCommitId: sourceCommit, source: 'placeholder', valuesPrinted: false },
  });
}

/** What is known of a real image. */
export interface ImageFacts {
  /** The commit that the manager boots: 40 lower-case hex digits. */
  readonly sourceCommit: string;
  /** The identity of the environment, which is also the tag of the image. */
  readonly envIdentity: string;
  /** `sha256:` and 64 lower-case hex digits. */
  readonly digest: string;
  readonly status: Exclude<ArtifactStatus, 'placeholder'>;
  /** Path of the lane file in its repository; default `lanes/<version>.yaml`. */
  readonly laneFile?: string;
}

/** The record of an image that exists. The facts are not judged here: `renderLane` does it. */
export function imageArtifact(lane: Lane, facts: ImageFacts): ServiceRecord {
  const { sourceCommit, laneFile = defaultLaneFile(lane) } = facts;
  return record(lane, {
    ...facts,
    bootCommit: sourceCommit,
    provenance: {
      sourceCommitId: sourceCommit,
      source: 'agentrun-lane',
      configSource: laneFile,
      valuesPrinted: false,
    },
  });
}

/** The same record with its keys in the order in which they are written, whatever order the caller's has. */
export function orderedRecord(given: ServiceRecord): ServiceRecord {
  const { sourceCommitId, source, configSource, valuesPrinted } = given.provenance;
  return {
    serviceId: given.serviceId,
    artifactKind: given.artifactKind,
    status: given.status,
    image: given.image,
    digest: given.digest,
    repositoryDigest: given.repositoryDigest,
    imageTag: given.imageTag,
    envIdentity: given.envIdentity,
    envImage: given.envImage,
    envDigest: given.envDigest,
    envRepositoryDigest: given.envRepositoryDigest,
    bootCommit: given.bootCommit,
    bootScript: given.bootScript,
    provenance: { sourceCommitId, source, ...(configSource === undefined ? {} : { configSource }), valuesPrinted },
  };
}

/** Where a lane file lies when nothing else is said. */
export const defaultLaneFile = (lane: { version: string }): string => `lanes/${lane.version}.yaml`;
