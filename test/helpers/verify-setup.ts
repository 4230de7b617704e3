import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type PublishOptions,
  type PublishResult,
  type PublishSource,
  publishLane,
  type VerifyOptions,
  type VerifyResult,
  verifyLane,
} from '../../lib/src/gitops/index.ts';
import { type ForeignCommit, filesOf, foreignCommits } from './branch-surgery.ts';
import { createGitRemote, type GitRemote } from './git-remote.ts';
import { type LaneRepository, laneRepository } from './lane-repository.ts';
import { BRANCH, type LaneVariant, laneFileOf, laneText, publishSource, REPOSITORY_URL } from './publish-lanes.ts';

/** A lane repository and a GitOps remote, with lane v0.1 published from the first to the second. */
export interface VerifySetup {
  readonly lanes: LaneRepository;
  readonly remote: GitRemote;
  /** A folder for anything else. */
  readonly scratch: string;
  readonly source: PublishSource;
  /** The publish commit. */
  readonly published: string;
  /** Its message. */
  readonly message: string;
  /** The files of the lane on the branch, inventory and metadata included. */
  readonly files: ReadonlyMap<string, Buffer>;
  /** Writes lanes, commits, and gives back each as a source of that commit. */
  readonly commit: (...variants: readonly LaneVariant[]) => Promise<PublishSource[]>;
  readonly publish: (source: PublishSource, options?: Partial<PublishOptions>) => Promise<PublishResult>;
  /** Verifies lane v0.1, by default on the branch to which all are published. */
  readonly verify: (options?: Partial<VerifyOptions>) => Promise<VerifyResult>;
  /** Makes a commit on a branch of its own, by default on top of the publish commit, and verifies that branch. */
  readonly verifyEdited: (
    changes: ForeignCommit['changes'],
    commit?: Partial<ForeignCommit>,
    options?: Partial<VerifyOptions>,
  ) => Promise<VerifyResult>;
  readonly remove: () => Promise<void>;
}

/** The code and the file of each problem. */
export const codesOf = ({ problems }: VerifyResult): string[] =>
  problems.map(({ code, file }) => `${code} ${file ?? ''}`.trim());

/** The error that some work ends with. */
export const failureOf = (work: Promise<unknown>): Promise<{ readonly code: string; readonly message: string }> =>
  work.then(
    () => ({ code: 'none', message: 'it did not fail' }),
    (error: unknown) => error as { code: string; message: string },
  );

export async function verifySetup(): Promise<VerifySetup> {
  const lanes = laneRepository({ remote: REPOSITORY_URL });
  const remote = await createGitRemote();
  const scratch = await mkdtemp(join(tmpdir(), 'agentrun-verify-'));
  const commit: VerifySetup['commit'] = async (...variants) => {
    for (const variant of variants) lanes.write(laneFileOf(variant.number), laneText(variant));
    const revision = lanes.commit();
    return Promise.all(
      variants.map((variant) => publishSource(lanes.dir, variant.number, laneText(variant), revision)),
    );
  };
  const publish: VerifySetup['publish'] = (source, options = {}) =>
    publishLane(source, { remote: remote.dir, branch: BRANCH, ...options });
  const repository = { directory: lanes.dir, url: lanes.dir };
  const verify: VerifySetup['verify'] = (options = {}) =>
    verifyLane({ remote: remote.dir, branch: BRANCH, lane: 'v0.1', repository, ...options });
  const [source] = await commit({ number: 1 });
  if (source === undefined) throw new Error('no lane');
  const { commit: published = '' } = await publish(source);
  const files = filesOf(remote, published);
  files.delete('hydrator.metadata');
  let branches = 0;
  return {
    lanes,
    remote,
    scratch,
    source,
    published,
    message: `${(await remote.git(['log', '-1', '--format=%B', published])).trimEnd()}\n`,
    files,
    commit,
    publish,
    verify,
    async verifyEdited(changes, edit = {}, options = {}) {
      branches += 1;
      const branch = `edited-${branches}`;
      foreignCommits(remote, [{ base: published, changes, ...edit, branch }]);
      return verify({ branch, ...options });
    },
    async remove() {
      lanes.remove();
      await remote.remove();
      await rm(scratch, { recursive: true, force: true });
    },
  };
}
