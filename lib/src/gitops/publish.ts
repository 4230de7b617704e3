import { resolve } from 'node:path';
import type { Problem } from '../errors.ts';
import { isBehind, relationReader } from './ancestry.ts';
import { assertPublishable } from './assert-publishable.ts';
import { contentsBefore, digestReader } from './branch-contents.ts';
import { type BranchSnapshot, fetchSnapshot, isOnBranch } from './branch-snapshot.ts';
import { provenanceOf, publishMessage } from './commit-message.ts';
import { type Environment, type Git, inDisposableRepository } from './git.ts';
import { relationHere } from './lane-commit.ts';
import { type LaneOnBranch, laneOnBranch, type PublishSource, planPublish } from './lane-on-branch.ts';
import type { BranchPlan } from './publish-plan.ts';
import { pushUntilTaken } from './push.ts';
import { makeNote, notedCommit, pushNote } from './push-note.ts';
import { resolveRemote } from './remote.ts';
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

interface Decision {
  readonly status: PublishStatus;
  readonly plan: BranchPlan;
  readonly replaced: readonly string[];
  /** The commit that was made. */
  readonly commit?: string;
}

const NOTHING: BranchPlan = { writes: [], removals: [] };
const UNCHANGED: Decision = { status: 'unchanged', plan: NOTHING, replaced: [] };

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
  return inDisposableRepository(async (git) => {
    const target = { remote, branch, deadlineMs: options.deadlineMs ?? 60_000 };
    const wanted = laneOnBranch(source);
    const judge = olderJudge(source, options);
    let decision = UNCHANGED;
    let snapshot: BranchSnapshot | undefined;
    let note: Promise<string> | undefined;
    const noteOn = (commit: string) => ({ commit, laneCommit: source.commit, author });
    const pushing = pushUntilTaken(git, target, async (last) => {
      snapshot = await fetchSnapshot(git, remote, branch, true);
      const { head } = snapshot;
      const arrived = async () => last !== undefined && (await isOnBranch(git, remote, branch, head, last.commit));
      if ((last !== undefined && last.commit === head) || (last?.isUnanswered === true && (await arrived())))
        return undefined;
      const next = await decide(git, wanted, snapshot, judge, options);
      // It may be our own commit, below another one, that leaves nothing to be done.
      if (next.status !== 'published' && (await arrived())) return undefined;
      decision = next;
      if (decision.status !== 'published' || options.dryRun === true) return undefined;
      const commit = await writeCommit(git, {
        parent: head,
        plan: decision.plan,
        message: publishMessage(provenanceOf(source.rendered, wanted.inventory), decision.replaced),
        author,
        date: source.commit.committed,
        ...signingOf(options),
      });
      decision = { ...decision, commit };
      // It is made while the commit is pushed. Who has to try again reads the notes again.
      if (last === undefined) note = begun(makeNote(git, noteOn(commit), snapshot.notesHead));
      return { commit, ref: `refs/heads/${branch}`, expected: head };
    });
    await Promise.allSettled([pushing]);
    // Nothing goes on in a repository that is gone.
    await Promise.allSettled([note]);
    const attempts = await pushing;
    const { status, plan, replaced } = decision;
    const commit = decision.commit ?? snapshot?.head;
    const result = { status, commit, plan, replaced, attempts, before: new Map<string, string>(), problems: [] };
    if (snapshot === undefined || commit === undefined || status === 'superseded') return result;
    if (options.dryRun === true) return { ...result, before: await contentsBefore(git, snapshot, plan) };
    if (status === 'unchanged' && !(await judge.movesNote(git, snapshot))) return result;
    // Who had to try again competes for the notes too, so they are read again.
    const known = attempts === 1 ? { notesHead: snapshot.notesHead, made: note } : undefined;
    return { ...result, problems: await pushNote(git, target, noteOn(commit), known) };
  }, environment);
}

/** Work whose failure is told to whoever waits for it, later. */
function begun<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  return work;
}

/** Who signs; the path of an ssh key is made absolute, since git runs elsewhere. */
export function signingOf({ signing, cwd = process.cwd() }: PublishOptions): { signing?: Signing } {
  if (signing === undefined) return {};
  return { signing: signing.format === 'ssh' ? { ...signing, key: resolve(cwd, signing.key) } : signing };
}

async function decide(
  git: Git,
  wanted: LaneOnBranch,
  snapshot: BranchSnapshot,
  judge: OlderJudge,
  options: PublishOptions,
): Promise<Decision> {
  const replaced = (options.replaces ?? []).filter(
    (lane) => lane !== wanted.inventory.lane && snapshot.inventories.has(lane),
  );
  if (await judge.isSuperseded(git, snapshot, replaced)) return { ...UNCHANGED, status: 'superseded' };
  const digestOf = digestReader(git, snapshot, [wanted.inventory.lane, ...replaced]);
  const how = { replaced, force: options.force === true, digestOf };
  const plan = await planPublish(snapshot, wanted, how);
  return plan === undefined ? UNCHANGED : { status: 'published', plan, replaced };
}

/** Says whether the branch is ahead of what is to be published. */
interface OlderJudge {
  /** @throws AgentRunError `source-diverged` when nobody can say */
  isSuperseded(git: Git, snapshot: BranchSnapshot, replaced: readonly string[]): Promise<boolean>;
  /** Whether the note on a branch that has the files already shall name our commit. */
  movesNote(git: Git, snapshot: BranchSnapshot): Promise<boolean>;
}

function olderJudge(source: PublishSource, options: PublishOptions): OlderJudge {
  const { rendered, commit, path } = source;
  const { allowOlder = false, environment } = options;
  const { version } = rendered.lane;
  const relationTo = relationReader(source, environment);
  return {
    async isSuperseded(git, snapshot, replaced) {
      if (allowOlder) return false;
      for (const inventory of [version, ...replaced].flatMap((lane) => snapshot.inventories.get(lane) ?? [])) {
        if (await isBehind(source, inventory, relationTo)) return true;
      }
      const published = snapshot.inventories.get(version);
      if (published === undefined) return false;
      // Newer commits with the same files are in the note only. With several lanes it may tell of another one.
      const noted = snapshot.inventories.size === 1 ? await notedCommit(git, snapshot) : undefined;
      return noted !== undefined && noted !== published.laneCommit && (await relationTo(noted)) === 'older';
    },
    async movesNote(git, snapshot) {
      const noted = await notedCommit(git, snapshot);
      if (noted === undefined || allowOlder) return true;
      if (commit.id === snapshot.inventories.get(version)?.laneCommit) return false;
      return (await relationHere(path, commit.id, noted, environment)) !== 'older';
    },
  };
}
