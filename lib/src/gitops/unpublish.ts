import { AgentRunError } from '../errors.ts';
import { type DrySource, isBehind, relationReader } from './ancestry.ts';
import { contentsBefore, digestReader, fetchOwned } from './branch-contents.ts';
import { type BranchSnapshot, isOnBranch } from './branch-snapshot.ts';
import { removalMessage } from './commit-message.ts';
import type { LaneCommit } from './lane-commit.ts';
import { AUTHOR, type PublishOptions, type PublishResult, signingOf } from './publish.ts';
import { type BranchPlan, planLane } from './publish-plan.ts';
import { pushUntilTaken } from './push.ts';
import { resolveRemote } from './remote.ts';
import { type RemoteObjects, withRemoteObjects } from './remote-objects.ts';
import { assertAuthor, writeCommit } from './write-commit.ts';

/** The lane to be removed from a branch. */
export interface Removal {
  readonly lane: string;
  /** The commit of the lanes' repository that says so: the removal names it and carries its date. */
  readonly commit: LaneCommit;
  /** What says that the lane is gone. A lane from a newer commit then stays. Default: it goes, whatever published it. */
  readonly source?: DrySource;
}

/** Where, and how: as for a publish. The branch must be named: the lane file may be gone. */
export type UnpublishOptions = Omit<PublishOptions, 'allowOlder' | 'replaces' | 'branch'> & { readonly branch: string };

/** How a removal ended: removed, nothing was there, or a newer commit published the lane. */
export type RemovalResult = Omit<PublishResult, 'status' | 'replaced'> & {
  readonly status: 'removed' | 'absent' | 'superseded';
};

interface Decision {
  readonly status: RemovalResult['status'];
  readonly plan: BranchPlan;
  /** The commit that was made. */
  readonly commit?: string;
}

const ABSENT: Decision = { status: 'absent', plan: { writes: [], removals: [] } };

/**
 * Removes everything that a lane owns from a GitOps branch, and nothing else.
 *
 * @throws AgentRunError `last-lane` when no other lane is on the branch, `path-edited` when one of its files was
 *   edited there, both unless forced; `source-diverged` when nobody can say whether the source is newer; the branch is
 *   then as it was
 */
export async function unpublishLane(
  { lane, commit, source }: Removal,
  options: UnpublishOptions,
): Promise<RemovalResult> {
  const { branch, force = false, author = AUTHOR } = options;
  const remote = resolveRemote(options.remote, options.cwd);
  assertAuthor(author);
  const relationTo = source === undefined ? undefined : relationReader(source, options.environment);
  const unpublish = async (objects: RemoteObjects): Promise<RemovalResult> => {
    const { git, read } = objects;
    let decision = ABSENT;
    let snapshot: BranchSnapshot | undefined;
    const target = { remote, branch, deadlineMs: options.deadlineMs ?? 60_000 };
    const { tries: attempts } = await pushUntilTaken(git, target, async (last) => {
      snapshot = await fetchOwned(objects, branch, lane);
      const { head, inventories } = snapshot;
      const arrived = async () => last !== undefined && (await isOnBranch(objects, branch, head, last.commit));
      const published = inventories.get(lane);
      const isAbsent = published === undefined;
      if ((isAbsent || last?.isUnanswered === true) && (await arrived())) return undefined;
      decision = ABSENT;
      if (isAbsent) return undefined;
      if (source !== undefined && relationTo !== undefined && (await isBehind(source, published, relationTo))) {
        decision = { ...ABSENT, status: 'superseded' };
        return undefined;
      }
      if (inventories.size === 1 && !force) {
        throw new AgentRunError('last-lane', `lane ${lane} is the last one on the branch ${branch}`);
      }
      const plan = await planLane({ snapshot, lane, files: [], companions: [], force, digestOf: digestReader(read) });
      decision = { status: 'removed', plan };
      if (options.dryRun === true) return undefined;
      const { commit: made } = await writeCommit(git, {
        parent: head,
        plan,
        message: removalMessage(lane, commit.id),
        author,
        date: commit.committed,
        ...signingOf(options),
      });
      decision = { ...decision, commit: made };
      return { commit: made, ref: `refs/heads/${branch}`, expected: head };
    });
    const { status, plan } = decision;
    const isShown = options.dryRun === true && snapshot !== undefined;
    const before = isShown ? await contentsBefore(read, snapshot as BranchSnapshot, plan) : new Map<string, string>();
    return { status, commit: decision.commit ?? snapshot?.head, plan, attempts, before, problems: [] };
  };
  return withRemoteObjects(remote, unpublish, options.environment);
}
