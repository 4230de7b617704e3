import { AgentRunError } from '../errors.ts';
import type { Lane } from '../lane/lane.ts';
import { ARTIFACT_STATUSES, imageArtifact, placeholderArtifact, type ServiceRecord, ZERO_DIGEST } from './artifact.ts';

const COMMIT = /^[0-9a-f]{40}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
/** An environment identity is used as an image tag. */
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/** @throws AgentRunError `source-commit-invalid` */
export function assertCommit(commit: string): void {
  if (!COMMIT.test(commit)) {
    throw new AgentRunError(
      'source-commit-invalid',
      `the source commit ${shown(commit)} is not 40 lower-case hex digits`,
    );
  }
}

/**
 * What every record must satisfy, whatever the lane: the forms of commit, digest, identity and status, and that it was
 * made for this commit.
 *
 * @throws AgentRunError `artifact-invalid` or `artifact-mismatch`
 */
export function assertArtifact(sourceCommit: string, artifact: ServiceRecord): void {
  const invalid = (field: keyof ServiceRecord, expected: string) => {
    throw new AgentRunError(
      'artifact-invalid',
      `the artifact's ${field} is ${shown(artifact[field])}; it must be ${expected}`,
    );
  };
  if (!ARTIFACT_STATUSES.includes(artifact.status)) invalid('status', `one of ${ARTIFACT_STATUSES.join(', ')}`);
  if (!DIGEST.test(artifact.digest)) invalid('digest', '"sha256:" and 64 lower-case hex digits');
  if ((artifact.digest === ZERO_DIGEST) !== (artifact.status === 'placeholder')) {
    invalid('digest', 'the digest of an image; 64 zeros stand for the placeholder alone');
  }
  if (!TAG.test(artifact.envIdentity))
    invalid('envIdentity', 'an image tag: letters, digits, "_", ".", "-", at most 128');
  if (!COMMIT.test(artifact.bootCommit)) invalid('bootCommit', '40 lower-case hex digits');
  if (artifact.bootCommit !== sourceCommit) {
    throw new AgentRunError(
      'artifact-mismatch',
      `the artifact boots the commit ${artifact.bootCommit}, but the lane is rendered for ${sourceCommit}`,
    );
  }
}

/** The record of the same image as another lane would write it. */
export function artifactForLane(lane: Lane, artifact: ServiceRecord, laneFile?: string): ServiceRecord {
  const { status, bootCommit: sourceCommit, envIdentity, digest } = artifact;
  if (status === 'placeholder') return placeholderArtifact(lane, sourceCommit);
  return imageArtifact(lane, {
    sourceCommit,
    envIdentity,
    digest,
    status,
    ...(laneFile === undefined ? {} : { laneFile }),
  });
}

const shown = (value: unknown): string => (JSON.stringify(value) ?? 'missing').slice(0, 120);
