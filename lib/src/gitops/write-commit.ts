import { AgentRunError } from '../errors.ts';
import type { Git } from './git.ts';
import type { BranchPlan } from './publish-plan.ts';
import { type Signing, signCommit } from './sign-commit.ts';

/** A commit to be made on top of another one, or of nothing. */
export interface CommitRequest {
  readonly parent: string | undefined;
  readonly plan: BranchPlan;
  readonly message: string;
  /** `Name <email>`, of author and committer. */
  readonly author: string;
  /** Seconds since the epoch, and the zone. */
  readonly date: string;
  readonly signing?: Signing;
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

const header = (ref: string, { author, date, message, parent }: Omit<CommitRequest, 'plan' | 'signing'>): string =>
  [
    `commit ${ref}\nmark :1\n`,
    `author ${author} ${date}\n`,
    `committer ${author} ${date}\n`,
    data(message),
    parent === undefined ? '' : `from ${parent}\n`,
  ].join('');

/** Makes the commit in the object database of the repository and returns its id. The same request gives the same id. */
export async function writeCommit(git: Git, request: CommitRequest): Promise<string> {
  const { plan, signing } = request;
  const changes = [
    ...plan.removals.map((path) => `D ${quotedPath(path)}\n`),
    ...plan.writes.map(({ path, content }) => `M 100644 inline ${quotedPath(path)}\n${data(content)}`),
  ];
  const made = await importCommit(git, header(RESULT, request) + changes.join(''));
  return signing === undefined ? made : signCommit(git, made, request, signing);
}

/** Makes a commit of the notes that sets the note of one commit. */
export function writeNote(
  git: Git,
  request: Omit<CommitRequest, 'plan' | 'signing'>,
  target: string,
  note: string,
): Promise<string> {
  return importCommit(git, `${header(NOTES_RESULT, request)}N inline ${target}\n${data(note)}`);
}

async function importCommit(git: Git, commit: string): Promise<string> {
  // Each try begins at the parent again, so the ref of a former try may be replaced.
  const stream = `feature done\n${commit}get-mark :1\ndone\n`;
  return (await git.text(['fast-import', '--date-format=raw-permissive', '--force'], stream)).trim();
}
