import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BranchEntry, readTree } from './branch-tree.ts';
import { type Git, GitFailure } from './git.ts';
import { inventoryPath, type LaneInventory, laneOfInventory, parseInventory } from './inventory.ts';
import { assertBranch } from './remote.ts';
import { type BlobReader, HISTORY, type RemoteObjects } from './remote-objects.ts';

/** The newest state of a GitOps branch. */
export interface BranchState {
  /** The newest commit; undefined when the branch does not exist yet. */
  readonly head: string | undefined;
  readonly entries: ReadonlyMap<string, BranchEntry>;
  /** The newest commit of the notes; undefined when there are none, or they were not asked for. */
  readonly notesHead: string | undefined;
  /** The id of the note on the newest commit; undefined when there is none, or it was not asked for. */
  readonly noteId: string | undefined;
}

/** The same, with what lanes own. */
export interface BranchSnapshot extends BranchState {
  /** By lane; of all lanes, or of those that were asked for. */
  readonly inventories: ReadonlyMap<string, LaneInventory>;
}

const HEAD_REF = 'refs/agentrun/head';
export const NOTES_REF = 'refs/notes/hydrator.metadata';

/**
 * Fetches the newest commit of a branch, and reads its tree.
 *
 * @param withNotes also fetches the newest commit of the notes; else `notesHead` is undefined
 * @throws GitFailure; AgentRunError `usage` for a branch that cannot be
 */
export async function fetchBranch(objects: RemoteObjects, branch: string, withNotes = false): Promise<BranchState> {
  assertBranch(branch);
  // A pattern, since there may be no notes.
  const notes = withNotes ? { [NOTES_REF]: `+${NOTES_REF}*:${NOTES_REF}*` } : {};
  if (!(await fetchRefs(objects, { [HEAD_REF]: `+refs/heads/${branch}:${HEAD_REF}`, ...notes }))) {
    const notesHead = withNotes ? await fetchNotes(objects) : undefined;
    return { head: undefined, entries: new Map(), notesHead, noteId: undefined };
  }
  const { git } = objects;
  const notesHead = withNotes ? await readRef(git, NOTES_REF) : undefined;
  const [entries, noteId] = await Promise.all([
    readTree(git, HEAD_REF),
    notesHead === undefined ? undefined : readNoteId(git, HEAD_REF),
  ]);
  return { head: await readRef(git, HEAD_REF), entries, notesHead, noteId };
}

/** Fetches the newest commit of the notes; undefined when there are none. */
export async function fetchNotes(objects: RemoteObjects): Promise<string | undefined> {
  const areThere = await fetchRefs(objects, { [NOTES_REF]: `+${NOTES_REF}:${NOTES_REF}` });
  return areThere ? await readRef(objects.git, NOTES_REF) : undefined;
}

/** The id of the note on a commit, of the notes that were fetched; undefined when there is none for it. */
export async function readNoteId(git: Git, commit: string): Promise<string | undefined> {
  try {
    return (await git.text(['notes', `--ref=${NOTES_REF}`, 'list', commit])).trim();
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    return undefined;
  }
}

/**
 * Fetches what stands at the right, by what it is called here. The second time only what is new since.
 *
 * @returns false when the remote has no ref of one of these names
 */
async function fetchRefs(objects: RemoteObjects, refs: Readonly<Record<string, string>>): Promise<boolean> {
  const known = await Promise.all(Object.keys(refs).map((ref) => readRef(objects.git, ref)));
  const depth = known.every((id) => id !== undefined) ? [] : ['--depth=1'];
  try {
    // Pruned, so that notes which are gone at the remote are gone here.
    await objects.fetch([...depth, '--prune'], Object.values(refs));
    return true;
  } catch (error) {
    if (error instanceof GitFailure && /couldn't find remote ref/i.test(error.message)) return false;
    throw error;
  }
}

/** What was just fetched lies in a file, as long as nobody packs the refs of the disposable repository. */
async function readRef({ directory }: Git, ref: string): Promise<string | undefined> {
  try {
    return (await readFile(join(directory, ref), 'utf8')).trim();
  } catch (error) {
    // A directory stands there when somebody has refs below that name.
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** The lanes that a branch holds, by the names of their inventories. */
export const lanesOf = ({ entries }: BranchState): string[] =>
  [...entries.keys()].flatMap((path) => laneOfInventory(path) ?? []);

/**
 * Reads what lanes own; lanes that are not on the branch are left out.
 *
 * @throws AgentRunError `branch-inventory` when one of the inventories cannot be read
 */
export async function readInventories(
  read: BlobReader,
  { entries }: BranchState,
  lanes: readonly string[],
): Promise<Map<string, LaneInventory>> {
  const found = lanes.flatMap((lane) => {
    const id = entries.get(inventoryPath(lane))?.id;
    return id === undefined ? [] : [{ lane, id }];
  });
  const contents = await read(found.map(({ id }) => id));
  return new Map(
    found.map(({ lane, id }) => [lane, parseInventory(lane, contents.get(id)?.toString('utf8') ?? '')] as const),
  );
}

/** Fetches the newest state of a branch and what all of its lanes own. @throws as {@link readInventories} */
export async function fetchSnapshot(objects: RemoteObjects, branch: string): Promise<BranchSnapshot> {
  const state = await fetchBranch(objects, branch);
  return { ...state, inventories: await readInventories(objects.read, state, lanesOf(state)) };
}

/** Whether a commit that was offered to a branch is on it; `head` is what was last read of the branch. */
export async function isOnBranch(
  { withHistory }: RemoteObjects,
  branch: string,
  head: string | undefined,
  commit: string,
): Promise<boolean> {
  if (head === undefined || head === commit) return head === commit;
  return withHistory(branch, async (git) => {
    try {
      await git.text(['merge-base', '--is-ancestor', commit, HISTORY]);
      return true;
    } catch (error) {
      // It is not among these commits at all.
      if (error instanceof GitFailure) return false;
      throw error;
    }
  });
}
