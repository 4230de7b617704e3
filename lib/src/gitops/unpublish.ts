import { AgentRunError } from '../errors.ts';
import { fetchSnapshot } from './branch-snapshot.ts';
import { removalMessage } from './commit-message.ts';
import { inDisposableRepository } from './git.ts';
import type { LaneCommit } from './lane-commit.ts';
import { AUTHOR, contentsBefore, digestReader, type PublishOptions, type PublishResult } from './publish.ts';
import { type BranchPlan, companionPaths, planLane } from './publish-plan.ts';
import { pushUntilTaken } from './push.ts';
import { resolveRemote } from './remote.ts';
import { writeCommit } from './write-commit.ts';

/** The lane to be removed from a branch. */
export interface Removal {
  readonly lane: string;
  /** The commit whose date the removal carries. */
  readonly commit: LaneCommit;
}

/** Where, and how: as for a publish. The branch must be named: the lane file may be gone. */
export type UnpublishOptions = Omit<PublishOptions, 'allowOlder' | 'branch'> & { readonly branch: string };

/** How a removal ended: removed, or there was nothing of the lane. */
export type RemovalResult = Omit<PublishResult, 'status'> & { readonly status: 'removed' | 'absent' };

/**
 * Removes everything that a lane owns from a GitOps branch, and nothing else.
 *
 * @throws AgentRunError `last-lane` when no other lane is on the branch, `path-edited` when one of its files was
 *   edited there, both unless forced; the branch is then as it was
 */
export async function unpublishLane({ lane, commit }: Removal, options: UnpublishOptions): Promise<RemovalResult> {
  const { branch, force = false } = options;
  const remote = resolveRemote(options.remote, options.cwd);
  return inDisposableRepository(async (git) => {
    let plan: BranchPlan = { writes: [], removals: [] };
    let made: string | undefined;
    let head: string | undefined;
    let before = new Map<string, string>();
    let status: RemovalResult['status'] = 'absent';
    const target = { remote, branch, deadlineMs: options.deadlineMs ?? 60_000 };
    const attempts = await pushUntilTaken(git, target, async (offered) => {
      const snapshot = await fetchSnapshot(git, remote, branch);
      head = snapshot.head;
      if (offered !== undefined && head === offered) return undefined;
      const inventory = snapshot.inventories.get(lane);
      status = inventory === undefined ? 'absent' : 'removed';
      if (inventory === undefined) return undefined;
      if (snapshot.inventories.size === 1 && !force) {
        throw new AgentRunError('last-lane', `lane ${lane} is the last one on the branch ${branch}`);
      }
      const owned = await planLane({ snapshot, lane, files: [], force, digestOf: digestReader(git) });
      const companions = companionPaths(lane, inventory).filter((path) => snapshot.entries.has(path));
      plan = { writes: [], removals: [...owned.removals, ...companions] };
      if (options.dryRun === true) {
        before = await contentsBefore(git, snapshot, plan);
        return undefined;
      }
      made = await writeCommit(git, {
        parent: snapshot.head,
        plan,
        message: removalMessage(lane),
        author: options.author ?? AUTHOR,
        date: commit.committed,
        ...(options.signing === undefined ? {} : { signing: options.signing }),
      });
      return { commit: made, ref: `refs/heads/${branch}`, expected: snapshot.head };
    });
    return { status, commit: made ?? head, plan, attempts, before, problems: [] };
  }, options.environment);
}
