import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { invalidBundle } from './bundle-failure.ts';
import type { BundleRepository } from './bundle-plan.ts';
import { type GitOptions, git } from './git.ts';
import { gitFailure, isUnadvertised } from './git-failure.ts';
import { type RepositoryAddress, shown } from './repository-url.ts';
import { folderBelow, look, replaceFile } from './workspace-path.ts';

/** What all git calls of one bundle share. */
export type GitPlace = Pick<GitOptions, 'around' | 'attemptId' | 'scratch' | 'signal'>;

/**
 * The checkout of one repository in the workspace.
 *
 * Where an agent has worked, the `.git` of the checkout holds what the agent wrote: settings, hooks and filters among
 * it. So git never runs with it. It runs with a folder of our own that only borrows the objects, and what becomes of HEAD
 * and the index is copied back.
 */
export class Checkout {
  readonly #root: string;
  readonly #path: string;
  readonly #place: GitPlace;
  #directory = '';
  #own = '';

  constructor(root: string, path: string, place: GitPlace) {
    this.#root = root;
    this.#path = path;
    this.#place = place;
  }

  /** @throws BackendFailure `resource-bundle-invalid` when something else is in the way */
  async open(): Promise<void> {
    this.#directory = await folderBelow(this.#root, this.#path);
    const isNew = (await look(join(this.#directory, '.git'))) === null;
    if (isNew)
      await this.#run(['init', '--quiet', '--template=', '--initial-branch=main'], 'a repository could not be made');
    // Objects are written there: none of the folders may lead elsewhere.
    for (const name of ['.git', '.git/objects', '.git/objects/pack', '.git/objects/info']) {
      const found = await look(join(this.#directory, name));
      if (found !== null && !found.isDirectory()) {
        throw invalidBundle(`${JSON.stringify(`${this.#path}/${name}`)} is no folder: the checkout was changed`);
      }
      if (found === null) await mkdir(join(this.#directory, name));
    }
    this.#own = await mkdtemp(join(this.#place.scratch, 'git-'));
    await this.#run(
      ['init', '--quiet', '--bare', '--template=', '--initial-branch=main', this.#own],
      'a repository could not be made',
    );
    const shallow = join(this.#directory, '.git', 'shallow');
    if ((await look(shallow))?.isFile() === true) await copyFile(shallow, join(this.#own, 'shallow'));
  }

  /**
   * Paths below the checkout that differ from the commit, or are not of it; ignored ones excepted.
   *
   * @returns null when the commit is not there any more
   */
  async changes(commit: string): Promise<readonly string[] | null> {
    if (!(await this.#has(commit))) return null;
    await writeFile(join(this.#own, 'HEAD'), `${commit}\n`);
    await this.#borrow(['read-tree', commit], 'the index could not be read');
    // Submodules are compared by their content: to look into one, git would run with settings of the agent.
    const args = ['status', '--porcelain=v1', '-z', '--untracked-files=all', '--no-renames', '--ignore-submodules=all'];
    const status = await this.#borrow(args, 'the state of the checkout could not be read');
    return status
      .split('\0')
      .filter((entry) => entry !== '')
      .map((entry) => entry.slice(3));
  }

  /** The paths of the submodules of a commit. */
  async submodules(commit: string): Promise<readonly string[]> {
    const entries = await this.#borrow(['ls-tree', '-r', '-z', commit], 'the commit could not be read');
    return entries
      .split('\0')
      .filter((entry) => entry.startsWith('160000 '))
      .map((entry) => entry.slice(entry.indexOf('\t') + 1));
  }

  /** Fetches the commit unless it is there. @throws BackendFailure; `provider-unavailable` for a network that may come back */
  async fetch(repository: BundleRepository, address: RepositoryAddress, access: GitOptions['access']): Promise<void> {
    const { commit, ref, depth, url } = repository;
    if (await this.#has(commit)) return;
    const from = `the commit ${commit} could not be fetched from ${shown(url)}`;
    const fetch = async (refspecs: readonly string[], depthArgs: readonly string[]): Promise<string | null> => {
      const args = [
        'fetch',
        '--quiet',
        '--force',
        '--no-tags',
        '--no-write-fetch-head',
        '--no-recurse-submodules',
        ...depthArgs,
      ];
      const { code, stderr } = await git([...args, '--', address.url, ...refspecs], {
        ...this.#place,
        cwd: this.#own,
        protocols: [address.protocol],
        ...(access === undefined ? {} : { access }),
        variables: this.#borrowed,
      });
      if (code === 0) return null;
      if (isUnadvertised(stderr)) return stderr;
      throw gitFailure(from, stderr);
    };
    const shallow = depth === undefined ? [] : [`--depth=${depth}`];
    const refused = await fetch([commit], shallow);
    if (refused === null && (await this.#has(commit))) return;
    // A server that gives commits by the names of branches and tags alone.
    const refspecs =
      ref === undefined
        ? ['refs/heads/*:refs/agentrun/heads/*', 'refs/tags/*:refs/agentrun/tags/*']
        : [`${refOf(ref)}:refs/agentrun/ref`];
    for (const isWhole of depth === undefined ? [true] : [false, true]) {
      const isCut = (await look(join(this.#own, 'shallow'))) !== null;
      const failed = await fetch(refspecs, isWhole ? (isCut ? ['--unshallow'] : []) : shallow);
      if (failed !== null) throw gitFailure(from, failed);
      if (await this.#has(commit)) return;
    }
    const where = ref === undefined ? 'any of its branches and tags' : JSON.stringify(ref);
    throw invalidBundle(`the commit ${commit} is not in ${where} of ${shown(url)}`);
  }

  /**
   * Lets the files be those of the commit. Tracked files of `former` that it does not have go; ignored ones stay.
   *
   * @param removeUntracked whether files that nobody tracks go too
   */
  async switchTo(commit: string, former: string | null, url: string, removeUntracked: boolean): Promise<void> {
    const failed = `the files of commit ${commit} could not be written`;
    if (former !== null && (await this.#has(former))) await this.#borrow(['read-tree', former], failed);
    await this.#borrow(['checkout', '--quiet', '--force', '--detach', commit], failed);
    if (removeUntracked) await this.#borrow(['clean', '--quiet', '-ffd'], failed);
    const dotGit = join(this.#directory, '.git');
    const shallow = await readFile(join(this.#own, 'shallow')).catch(() => null);
    if (shallow === null) await rm(join(dotGit, 'shallow'), { force: true });
    else await replaceFile(join(dotGit, 'shallow'), shallow, 0o644);
    await replaceFile(join(dotGit, 'index'), await readFile(join(this.#own, 'index')), 0o644);
    await replaceFile(join(dotGit, 'HEAD'), `${commit}\n`, 0o644);
    if (former === null) await this.#nameOrigin(url);
  }

  /** Only in a checkout that no agent has seen. */
  async addSubmodules(address: RepositoryAddress, access: GitOptions['access'], url: string): Promise<void> {
    const own = address.protocol === 'file' || address.protocol === 'http' ? [address.protocol] : [];
    const { code, stderr } = await git(
      ['submodule', '--quiet', 'update', '--init', '--recursive', '--force', '--checkout'],
      {
        ...this.#place,
        cwd: this.#directory,
        protocols: ['https', 'ssh', ...own],
        ...(access === undefined ? {} : { access }),
      },
    );
    if (code !== 0) throw gitFailure(`the submodules of ${shown(url)} could not be checked out`, stderr);
  }

  async close(): Promise<void> {
    if (this.#own !== '') await rm(this.#own, { recursive: true, force: true });
  }

  async #nameOrigin(url: string): Promise<void> {
    const settings = { 'remote.origin.url': url, 'remote.origin.fetch': '+refs/heads/*:refs/remotes/origin/*' };
    const file = join(this.#directory, '.git', 'config');
    for (const [key, value] of Object.entries(settings)) {
      await this.#run(['config', '--file', file, '--replace-all', key, value], 'the origin could not be noted');
    }
  }

  get #borrowed(): Readonly<Record<string, string>> {
    return {
      GIT_DIR: this.#own,
      GIT_WORK_TREE: this.#directory,
      GIT_OBJECT_DIRECTORY: join(this.#directory, '.git', 'objects'),
    };
  }

  async #has(commit: string): Promise<boolean> {
    const options = { ...this.#place, cwd: this.#own, variables: this.#borrowed };
    // The tree too: what is shallow or was pruned may lack it.
    return (await git(['cat-file', '-e', `${commit}^{tree}`], options)).code === 0;
  }

  async #borrow(args: readonly string[], doing: string): Promise<string> {
    return await this.#run(args, doing, this.#borrowed);
  }

  async #run(
    args: readonly string[],
    doing: string,
    variables: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const { code, stdout, stderr } = await git(args, { ...this.#place, cwd: this.#directory, variables });
    if (code !== 0) throw gitFailure(`${doing} (${this.#path})`, stderr);
    return stdout;
  }
}

/** The name of a branch or tag, which must not be read as an option or as a pair of names. */
function refOf(ref: string): string {
  const wrong = /^[-+/]|[\0-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|\.lock(?:\/|$)|[/.]$/.test(ref);
  if (wrong) throw invalidBundle(`${JSON.stringify(ref)} is not the name of a branch or tag`);
  return ref;
}
