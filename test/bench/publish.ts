import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isolatedGitEnvironment } from '../helpers/git-remote.ts';
import { BRANCH, laneFileOf, laneText, REPOSITORY_URL } from '../helpers/publish-setup.ts';
import { AGENTRUN } from './agentrun.ts';
import { writeBranch } from './branch-of-lanes.ts';
import { type PublisherProcess, startPublisher } from './publisher-process.ts';
import type { Row } from './row.ts';
import { median, timed } from './timed.ts';

const RUNS = 9;
const FILES = 3200;
const UPDATES = 999;
const DIGEST = `sha256:${'1a2b'.repeat(16)}`;
const IMAGE = ['--image-digest', DIGEST, '--env-identity', 'env-1'];

/**
 * One lane brought to a branch of many: by the command, by the library in a process that runs already, and by hand with
 * a clone. All write the same change, each to a remote of its own, in turns. The remotes are directories, so no network
 * is in the figures.
 */
export async function benchPublish(): Promise<Row[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'agentrun-bench-'));
  const publisher = startPublisher(scratch);
  try {
    return await benchIn(scratch, publisher);
  } finally {
    await publisher.end();
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function benchIn(scratch: string, publisher: PublisherProcess): Promise<Row[]> {
  const [forCommand, forLibrary, byHand] = [newRemote(scratch, 1), newRemote(scratch, 2), newRemote(scratch, 3)];
  const repository = join(scratch, 'repository');
  const lanes = join(repository, 'lanes');
  mkdirSync(lanes, { recursive: true });
  git(repository, 'init', '--quiet', '--template=');
  const agentrun = (command: string, ...args: string[]) =>
    timed(process.execPath, [AGENTRUN, command, 'v0.1', '--lanes-dir', lanes, ...args], isolatedGitEnvironment()).ms;
  const target = ['--remote', forCommand.url, '--branch', BRANCH, '--lane-repository', REPOSITORY_URL];

  const times: Times = {
    command: [],
    commandAgain: [],
    library: [],
    libraryAgain: [],
    verify: [],
    byHand: [],
    leastPublish: [],
    leastAgain: [],
  };
  // The first round is not counted: it fills the caches, and makes the lane known to the branches.
  for (let run = 0; run <= RUNS; run += 1) {
    const text = laneText({ number: 1, content: run });
    writeFileSync(join(lanes, 'v0.1.yaml'), text);
    git(repository, 'add', '.');
    git(repository, 'commit', '--quiet', '--message', 'change');
    const image = [...IMAGE, '--source-commit', git(repository, 'rev-parse', 'HEAD')];
    const rendered = join(scratch, `rendered-${run}`);
    agentrun('synth', ...image, '--out', rendered);
    const request = { text, path: join(repository, laneFileOf(1)), digest: DIGEST };
    const to = { repository: REPOSITORY_URL, remote: forLibrary.url, branch: BRANCH };
    const library = () => publisher.publish({ ...request, ...to });
    const round = {
      byHand: settled(() => publishByHand(byHand, rendered, join(scratch, `clone-${run}`))),
      ...settled(() => leastGit(byHand, join(scratch, `least-${run}`))),
      command: settled(() => agentrun('publish', ...target, ...image)),
      library: await settled(library),
      commandAgain: settled(() => agentrun('publish', ...target, ...image)),
      libraryAgain: await settled(library),
      verify: settled(() => agentrun('verify', ...target)),
    };
    if (run === 0) continue;
    for (const name of Object.keys(times) as (keyof Times)[]) times[name].push(round[name]);
  }
  const manual = median(times.byHand);
  const branch = `branch of ${forCommand.files} files`;
  const row = (what: string, values: readonly number[], target: number): Row[] => [
    { what: `${branch}: ${what}`, value: median(values), unit: 'ms' },
    { what: `${branch}: ${what}, to by hand`, value: median(values) / manual, unit: 'times', target },
  ];
  return [
    {
      what: `${branch}: clone, copy, commit, push`,
      value: manual,
      unit: 'ms',
      note: `branch of ${1 + UPDATES} commits, no network; median of ${RUNS}, in turns`,
    },
    ...floor('fetch and push of git alone, to by hand', times.leastPublish, manual),
    ...floor('fetch of git alone, to by hand', times.leastAgain, manual),
    ...row('publish, the command', times.command, 0.1),
    ...row('publish, the library', times.library, 0.1),
    ...row('nothing changed, the command', times.commandAgain, 0.05),
    ...row('nothing changed, the library', times.libraryAgain, 0.05),
    { what: `${branch}: verify, the command`, value: median(times.verify) / 1000, unit: 's', target: 1 },
  ];
}

type Times = Record<
  'command' | 'commandAgain' | 'library' | 'libraryAgain' | 'verify' | 'byHand' | 'leastPublish' | 'leastAgain',
  number[]
>;

/** What nobody who asks git can stay below. */
function floor(what: string, values: readonly number[], manual: number): Row[] {
  return [{ what: `what git itself takes: ${what}`, value: median(values) / manual, unit: 'times', note: 'no target' }];
}

/** The commands of git without which nothing reaches a branch: its tip and names of files, and one commit to it. */
function leastGit({ url }: Remote, work: string): Pick<Record<keyof Times, number>, 'leastPublish' | 'leastAgain'> {
  const env = isolatedGitEnvironment();
  mkdirSync(work);
  git(work, 'init', '--quiet', '--bare', '--template=');
  const step = (...args: string[]) => timed('git', ['-C', work, ...args], env).ms;
  const fetched = step('fetch', '--quiet', '--depth', '1', '--filter=blob:none', url, `${BRANCH}:refs/heads/tip`);
  const tree = git(work, 'rev-parse', 'refs/heads/tip^{tree}');
  const commit = git(work, 'commit-tree', '-p', 'refs/heads/tip', '-m', 'change', tree);
  return {
    leastAgain: fetched,
    leastPublish: fetched + step('push', '--quiet', url, `${commit}:refs/heads/${BRANCH}`),
  };
}

interface Remote {
  readonly url: string;
  readonly files: number;
}

const git = (directory: string, ...args: string[]): string =>
  timed('git', ['-C', directory, ...args], isolatedGitEnvironment()).stdout.trim();

function newRemote(scratch: string, number: number): Remote {
  const directory = join(scratch, `remote-${number}.git`);
  mkdirSync(directory);
  git(directory, 'init', '--quiet', '--bare', '--template=');
  const files = writeBranch(directory, BRANCH, FILES, UPDATES);
  // As the hosting systems have it.
  git(directory, 'config', 'uploadpack.allowFilter', 'true');
  git(directory, 'gc', '--quiet');
  return { url: pathToFileURL(directory).href, files };
}

/** Runs some work when the disk has written what was to be written before: a push waits for all of that. */
function settled<T>(work: () => T): T {
  timed('sync', []);
  return work();
}

/** What a script without agentrun does to bring rendered files to a branch; only this is counted. */
function publishByHand({ url }: Remote, rendered: string, work: string): number {
  const env = isolatedGitEnvironment();
  const step = (...args: string[]) => timed('git', args, env).ms;
  let ms = step('clone', '--quiet', '--single-branch', '--branch', BRANCH, url, work);
  const before = performance.now();
  cpSync(rendered, work, { recursive: true, dereference: true });
  ms += performance.now() - before;
  ms += step('-C', work, 'add', '--all');
  ms += step('-C', work, 'commit', '--quiet', '--message', 'change');
  return ms + step('-C', work, 'push', '--quiet', 'origin', BRANCH);
}
