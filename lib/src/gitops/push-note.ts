import type { Problem } from '../errors.ts';
import { type BranchState, fetchNotes, NOTES_REF, readNoteId } from './branch-snapshot.ts';
import { blobId } from './branch-tree.ts';
import { hydratorNote, readHydratorNote } from './hydrator-metadata.ts';
import type { LaneCommit } from './lane-commit.ts';
import { type Offer, type PushTarget, pushUntilTaken } from './push.ts';
import { remoteFailure } from './remote.ts';
import type { BlobReader, RemoteObjects } from './remote-objects.ts';
import { writeNote } from './write-commit.ts';

/** A published commit and the dry commit that it holds. */
export interface NoteRequest {
  readonly commit: string;
  readonly laneCommit: LaneCommit;
  readonly author: string;
}

/** A commit of the notes, made on top of what was read of them. */
export const noteOffer = (commit: string, { notesHead }: Pick<BranchState, 'notesHead'>): Offer => ({
  commit,
  ref: NOTES_REF,
  expected: notesHead,
});

/**
 * Writes the note that says which dry commit a published commit holds, unless it says so already. The files are on the
 * branch by then, so a failure is a warning.
 */
export async function pushNote(
  objects: RemoteObjects,
  target: PushTarget,
  { commit, laneCommit, author }: NoteRequest,
): Promise<Problem[]> {
  const { git } = objects;
  const content = hydratorNote(laneCommit.id);
  try {
    await pushUntilTaken(git, target, async () => {
      const notesHead = await fetchNotes(objects);
      const noteId = notesHead === undefined ? undefined : await readNoteId(git, commit);
      if (noteId === blobId(content)) return undefined;
      const stamp = { author, date: laneCommit.committed };
      return noteOffer(await writeNote(git, stamp, { parent: notesHead, content }, commit), { notesHead });
    });
    return [];
  } catch (error) {
    const { message } = remoteFailure(error, target.remote);
    return [
      { code: 'note-not-pushed', severity: 'warning', message: `the note on ${commit} is not pushed: ${message}` },
    ];
  }
}

/** The dry commit that a note names; undefined when it names none. */
export async function readNotedCommit(read: BlobReader, noteId: string): Promise<string | undefined> {
  return readHydratorNote((await read([noteId])).get(noteId)?.toString('utf8') ?? '');
}
