import { runtimeDirectory } from '../lane/rendered-paths.ts';
import { sameRepository } from '../lane/repository-url.ts';
import { AgentRunError, type Problem } from '../errors.ts';
import { GENERATOR_NAME, GENERATOR_VERSION } from '../render/generator.gen.ts';
import type { RenderedLane } from '../render/render-lane.ts';
import { assertPublishable } from './assert-publishable.ts';
import { type BranchEntry, type BranchSnapshot, fetchSnapshot, readBlobs } from './branch-snapshot.ts';
import { type Provenance, provenanceOf, publishMessage } from './commit-message.ts';
import { type Environment, type Git, inDisposableRepository } from './git.ts';
import { hydratorFiles } from './hydrator-metadata.ts';
import { inventoryOf, inventoryPath, inventoryText, type LaneInventory, sha256 } from './inventory.ts';
import { type LaneCommit, type Relation, relationOf } from './lane-commit.ts';
import { pushNote } from './push-note.ts';
import { pushUntilTaken } from './push.ts';
import { type BranchPlan, planLane, sameFiles } from './publish-plan.ts';
import { resolveRemote } from './remote.ts';
import type { Signing } from './sign-commit.ts';
import { writeCommit } from './write-commit.ts';

/** A rendered lane with everything that says where it comes from. */
export interface PublishSource {
  readonly rendered: RenderedLane;
  /** The text of the lane file. */
  readonly text: string;
  /** Absolute path of the lane file, in its repository. */
  readonly path: string;
  /** URL of the repository that holds the lane file. */
  readonly repository: string;
  readonly commit: LaneCommit;
}

