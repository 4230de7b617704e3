import type { LaneCommit } from './lane-commit.ts';
import type { BranchFile } from './publish-plan.ts';

/** Where the rendered files come from, as Argo CD's source hydrator and gitops-promoter read it. */
export interface HydratorSource {
  /** URL of the repository that holds the lane. */
  readonly repository: string;
  readonly commit: LaneCommit;
  /** Repository and commit of the code, where it is another one than the lane's. */
  readonly code?: { readonly repository: string; readonly commit: string };
}

const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

/**
 * The two files `hydrator.metadata`: the one at the root tells of the whole dry commit, the one beside the
 * kustomization names it only.
 */
export function hydratorFiles({ repository, commit, code }: HydratorSource, directory: string): BranchFile[] {
  const root = {
    repoURL: repository,
    drySha: commit.id,
    author: commit.author,
    date: commit.date,
    subject: commit.subject,
    ...(commit.body === '' ? {} : { body: commit.body }),
    ...(code === undefined ? {} : { references: [{ commit: { sha: code.commit, repoURL: code.repository } }] }),
  };
  return [
    { path: 'hydrator.metadata', content: json(root) },
    { path: `${directory}/hydrator.metadata`, content: json({ repoURL: repository, drySha: commit.id }) },
  ];
}

/** The note on a published commit: the dry commit that it was made from. */
export const hydratorNote = (laneCommit: string): string => JSON.stringify({ drySha: laneCommit });

