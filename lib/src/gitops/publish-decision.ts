import { isBehind, relationReader } from './ancestry.ts';
import { digestReader, readAround } from './branch-contents.ts';
import { type BranchSnapshot, type BranchState, lanesOf } from './branch-snapshot.ts';
import { hydratorNote } from './hydrator-metadata.ts';
import { relationHere } from './lane-commit.ts';
import { type LaneOnBranch, type PublishSource, planPublish } from './lane-on-branch.ts';
import type { PublishOptions, PublishStatus } from './publish.ts';
import { findRemoval, type KnownRemoval } from './publish-history.ts';
import type { BranchPlan } from './publish-plan.ts';
import { readNotedCommit } from './push-note.ts';
import type { RemoteObjects } from './remote-objects.ts';

/** What a publish does to a branch as it was found. */
export interface Decision {
  readonly status: PublishStatus;
  readonly plan: BranchPlan;
  /** The lanes that go. */
  readonly replaced: readonly string[];
  /** The branch as far as the decision needed it. */
  readonly snapshot: BranchSnapshot;
}

const NOTHING: BranchPlan = { writes: [], removals: [] };

/** What there is to do for a branch that was not read yet. */
export const UNDECIDED: Decision = {
  status: 'unchanged',
  plan: NOTHING,
  replaced: [],
  snapshot: { head: undefined, entries: new Map(), notesHead: undefined, noteId: undefined, inventories: new Map() },
};

/** Decides for one lane, each time that the branch is read. */
export interface Decider {
  /** @throws AgentRunError `source-diverged` when nobody can say what is newer; as `planPublish` does */
  readonly decide: (objects: RemoteObjects, state: BranchState) => Promise<Decision>;
  /** Whether the note on a branch that has the files already shall name our commit. */
  readonly movesNote: (objects: RemoteObjects, snapshot: BranchSnapshot) => Promise<boolean>;
}

export function decider(source: PublishSource, wanted: LaneOnBranch, options: PublishOptions): Decider {
  const { commit, path } = source;
  const { allowOlder = false, force = false, replaces = [], environment } = options;
  const { lane } = wanted.inventory;
  const { branch = source.rendered.lane.gitops.branch } = options;
  const relationTo = relationReader(source, environment);
  let isFirst = true;
  let removal: KnownRemoval | undefined;

  async function isSuperseded(objects: RemoteObjects, snapshot: BranchSnapshot, noted?: string): Promise<boolean> {
    if (allowOlder) return false;
    const { head, inventories } = snapshot;
    for (const inventory of [lane, ...replaces].flatMap((one) => inventories.get(one) ?? [])) {
      if (await isBehind(source, inventory, relationTo)) return true;
    }
    const published = inventories.get(lane);
    if (published === undefined) {
      // A newer commit may have removed it. What nobody can compare does not hold up a lane that owns nothing.
      removal = head === undefined ? undefined : await findRemoval(objects, branch, head, lane, removal);
      const removed = removal?.laneCommit;
      return removed !== undefined && (await relationTo(removed)) === 'older';
    }
    if (noted === undefined || noted === published.laneCommit) return false;
    return (await relationTo(noted)) === 'older';
  }

  return {
    async decide(objects, state) {
      const { read, holds } = objects;
      // A branch that is as it shall be holds nothing that must be fetched.
      holds([...wanted.companions.map(({ content }) => content), hydratorNote(commit.id)]);
      const lanes = lanesOf(state);
      const replaced = replaces.filter((one) => one !== lane && lanes.includes(one));
      // Newer commits with the same files are in the note only. With several lanes it may tell of another one.
      const noteId = lanes.length === 1 ? state.noteId : undefined;
      const more = noteId === undefined ? [] : [noteId];
      const snapshot = await readAround(read, state, wanted, { replaced, isFirst, more });
      // Who takes a path between two tries puts a file there.
      isFirst = false;
      const noted = noteId === undefined ? undefined : await readNotedCommit(read, noteId);
      const unchanged = { ...UNDECIDED, snapshot };
      const superseded = begun(isSuperseded(objects, snapshot, noted));
      // Begun before it is known whether it matters: asking for the order of commits takes its time.
      const planning = begun(planPublish(snapshot, wanted, { replaced, force, digestOf: digestReader(read) }));
      if (await superseded) return { ...unchanged, status: 'superseded' };
      const plan = await planning;
      return plan === undefined ? unchanged : { status: 'published', plan, replaced, snapshot };
    },
    async movesNote({ read }, { noteId, inventories }) {
      if (noteId === undefined || allowOlder) return true;
      if (commit.id === inventories.get(lane)?.laneCommit) return false;
      const noted = await readNotedCommit(read, noteId);
      return noted === undefined || (await relationHere(path, commit.id, noted, environment)) !== 'older';
    },
  };
}

/** Work whose failure is told to whoever waits for it, later. */
function begun<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  return work;
}
