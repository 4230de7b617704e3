import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { blobId } from './branch-tree.ts';
import { type Environment, type Git, GitFailure, inDisposableRepository } from './git.ts';
import { wordingOf } from './remote-wordings.ts';

/** Reads the contents of blobs by their ids; each is asked for once. What is no blob has no content. */
export type BlobReader = (ids: Iterable<string>) => Promise<ReadonlyMap<string, Buffer>>;

/**
 * A remote as a disposable repository sees it: commits and trees are fetched, contents only when they are read. A
 * branch is as large as all of its lanes, and most of the work concerns a few files of one.
 */
export interface RemoteObjects {
  /** The disposable repository. */
  readonly git: Git;
  readonly remote: string;
  /**
   * Fetches commits and trees, without contents.
   *
   * @param how options of `git fetch`, such as the depth
   * @throws GitFailure
   */
  readonly fetch: (how: readonly string[], refs: readonly string[]) => Promise<void>;
  /**
   * Runs some work with the last thousand commits of a branch, the newest of which is {@link HISTORY}. They are in
   * another repository: their trees are left out where the server can, and git takes a commit that it holds for a whole
   * one when it fetches again.
   *
   * @throws GitFailure; what the work throws
   */
  readonly withHistory: <T>(branch: string, work: (git: Git) => Promise<T>) => Promise<T>;
  /** Fetches what is missing in one go. @throws GitFailure */
  readonly read: BlobReader;
  /** Contents that are known anyway: what they are the contents of need not be fetched. */
  readonly holds: (contents: Iterable<string>) => void;
}

/** The remote does not work with filters; only {@link withRemoteObjects} sees it. */
class NoFilter extends Error {}

/**
 * Runs some work with a remote, in a repository that is gone afterwards. With a server that knows no filter, everything
 * comes with the first fetch. With one that refuses them, or hands out no single contents, the work is begun again and
 * fetches everything: it must not have pushed anything before it reads its first contents.
 *
 * @throws what the work throws, and as {@link inDisposableRepository}
 */
export async function withRemoteObjects<T>(
  remote: string,
  work: (objects: RemoteObjects) => Promise<T>,
  environment?: Environment,
): Promise<T> {
  const run = (isPartial: boolean) =>
    inRepositoryOf(remote, (git) => work(remoteObjects(git, remote, isPartial, environment)), environment);
  try {
    return await run(true);
  } catch (error) {
    if (!(error instanceof NoFilter)) throw error;
    return run(false);
  }
}

const inRepositoryOf = <T>(remote: string, work: (git: Git) => Promise<T>, environment?: Environment): Promise<T> =>
  inDisposableRepository(async (git) => {
    await nameRemote(git, remote);
    return work(git);
  }, environment);

/** The newest commit of a branch whose history was fetched. */
export const HISTORY = 'refs/agentrun/history';

/** A name that nobody's own configuration of git has settings for. */
const NAME = 'agentrun-gitops';

/** A remote that may leave out what is not asked for must have a name: git takes no path for one. */
async function nameRemote({ directory }: Git, remote: string): Promise<void> {
  const url = remote.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
  await appendFile(join(directory, 'config'), `[remote "${NAME}"]\n\turl = "${url}"\n`);
}

const FETCH = ['fetch', '--no-tags', '--no-write-fetch-head', '--no-show-forced-updates'];

/**
 * Only a fetch knows that contents are left out. A push would want those that it could send a difference to, over http
 * even when it is told to send none.
 */
const PROMISOR = ['-c', `remote.${NAME}.promisor=true`, '-c', `remote.${NAME}.partialCloneFilter=blob:none`];
const PARTIAL_FETCH = [...PROMISOR, ...FETCH];
const WITHOUT_CONTENTS = [...PARTIAL_FETCH, '--filter=blob:none'];
const WITHOUT_TREES = [...PARTIAL_FETCH, '--filter=tree:0'];

function remoteObjects(git: Git, remote: string, isPartial: boolean, environment?: Environment): RemoteObjects {
  const known = new Map<string, Buffer>();
  const fetchContents = async (ids: readonly string[]): Promise<void> => {
    // Nothing that is here is offered as a base: the contents are wanted whatever the commits say.
    const fetch = ['-c', 'fetch.negotiationAlgorithm=noop', ...WITHOUT_CONTENTS, '--stdin', '--', NAME];
    try {
      await git.text(fetch, ids.map((id) => `${id}\n`).join(''));
    } catch (error) {
      // Words that tell of the network or of the account would be the same without a filter.
      if (!(error instanceof GitFailure) || wordingOf(error.message) !== undefined) throw error;
      throw new NoFilter('the server hands out no single contents', { cause: error });
    }
  };
  return {
    git,
    remote,
    fetch: (how, refs) => fetchFiltered(git, isPartial ? [WITHOUT_CONTENTS] : [FETCH], [...how, '--', NAME, ...refs]),
    withHistory: (branch, work) =>
      inRepositoryOf(
        remote,
        async (history) => {
          const ways = isPartial ? [WITHOUT_TREES, WITHOUT_CONTENTS] : [FETCH];
          await fetchFiltered(history, ways, ['--depth=1000', '--', NAME, `+refs/heads/${branch}:${HISTORY}`]);
          return work(history);
        },
        environment,
      ),
    async read(ids) {
      const missing = [...new Set(ids)].filter((id) => !known.has(id));
      if (missing.length === 0) return known;
      if (isPartial) await fetchContents(missing);
      for (const [id, content] of await readBlobs(git, missing)) known.set(id, content);
      return known;
    },
    holds(contents) {
      for (const content of contents) known.set(blobId(content), Buffer.from(content));
    },
  };
}

/** Fetches in the first way that the server takes. */
async function fetchFiltered(git: Git, ways: readonly (readonly string[])[], what: readonly string[]): Promise<void> {
  let refusal: unknown;
  for (const way of ways) {
    try {
      await git.text([...way, ...what]);
      return;
    } catch (error) {
      if (!saysNoFilter(error)) throw error;
      refusal = error;
    }
  }
  throw new NoFilter('the server takes no filter', { cause: refusal });
}

/** A server may refuse some filters, or all of them, instead of ignoring them. */
const saysNoFilter = (error: unknown): boolean =>
  error instanceof GitFailure && /\bfilter\b.*(?:not (?:supported|allowed)|unsupported)/i.test(error.message);

/** The contents of blobs that the repository holds. */
async function readBlobs(git: Git, ids: readonly string[]): Promise<Map<string, Buffer>> {
  const blobs = new Map<string, Buffer>();
  const output = await git.bytes(['cat-file', '--batch'], ids.map((id) => `${id}\n`).join(''));
  let at = 0;
  while (at < output.length) {
    const end = output.indexOf(10, at);
    const [id = '', type, size] = output.subarray(at, end).toString('latin1').split(' ');
    at = end + 1;
    // What is missing has no size, and nothing follows.
    if (size === undefined) continue;
    if (type === 'blob') blobs.set(id, output.subarray(at, at + Number(size)));
    at += Number(size) + 1;
  }
  return blobs;
}
