import type { Lane } from '../lane/lane.ts';
import { type ArtifactStatus, orderedRecord, type ServiceRecord } from './artifact.ts';

/** The artifact catalog of a lane: which images its rendered files use. */
export interface ArtifactCatalog {
  /** Version of the lane. */
  readonly lane: string;
  readonly sourceBranch: string;
  readonly gitopsBranch: string;
  /** 40 lower-case hex digits. */
  readonly sourceCommitId: string;
  /** `build=N reuse=N placeholder=N`, counted over `services`. */
  readonly summary: string;
  readonly services: readonly ServiceRecord[];
}

const COUNTED_AS = {
  placeholder: 'placeholder',
  published: 'build',
  built: 'build',
  reused: 'reuse',
} as const satisfies Record<ArtifactStatus, string>;

/** Makes the catalog; the keys of each record are put in the order of the contract, whatever order they had. */
export function artifactCatalog(lane: Lane, sourceCommit: string, services: readonly ServiceRecord[]): ArtifactCatalog {
  const count = (word: string) => services.filter(({ status }) => COUNTED_AS[status] === word).length;
  return {
    lane: lane.version,
    sourceBranch: lane.source.branch,
    gitopsBranch: lane.gitops.branch,
    sourceCommitId: sourceCommit,
    summary: `build=${count('build')} reuse=${count('reuse')} placeholder=${count('placeholder')}`,
    services: services.map(orderedRecord),
  };
}
