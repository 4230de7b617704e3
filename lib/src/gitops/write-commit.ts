import { AgentRunError } from '../errors.ts';
import { type Git, GitFailure } from './git.ts';
import type { BranchPlan } from './publish-plan.ts';
import { type Signing, signCommit } from './sign-commit.ts';

/** Who commits, and when. */
export interface Stamp {
  /** `Name <email>`, of author and committer. */
  readonly author: string;
  /** Seconds since the epoch, and the zone. */
  readonly date: string;
}

/** A note to be set by a commit of the notes. */
export interface NoteContent {
  /** The newest commit of the notes; undefined when there are none. */
  readonly parent: string | undefined;
  readonly content: string;
}

/** A commit to be made on top of another one, or of nothing. */
export interface CommitRequest extends Stamp {
  readonly parent: string | undefined;
  readonly plan: BranchPlan;
  readonly message: string;
  readonly signing?: Signing;
  /** The note on the commit. Default none. */
  readonly note?: NoteContent;
}

/** The ids of a commit, and of the commit of the notes that sets its note, where that could be made. */
export interface MadeCommit {
  readonly commit: string;
  readonly note?: string;
}

/** @throws AgentRunError `usage` for what git would not take as an author */
export function assertAuthor(author: string): void {
  if (/^[^<>\n\0]+ <[^<>\s\0]+>$/.test(author)) return;
  throw new AgentRunError('usage', `"${author}" is no author; write it as "Name <email>"`);
}

const RESULT = 'refs/agentrun/result';
const NOTES_RESULT = 'refs/agentrun/notes-result';

/** A path as a stream of fast-import carries it: always quoted, so that no character has a meaning. */
const quotedPath = (path: string): string => `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

const data = (content: string): string => `data ${Buffer.byteLength(content)}\n${content}\n`;

const header = (ref: string, mark: string, { author, date }: Stamp, message: string, parent: string | undefined) =>
  [
    `commit ${ref}\nmark ${mark}\n`,
    `author ${author} ${date}\n`,
    `committer ${author} ${date}\n`,
    data(message),
    parent === undefined ? '' : `from ${parent}\n`,
  ].join('');

/**
 * Makes the commit in the object database of the repository, with a note where one is asked for. The same request gives
 * the same ids.
 */
export async function writeCommit(git: Git, request: CommitRequest): Promise<MadeCommit> {
  const { plan, signing, note } = request;
  const changes = [
    header(RESULT, ':1', request, request.message, request.parent),
    ...plan.removals.map((path) => `D ${quotedPath(path)}\n`),
    ...plan.writes.map(({ path, content }) => `M 100644 inline ${quotedPath(path)}\n${data(content)}`),
  ];
  if (signing === undefined && note !== undefined) {
    const both = [changes.join(''), noteChanges(request, note, ':1', ':2')];
    const [commit = '', made = ''] = (await importCommits(git, both).catch(ignoreFailure)) ?? [];
    if (made !== '') return { commit, note: made };
  }
  const [made = ''] = await importCommits(git, [changes.join('')]);
  if (signing === undefined) return { commit: made };
  const commit = await signCommit(git, made, request, signing);
  const noted = note === undefined ? undefined : await writeNote(git, request, note, commit).catch(ignoreFailure);
  return { commit, ...(noted === undefined ? {} : { note: noted }) };
}

/** Notes that are none must not hold up the commit: it goes without, and who sets its note later tells what is wrong. */
function ignoreFailure(error: unknown): undefined {
  if (!(error instanceof GitFailure)) throw error;
}

/** Makes a commit of the notes that sets the note of one commit, and returns its id. */
export async function writeNote(git: Git, stamp: Stamp, note: NoteContent, target: string): Promise<string> {
  const [made = ''] = await importCommits(git, [noteChanges(stamp, note, target, ':1')]);
  return made;
}

const noteChanges = (stamp: Stamp, { parent, content }: NoteContent, target: string, mark: string): string =>
  `${header(NOTES_RESULT, mark, stamp, 'Note where a commit comes from\n', parent)}N inline ${target}\n${data(content)}`;

/** Commits with the marks :1, :2, ... in one go. */
async function importCommits(git: Git, commits: readonly string[]): Promise<string[]> {
  // Each try begins at the parent again, so the ref of a former try may be replaced.
  const marks = commits.map((_, at) => `get-mark :${at + 1}\n`);
  const stream = `feature done\n${commits.join('')}${marks.join('')}done\n`;
  const ids = await git.text(['fast-import', '--date-format=raw-permissive', '--force'], stream);
  return ids.trim().split('\n');
}
