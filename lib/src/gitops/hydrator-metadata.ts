import { maskSecrets } from '../contract/secret-shapes.ts';
import type { LaneCommit } from './lane-commit.ts';
import type { BranchFile } from './publish-plan.ts';
import { type CommitReference, takeReference } from './reference-trailers.ts';

/** Where the rendered files come from, as Argo CD's source hydrator and gitops-promoter read it. */
export interface HydratorSource {
  /** URL of the repository that holds the lane. */
  readonly repository: string;
  readonly commit: LaneCommit;
  /** Repository and commit of the code, where it is another one than the lane's. */
  readonly code?: { readonly repository: string; readonly commit: string };
}

const isEmpty = (value: unknown): boolean => value === '' || (Array.isArray(value) && value.length === 0);

/** Empty fields are left out, as Argo CD does. */
const json = (fields: Readonly<Record<string, unknown>>): string =>
  `${JSON.stringify(Object.fromEntries(Object.entries(fields).filter(([, value]) => !isEmpty(value))), null, 2)}\n`;

/** Path of the metadata of the whole branch: the newest publish, of whichever lane. */
export const ROOT_METADATA = 'hydrator.metadata';

/** Where the metadata of one lane lies, in the directory that Argo CD syncs. */
export const metadataPath = (directory: string): string => `${directory}/${ROOT_METADATA}`;

/** The metadata beside a kustomization: it names the dry commit only. */
export const hydratorPointer = (repository: string, laneCommit: string): string =>
  json({ repoURL: repository, drySha: laneCommit });

/**
 * The two files `hydrator.metadata`: the one at the root tells of the whole dry commit, the one beside the
 * kustomization names it only.
 */
export function hydratorFiles({ repository, commit, code }: HydratorSource, directory: string): BranchFile[] {
  const { body, reference } = takeReference(commit.body);
  const root = {
    repoURL: repository,
    drySha: commit.id,
    author: maskSecrets(commit.author),
    date: inUtc(commit.date),
    // A message of a commit stays where it is; a secret in it need not come here too.
    subject: maskSecrets(commit.subject),
    body: maskSecrets(body),
    references: references(code, reference),
  };
  return [
    { path: ROOT_METADATA, content: json(root) },
    { path: metadataPath(directory), content: hydratorPointer(repository, commit.id) },
  ];
}

/** As Argo CD writes it, whatever the version of git does. */
const inUtc = (date: string): string => date.replace(/[+-]00:00$/, 'Z');

/** The commit of the code, with what the lane's commit says of it. */
function references(code: HydratorSource['code'], named: CommitReference): readonly object[] {
  if (code === undefined) return Object.keys(named).length === 0 ? [] : [{ commit: named }];
  const own = { sha: code.commit, repoURL: code.repository };
  const same = named.sha !== undefined && code.commit.startsWith(named.sha.toLowerCase());
  return [{ commit: same ? { ...named, ...own } : own }];
}

/** The note on a published commit: the dry commit that it was made from. */
export const hydratorNote = (laneCommit: string): string => JSON.stringify({ drySha: laneCommit });

/** The dry commit that a note names; undefined when it names none. */
export function readHydratorNote(note: string): string | undefined {
  try {
    const { drySha } = JSON.parse(note) as { drySha?: unknown };
    return typeof drySha === 'string' && /^[0-9a-f]{40}$/.test(drySha) ? drySha : undefined;
  } catch {
    return undefined;
  }
}
