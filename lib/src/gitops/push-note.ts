import type { Problem } from '../errors.ts';
import { type BranchState, fetchNotes, NOTES_REF } from './branch-snapshot.ts';
import { type Git, GitFailure } from './git.ts';
import { hydratorNote, readHydratorNote } from './hydrator-metadata.ts';
import type { LaneCommit } from './lane-commit.ts';
import { type PushTarget, pushUntilTaken } from './push.ts';
import { remoteFailure } from './remote.ts';
import { writeNote } from './write-commit.ts';

/** A published commit and the dry commit that it holds. */
export interface NoteRequest {
  readonly commit: string;
  readonly laneCommit: LaneCommit;
  readonly author: string;
}

/** What is known of the notes. */
export interface KnownNotes {
  /** Their newest commit; undefined when there are none. */
  readonly notesHead: string | undefined;
  /** The commit on top of it that sets the note, where it has been begun: see {@link makeNote}. */
  readonly made?: Promise<string> | undefined;
}

/** Makes the commit of the notes that sets the note, in the repository only. */
export function makeNote(
  git: Git,
  { commit, laneCommit, author }: NoteRequest,
  notesHead: string | undefined,
): Promise<string> {
  const message = `Note ${commit.slice(0, 12)}\n`;
  const request = { parent: notesHead, message, author, date: laneCommit.committed };
  return writeNote(git, request, commit, hydratorNote(laneCommit.id));
}

/**
 * Writes the note that says which dry commit a published commit holds, unless it says so already. The files are on the
 * branch by then, so a failure is a warning.
 *
 * @param known what was just read of the notes, which saves reading them
 */
export async function pushNote(
  git: Git,
  target: PushTarget,
  request: NoteRequest,
  known?: KnownNotes,
): Promise<Problem[]> {
  const { commit, laneCommit } = request;
  let seen = known;
  try {
    await pushUntilTaken(git, target, async () => {
      const { notesHead, made }: KnownNotes = seen ?? { notesHead: await fetchNotes(git, target.remote) };
      seen = undefined;
      if (
        made === undefined &&
        notesHead !== undefined &&
        (await readNote(git, commit)) === hydratorNote(laneCommit.id)
      )
        return undefined;
      return { commit: await (made ?? makeNote(git, request, notesHead)), ref: NOTES_REF, expected: notesHead };
    });
    return [];
  } catch (error) {
    const { message } = remoteFailure(error, target.remote);
    return [
      { code: 'note-not-pushed', severity: 'warning', message: `the note on ${commit} is not pushed: ${message}` },
    ];
  }
}

/** The dry commit that the note on the newest commit of a branch names; undefined when there is no such note. */
export async function notedCommit(git: Git, { head, notesHead }: BranchState): Promise<string | undefined> {
  if (head === undefined || notesHead === undefined) return undefined;
  return readHydratorNote((await readNote(git, head)) ?? '');
}

async function readNote(git: Git, commit: string): Promise<string | undefined> {
  try {
    return (await git.text(['notes', `--ref=${NOTES_REF}`, 'show', commit])).trim();
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    // There is none for this commit.
    return undefined;
  }
}
