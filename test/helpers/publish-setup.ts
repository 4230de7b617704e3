import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blobId } from '../../lib/src/gitops/branch-tree.ts';
import type { PublishSource } from '../../lib/src/gitops/lane-on-branch.ts';
import { type PublishOptions, type PublishResult, publishLane } from '../../lib/src/gitops/publish.ts';
import { createGitRemote, type GitRemote } from './git-remote.ts';
import { type LaneRepository, laneRepository } from './lane-repository.ts';
import { BRANCH, type LaneVariant, laneFileOf, laneText, publishSource, REPOSITORY_URL } from './publish-lanes.ts';

export * from './publish-lanes.ts';

/** A repository with lanes, and a bare remote without any branch to publish them to. */
export interface PublishSetup {
  readonly lanes: LaneRepository;
  readonly remote: GitRemote;
  /** A folder for anything else. */
  readonly scratch: string;
  /** Writes a lane, commits, and gives it back as a source of that commit. */
  commit(variant: LaneVariant): Promise<PublishSource>;
  /** Publishes to the remote by its file URL, unless told otherwise. */
  publish(source: PublishSource, options?: Partial<PublishOptions>): Promise<PublishResult>;
  remove(): Promise<void>;
}

export async function publishSetup(): Promise<PublishSetup> {
  const lanes = laneRepository({ remote: REPOSITORY_URL });
  const remote = await createGitRemote();
  const scratch = await mkdtemp(join(tmpdir(), 'agentrun-publish-'));
  return {
    lanes,
    remote,
    scratch,
    commit(variant) {
      const text = laneText(variant);
      lanes.write(laneFileOf(variant.number), text);
      return publishSource(lanes.dir, variant.number, text, lanes.commit());
    },
    publish: (source, options = {}) => publishLane(source, { remote: remote.url, ...options }),
    async remove() {
      lanes.remove();
      await remote.remove();
      await rm(scratch, { recursive: true, force: true });
    },
  };
}

/** All refs of a remote, one a line: equal texts mean that nothing was pushed. */
export const refsOf = (remote: GitRemote): Promise<string> => remote.git(['for-each-ref']);

/** The blob ids of a branch by path; a path that is no plain file has its mode in front. */
export async function treeOf(remote: GitRemote, branch = BRANCH): Promise<Map<string, string>> {
  const listing = await remote.git(['ls-tree', '-r', '-z', '--full-tree', branch]).catch(() => '');
  const entries = listing.split('\0').filter((line) => line !== '');
  return new Map(
    entries.map((line) => {
      const [info = '', path = ''] = line.split('\t');
      const [mode = '', , id = ''] = info.split(' ');
      return [path, mode === '100644' ? id : `${mode} ${id}`];
    }),
  );
}

/** What {@link treeOf} gives for these files. */
export const treeOfFiles = (files: Iterable<readonly [path: string, content: string]>): Map<string, string> =>
  new Map([...files].map(([path, content]): [string, string] => [path, blobId(content)]).sort(byPath));

// git lists a tree by the bytes of whole paths.
const byPath = ([a]: readonly [string, string], [b]: readonly [string, string]): number =>
  Buffer.compare(Buffer.from(a), Buffer.from(b));

/** Commits entries that no work tree makes, such as links and submodules, by lines of git fast-import. */
export async function commitRaw(remote: GitRemote, lines: readonly string[], branch = BRANCH): Promise<string> {
  const ref = `refs/heads/${branch}`;
  const parent = await remote.git(['rev-parse', '--verify', '--quiet', ref]).catch(() => '');
  const who = 'Test <test@example.com> 1767225600 +0000';
  const from = parent === '' ? [] : [`from ${parent}`];
  const stream = [`commit ${ref}`, `committer ${who}`, 'data 4', 'edit', ...from, ...lines, ''];
  await remote.git(['fast-import', '--quiet'], stream.join('\n'));
  return remote.git(['rev-parse', ref]);
}

/** A line of {@link commitRaw}: a link. */
export const link = (path: string, target: string): string =>
  `M 120000 inline "${path}"\ndata ${Buffer.byteLength(target)}\n${target}`;
