import { createHash } from 'node:crypto';
import { type Git, GitFailure } from './git.ts';
import { type LaneInventory, laneOfInventory, parseInventory } from './inventory.ts';
import { assertBranch } from './remote.ts';

/** One entry of the branch's tree. `mode` is git's: 100644, 100755, 120000 (link), 160000 (submodule). */
export interface BranchEntry {
  readonly mode: string;
  /** The object's id. */
  readonly id: string;
  readonly path: string;
}

/** The newest state of a GitOps branch. */
export interface BranchState {
  /** The newest commit; undefined when the branch does not exist yet. */
  readonly head: string | undefined;
  readonly entries: ReadonlyMap<string, BranchEntry>;
  /** The newest commit of the notes; undefined when there are none, or they were not asked for. */
  readonly notesHead: string | undefined;
}

/** The same, with what each lane owns. */
export interface BranchSnapshot extends BranchState {
  readonly inventories: ReadonlyMap<string, LaneInventory>;
}

const HEAD_REF = 'refs/agentrun/head';
export const NOTES_REF = 'refs/notes/hydrator.metadata';

/**
 * Fetches the newest commit of a branch into the repository, and reads its tree.
 *
 * @param withNotes also fetches the newest commit of the notes; else `notesHead` is undefined
 * @throws GitFailure; AgentRunError `usage` for a branch that cannot be
 */
export async function fetchBranch(git: Git, remote: string, branch: string, withNotes = false): Promise<BranchState> {
  assertBranch(branch);
  // A pattern, since there may be no notes.
  const notes = withNotes ? [`+${NOTES_REF}*:${NOTES_REF}*`] : [];
  if (!(await fetchRefs(git, remote, [`+refs/heads/${branch}:${HEAD_REF}`, ...notes]))) {
    return { head: undefined, entries: new Map(), notesHead: withNotes ? await fetchNotes(git, remote) : undefined };
  }
  const [refs, entries] = await Promise.all([readRefs(git), readTree(git, HEAD_REF)]);
  return { head: refs.get(HEAD_REF), entries, notesHead: withNotes ? refs.get(NOTES_REF) : undefined };
}

/** Fetches the newest commit of the notes; undefined when there are none. */
export async function fetchNotes(git: Git, remote: string): Promise<string | undefined> {
  const areThere = await fetchRefs(git, remote, [`+${NOTES_REF}:${NOTES_REF}`]);
  return areThere ? (await readRefs(git)).get(NOTES_REF) : undefined;
}

/** False when the remote has no ref of one of these names. */
async function fetchRefs(git: Git, remote: string, refs: readonly string[]): Promise<boolean> {
  try {
    // Pruned, so that notes which are gone at the remote are gone here.
    await git.text(['fetch', '--no-tags', '--depth=1', '--prune', '--no-show-forced-updates', '--', remote, ...refs]);
    return true;
  } catch (error) {
    if (error instanceof GitFailure && /couldn't find remote ref/i.test(error.message)) return false;
    throw error;
  }
}

async function readRefs(git: Git): Promise<Map<string, string>> {
  const listing = await git.text(['for-each-ref', '--format=%(refname) %(objectname)', HEAD_REF, NOTES_REF]);
  return new Map(
    listing.split('\n').map((line): [string, string] => {
      const [name = '', id = ''] = line.split(' ');
      return [name, id];
    }),
  );
}

/** Reads the inventories of all lanes. @throws AgentRunError `branch-inventory` when one of them cannot be read */
export async function fetchSnapshot(
  git: Git,
  remote: string,
  branch: string,
  withNotes = false,
): Promise<BranchSnapshot> {
  const state = await fetchBranch(git, remote, branch, withNotes);
  return { ...state, inventories: await readInventories(git, state.entries) };
}

/** Whether a commit that was offered to a branch is on it; `head` is what was last read of the branch. */
export async function isOnBranch(
  git: Git,
  remote: string,
  branch: string,
  head: string | undefined,
  commit: string,
): Promise<boolean> {
  if (head === undefined || head === commit) return head === commit;
  await git.text(['fetch', '--no-tags', '--deepen=1000', '--', remote, `refs/heads/${branch}`]);
  try {
    await git.text(['merge-base', '--is-ancestor', commit, head]);
    return true;
  } catch (error) {
    if (error instanceof GitFailure) return false;
    throw error;
  }
}

/** The whole tree of a commit, by path. */
export async function readTree(git: Git, commit: string): Promise<Map<string, BranchEntry>> {
  const listing = await git.text(['ls-tree', '-r', '-z', '--full-tree', commit]);
  const entries = new Map<string, BranchEntry>();
  for (const line of listing.split('\0')) {
    const tab = line.indexOf('\t');
    if (tab < 0) continue;
    const [mode = '', , id = ''] = line.slice(0, tab).split(' ');
    const path = line.slice(tab + 1);
    entries.set(path, { mode, id, path });
  }
  return entries;
}

async function readInventories(
  git: Git,
  entries: ReadonlyMap<string, BranchEntry>,
): Promise<Map<string, LaneInventory>> {
  const found = [...entries.values()].filter(({ path }) => laneOfInventory(path) !== undefined);
  const contents = await readBlobs(
    git,
    found.map(({ id }) => id),
  );
  return new Map(
    found.map(({ path, id }) => {
      const lane = laneOfInventory(path) ?? '';
      return [lane, parseInventory(lane, contents.get(id)?.toString('utf8') ?? '')];
    }),
  );
}

/** The contents of blobs by their ids, read in one go. */
export async function readBlobs(git: Git, ids: readonly string[]): Promise<Map<string, Buffer>> {
  const blobs = new Map<string, Buffer>();
  if (ids.length === 0) return blobs;
  const output = await git.bytes(['cat-file', '--batch'], ids.map((id) => `${id}\n`).join(''));
  let at = 0;
  while (at < output.length) {
    const end = output.indexOf(10, at);
    const [id = '', type, size = '0'] = output.subarray(at, end).toString('latin1').split(' ');
    if (type !== 'blob') {
      at = end + 1;
      continue;
    }
    blobs.set(id, output.subarray(end + 1, end + 1 + Number(size)));
    at = end + 1 + Number(size) + 1;
  }
  return blobs;
}

/** The id that git gives a blob with this content, in a repository that hashes with SHA-1. */
export function blobId(content: string | Buffer): string {
  const bytes = Buffer.from(content as string);
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}
