import { resolve } from 'node:path';
import type { Problem } from '../errors.ts';
import { assertPublishable } from './assert-publishable.ts';
import { contentsBefore } from './branch-contents.ts';
import { fetchBranch, isOnBranch } from './branch-snapshot.ts';
import { provenanceOf, publishMessage } from './commit-message.ts';
import type { Environment } from './git.ts';
import { hydratorNote } from './hydrator-metadata.ts';
import { laneOnBranch, type PublishSource } from './lane-on-branch.ts';
import { type Decision, decider, UNDECIDED } from './publish-decision.ts';
import type { BranchPlan } from './publish-plan.ts';
import { pushUntilTaken } from './push.ts';
import { noteOffer, pushNote } from './push-note.ts';
import { resolveRemote } from './remote.ts';
import { type RemoteObjects, withRemoteObjects } from './remote-objects.ts';
import type { Signing } from './sign-commit.ts';
import { assertAuthor, writeCommit } from './write-commit.ts';

/** Where a publish goes, and what it may do. */
export interface PublishOptions {
  /** A path or a URL; ssh, http and https URLs without a password. */
  readonly remote: string;
  /** What a relative path is relative to, of the remote and of an ssh key; default the working directory. */
  readonly cwd?: string;
  /** Default `gitops.branch` of the lane. */
  readonly branch?: string;
  /** Overwrite and remove what somebody else wrote or edited. */
  readonly force?: boolean;
  /** Publish an older or unrelated commit of the lane's repository: a rollback. */
  readonly allowOlder?: boolean;
  /** Lanes that this one takes the place of: they are removed by the same commit. Default none. */
  readonly replaces?: readonly string[];
  /** Work everything out, push nothing. */
  readonly dryRun?: boolean;
  readonly signing?: Signing;
  /** `Name <email>`; default {@link AUTHOR}. */
  readonly author?: string;
  /** How long other publishers may keep us waiting, in ms; default 60000. */
  readonly deadlineMs?: number;
  readonly environment?: Environment;
}

/** Author and committer of publish commits, the same on every machine. */
export const AUTHOR = 'AgentRun <agentrun@localhost>';

/** How a publish ended. */
export type PublishStatus = 'published' | 'unchanged' | 'superseded';

/** What a publish did, or with a dry run would do. */
export interface PublishResult {
  readonly status: PublishStatus;
  /** The commit that was made, or the newest one of the branch. */
  readonly commit: string | undefined;
  /** What changed on the branch; with a dry run, what would. */
  readonly plan: BranchPlan;
  /** The lanes that were removed by the same commit. */
  readonly replaced: readonly string[];
  /** Number of tries, 1 when nobody was faster. */
  readonly attempts: number;
  /** Contents that the plan replaces or removes, by path; for a dry run only. */
  readonly before: ReadonlyMap<string, string>;
  /** Warnings. */
  readonly problems: readonly Problem[];
}

/**
 * Brings a rendered lane to its GitOps branch: one commit on top of the newest one, pushed with a lease, made again
 * when another publisher was faster. Nothing is written when the branch holds the files already, or a newer commit of
 * the lane. The caller's repository and work tree are not touched.
 *
 * @throws AgentRunError; the branch is then as it was
 */
export async function publishLane(source: PublishSource, options: PublishOptions): Promise<PublishResult> {
  assertPublishable(source.rendered);
  const { branch = source.rendered.lane.gitops.branch, author = AUTHOR, environment } = options;
  const remote = resolveRemote(options.remote, options.cwd);
  assertAuthor(author);
  const publish = async (objects: RemoteObjects): Promise<PublishResult> => {
    const { git, read } = objects;
    const target = { remote, branch, deadlineMs: options.deadlineMs ?? 60_000 };
    const wanted = laneOnBranch(source);
    const { decide, movesNote } = decider(source, wanted, options);
    let decision: Decision & { readonly commit?: string } = UNDECIDED;
    const { tries: attempts, along } = await pushUntilTaken(git, target, async (last) => {
      const state = await fetchBranch(objects, branch, true);
      const { head } = state;
      const arrived = async () => last !== undefined && (await isOnBranch(objects, branch, head, last.commit));
      if ((last !== undefined && last.commit === head) || (last?.isUnanswered === true && (await arrived())))
        return undefined;
      const next = await decide(objects, state);
      // It may be our own commit, below another one, that leaves nothing to be done.
      if (next.status !== 'published' && (await arrived())) return undefined;
      decision = next;
      if (next.status !== 'published' || options.dryRun === true) return undefined;
      const first = last === undefined;
      const { commit, note } = await writeCommit(git, {
        parent: head,
        plan: next.plan,
        message: publishMessage(provenanceOf(source.rendered, wanted.inventory), next.replaced),
        author,
        date: source.commit.committed,
        ...signingOf(options),
        ...(first ? { note: { parent: state.notesHead, content: hydratorNote(source.commit.id) } } : {}),
      });
      decision = { ...next, commit };
      // Who has to try again competes for the notes of all branches too, and sets the note afterwards.
      const along = note === undefined ? {} : { along: noteOffer(note, state) };
      return { commit, ref: `refs/heads/${branch}`, expected: head, ...along };
    });
    const { status, plan, replaced, snapshot, commit = snapshot.head } = decision;
    const result = { status, commit, plan, replaced, attempts, before: new Map<string, string>(), problems: [] };
    if (commit === undefined || status === 'superseded') return result;
    if (options.dryRun === true) return { ...result, before: await contentsBefore(read, snapshot, plan) };
    if (status === 'unchanged' && !(await movesNote(objects, snapshot))) return result;
    if (along) return result;
    return { ...result, problems: await pushNote(objects, target, { commit, laneCommit: source.commit, author }) };
  };
  return withRemoteObjects(remote, publish, environment);
}

/** Who signs; the path of an ssh key is made absolute, since git runs elsewhere. */
export function signingOf({ signing, cwd = process.cwd() }: PublishOptions): { signing?: Signing } {
  if (signing === undefined) return {};
  return { signing: signing.format === 'ssh' ? { ...signing, key: resolve(cwd, signing.key) } : signing };
}