export interface PublishOptions {
  /** A path or a URL; ssh, http and https URLs without a password. */
  readonly remote: string;
  /** What a relative path is relative to; default the working directory. */
  readonly cwd?: string;
  /** Default `gitops.branch` of the lane. */
  readonly branch?: string;
  /** Overwrite and remove what somebody else wrote or edited. */
  readonly force?: boolean;
  /** Publish an older or unrelated commit of the lane's repository: a rollback. */
  readonly allowOlder?: boolean;
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

export interface PublishResult {
  readonly status: PublishStatus;
  /** The commit that was made, or the newest one of the branch. */
  readonly commit: string | undefined;
  /** What changed on the branch; with a dry run, what would. */
  readonly plan: BranchPlan;
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
  readonly commit?: string;
}

const NOTHING: BranchPlan = { writes: [], removals: [] };

/**
 * Brings a rendered lane to its GitOps branch: one commit on top of the newest one, pushed with a lease, made again
 * when another publisher was faster. Nothing is written when the branch holds the files already, or a newer commit of
 * the lane. The caller's repository and work tree are not touched.
 *
 * @throws AgentRunError; the branch is then as it was
 */
export async function publishLane(source: PublishSource, options: PublishOptions): Promise<PublishResult> {
  assertPublishable(source.rendered);
  const { lane } = source.rendered;
  const branch = options.branch ?? lane.gitops.branch;
  const remote = resolveRemote(options.remote, options.cwd);
  return inDisposableRepository(async (git) => {
    const target = { remote, branch, deadlineMs: options.deadlineMs ?? 60_000 };
    const author = options.author ?? AUTHOR;
    let decision: Decision = { status: 'unchanged', plan: NOTHING };
    let snapshot: BranchSnapshot | undefined;
    const attempts = await pushUntilTaken(git, target, async (offered) => {
      snapshot = await fetchSnapshot(git, remote, branch);
      if (offered !== undefined && snapshot.head === offered) return undefined;
      decision = await decide(git, source, snapshot, options);
      if (decision.status !== 'published' || options.dryRun === true) return undefined;
      const commit = await makeCommit(git, source, snapshot, decision.plan, options);
      decision = { ...decision, commit };
      return { commit, ref: `refs/heads/${branch}`, expected: snapshot.head };
    });
    const { status, plan } = decision;
    const commit = decision.commit ?? snapshot?.head;
    const result = { status, commit, plan, attempts, before: new Map<string, string>(), problems: [] };
    if (snapshot === undefined || commit === undefined || status === 'superseded') return result;
    if (options.dryRun === true) return { ...result, before: await contentsBefore(git, snapshot, plan) };
    return { ...result, problems: await pushNote(git, target, { commit, laneCommit: source.commit, author, snapshot }) };
  }, options.environment);
}

async function decide(git: Git, source: PublishSource, snapshot: BranchSnapshot, options: PublishOptions): Promise<Decision> {
  const { rendered } = source;
  const published = snapshot.inventories.get(rendered.lane.version);
  const inventory = inventoryFor(source);
  if (published !== undefined && options.allowOlder !== true) {
    const relation = await relationTo(published, source, options.environment);
    if (relation === 'older') return { status: 'superseded', plan: NOTHING };
    if (relation === 'diverged' || relation === 'unknown') throw divergedError(source, published, relation);
  }
  const plan = await planLane({
    snapshot,
    lane: rendered.lane.version,
    files: rendered.files,
    force: options.force === true,
    digestOf: digestReader(git),
  });
  const same = plan.writes.length === 0 && plan.removals.length === 0 && sameFiles(published, inventory);
  return same ? { status: 'unchanged', plan } : { status: 'published', plan: withCompanions(plan, source, inventory) };
}

export const inventoryFor = ({ rendered, repository, commit, text }: PublishSource): LaneInventory =>
  inventoryOf(rendered, { repository, commit: commit.id, text }, { name: GENERATOR_NAME, version: GENERATOR_VERSION });

async function relationTo(published: LaneInventory, source: PublishSource, environment?: Environment): Promise<Relation> {
  const { repository, commit, path } = source;
  if (commit.id === published.laneCommit) return 'same';
  if (!sameRepository(published.laneRepository, repository)) return 'unknown';
  return relationOf(path, commit.id, published.laneCommit, repository, environment);
}

function divergedError({ rendered, commit }: PublishSource, published: LaneInventory, relation: Relation): AgentRunError {
  const what = relation === 'unknown' ? 'is not known to come before' : 'is no ancestor of';
  return new AgentRunError(
    'source-diverged',
    `lane ${rendered.lane.version} was published from ${published.laneCommit} of ${published.laneRepository}, which ${what} ${commit.id}`,
  );
}

/** The files that go with a published lane, and that alone make no commit: where it comes from. */
function withCompanions(plan: BranchPlan, { rendered, repository, commit }: PublishSource, inventory: LaneInventory): BranchPlan {
  const { lane, input } = rendered;
  const code = input.sourceCommit === commit.id ? {} : { code: { repository: lane.source.remote, commit: input.sourceCommit } };
  const metadata = hydratorFiles({ repository, commit, ...code }, runtimeDirectory(lane));
  const own = { path: inventoryPath(lane.version), content: inventoryText(inventory) };
  return { ...plan, writes: [...plan.writes, own, ...metadata] };
}

function makeCommit(git: Git, source: PublishSource, snapshot: BranchSnapshot, plan: BranchPlan, options: PublishOptions): Promise<string> {
  const provenance: Provenance = provenanceOf(source.rendered, inventoryFor(source));
  return writeCommit(git, {
    parent: snapshot.head,
    plan,
    message: publishMessage(provenance),
    author: options.author ?? AUTHOR,
    date: source.commit.committed,
    ...(options.signing === undefined ? {} : { signing: options.signing }),
  });
}

/** Reads digests of what stands on the branch. */
export const digestReader =
  (git: Git) =>
  async ({ id }: BranchEntry): Promise<string> =>
    sha256((await readBlobs(git, [id])).get(id) ?? '');

/** What stood on the branch where a plan writes or removes, for showing a difference. */
export async function contentsBefore(git: Git, snapshot: BranchSnapshot, plan: BranchPlan): Promise<Map<string, string>> {
  const paths = [...plan.writes.map(({ path }) => path), ...plan.removals];
  const found = paths.flatMap((path) => snapshot.entries.get(path) ?? []);
  const blobs = await readBlobs(git, found.map(({ id }) => id));
  return new Map(found.map(({ path, id }) => [path, blobs.get(id)?.toString('utf8') ?? '']));
}
