import type { Problem } from '../errors.ts';
import { type BranchState, fetchBranch, NOTES_REF } from './branch-snapshot.ts';
import type { Git } from './git.ts';
import { hydratorNote } from './hydrator-metadata.ts';
import type { LaneCommit } from './lane-commit.ts';
import { type PushTarget, pushUntilTaken } from './push.ts';
import { remoteFailure } from './remote.ts';
import { writeNote } from './write-commit.ts';

/** A published commit and the dry commit that it holds. */
export interface NoteRequest {
  readonly commit: string;
  readonly laneCommit: LaneCommit;
  readonly author: string;
  /** What was last read of the branch. */
  readonly snapshot: BranchState;
}

/**
 * Writes the note that says which dry commit a published commit holds, unless it says so already. The files are on the
 * branch by then, so a failure is a warning.
 */
export async function pushNote(git: Git, target: PushTarget, request: NoteRequest): Promise<Problem[]> {
  const { commit, laneCommit, author } = request;
  const note = hydratorNote(laneCommit.id);
  let seen: BranchState | undefined = request.snapshot;
  try {
    await pushUntilTaken(git, target, async () => {
      const { notesHead } = seen ?? (await fetchBranch(git, target.remote, target.branch));
      seen = undefined;
      if (notesHead !== undefined && (await readNote(git, commit)) === note) return undefined;
      const message = `Note ${commit.slice(0, 12)}\n`;
      const made = await writeNote(git, { parent: notesHead, message, author, date: laneCommit.committed }, commit, note);
      return { commit: made, ref: NOTES_REF, expected: notesHead };
    });
    return [];
  } catch (error) {
    const { message } = remoteFailure(error, target.remote);
    return [{ code: 'note-not-pushed', severity: 'warning', message: `the note on ${commit} is not pushed: ${message}` }];
  }
}

async function readNote(git: Git, commit: string): Promise<string | undefined> {
  try {
    return (await git.text(['notes', `--ref=${NOTES_REF}`, 'show', commit])).trim();
  } catch {
    // There is none for this commit.
    return undefined;
  }
}
