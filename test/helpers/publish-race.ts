import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'vitest';
import { readProvenance } from '../../lib/src/gitops/commit-message.ts';
import { ROOT_METADATA } from '../../lib/src/gitops/hydrator-metadata.ts';
import { laneOnBranch } from '../../lib/src/gitops/lane-on-branch.ts';
import { serveGit } from './git-http-server.ts';
import { BRANCH, laneFileOf, laneText, publishSource, versionOf } from './publish-lanes.ts';
import { type PublishSetup, publishSetup, refsOf, treeOf, treeOfFiles } from './publish-setup.ts';
import { REPOSITORY } from './repository-root.ts';

/** Who races, and where. */
export interface Race {
  readonly publishers: number;
  /** How often each publishes its own lane, changed each time. */
  readonly rounds: number;
  readonly transport: 'file' | 'http';
}

/** One publish of a race, as its process tells it. */
interface Landing {
  readonly number: number;
  readonly round: number;
  readonly status: string;
  readonly attempts: number;
  readonly ms: number;
  readonly problems: readonly unknown[];
}

const PROCESSES = 4;

/**
 * Lets publishers in several processes publish to one branch at the same time, and expects that every publish landed
 * exactly once, in order, and that nothing else is there. Says in one line how fast it went.
 */
export async function runRace({ publishers, rounds, transport }: Race): Promise<void> {
  const setup = await publishSetup();
  const server = await serveGit(setup.remote);
  try {
    await setup.remote.git(['config', 'http.receivepack', 'true']);
    const remote = transport === 'http' ? server.url : setup.remote.url;
    const commits = commitRounds(setup, publishers, rounds);
    const start = performance.now();
    const landings = await publishAll(setup.lanes.dir, remote, publishers, commits);
    const seconds = (performance.now() - start) / 1000;
    report({ publishers, rounds, transport }, landings, seconds);
    expect(landings.filter(({ status, problems }) => status !== 'published' || problems.length > 0)).toEqual([]);
    expect(landings).toHaveLength(publishers * rounds);
    await expectHistory(setup, publishers, commits);
    await expectFiles(setup, publishers, rounds, commits);
    await expectNotes(setup);
    await expectLateOnesSuperseded(setup, remote, publishers, commits);
  } finally {
    await server.close();
    await setup.remove();
  }
}

/** A commit of the lane repository for each round, in which every lane differs from the round before. */
function commitRounds({ lanes }: PublishSetup, publishers: number, rounds: number): string[] {
  return Array.from({ length: rounds }, (_, content) => {
    for (let number = 1; number <= publishers; number += 1)
      lanes.write(laneFileOf(number), laneText({ number, content }));
    return lanes.commit();
  });
}

async function publishAll(
  dir: string,
  remote: string,
  publishers: number,
  commits: readonly string[],
): Promise<Landing[]> {
  const program = join(REPOSITORY, 'test/fixtures/processes/publish-loop.ts');
  const numbers = Array.from({ length: publishers }, (_, at) => at + 1);
  const outputs = Array.from({ length: PROCESSES }, (_, at) => {
    const own = numbers.filter((number) => number % PROCESSES === at).join(',');
    const args = ['--conditions=@agentrun/source', '--import', 'tsx', program, dir, remote, own, commits.join(',')];
    return output(spawn(process.execPath, args, { cwd: REPOSITORY, stdio: ['ignore', 'pipe', 'inherit'] }));
  });
  const lines = (await Promise.all(outputs)).join('').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Landing);
}

function output(child: ReturnType<typeof spawn>): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.on('close', () => resolve(text));
  });
}

function report({ publishers, rounds, transport }: Race, landings: readonly Landing[], seconds: number): void {
  const sorted = (key: 'attempts' | 'ms') => landings.map((landing) => landing[key]).toSorted((a, b) => a - b);
  const [attempts, ms] = [sorted('attempts'), sorted('ms')];
  const middle = Math.floor(landings.length / 2);
  process.stdout.write(
    `race of ${publishers} x ${rounds} over ${transport}: ${landings.length} publishes in ${seconds.toFixed(1)} s; ` +
      `tries: median ${attempts[middle]}, most ${attempts.at(-1)}; ms: median ${ms[middle]}, most ${ms.at(-1)}\n`,
  );
}

/** One line of commits, each publish once, and the publishes of one lane in the order of their rounds. */
async function expectHistory({ remote }: PublishSetup, publishers: number, commits: readonly string[]): Promise<void> {
  expect(await remote.git(['rev-list', '--merges', BRANCH])).toBe('');
  const messages = (await remote.git(['log', '--reverse', '--format=%B%x00', BRANCH])).split('\0').slice(0, -1);
  expect(messages).toHaveLength(publishers * commits.length);
  const published = new Map<string, string[]>();
  for (const message of messages) {
    const { lane = 'none', laneCommit = 'none' } = readProvenance(message) ?? {};
    published.set(lane, [...(published.get(lane) ?? []), laneCommit]);
  }
  expect(published.size).toBe(publishers);
  for (const laneCommits of published.values()) expect(laneCommits).toEqual(commits);
}

/** Every lane's files are those of its last round, and nothing else is on the branch. */
async function expectFiles(
  { remote, lanes }: PublishSetup,
  publishers: number,
  rounds: number,
  commits: readonly string[],
): Promise<void> {
  const wanted: [string, string][] = [];
  for (let number = 1; number <= publishers; number += 1) {
    const text = laneText({ number, content: rounds - 1 });
    const { files, companions } = laneOnBranch(await publishSource(lanes.dir, number, text, commits.at(-1)));
    wanted.push(...[...files, ...companions].map(({ path, content }): [string, string] => [path, content]));
  }
  // All of them come from one commit, so that the metadata at the root is the same whoever was last.
  const tree = await treeOf(remote);
  expect(tree.has(ROOT_METADATA)).toBe(true);
  expect(tree).toEqual(treeOfFiles(wanted));
}

/** Every commit of the branch has the note with its own dry commit. */
async function expectNotes({ remote }: PublishSetup): Promise<void> {
  const format = '%(trailers:key=Agentrun-Lane-Commit,valueonly,separator=)%x09%N%x00';
  const log = await remote.git(['log', '--notes=refs/notes/hydrator.metadata', `--format=${format}`, BRANCH]);
  for (const entry of log
    .split('\0')
    .map((line) => line.trim())
    .filter((line) => line !== '')) {
    const [laneCommit = '', note = ''] = entry.split('\t');
    expect(note).toBe(`{"drySha":"${laneCommit}"}`);
  }
}

/** A render of an earlier round that arrives after all others changes nothing. */
async function expectLateOnesSuperseded(
  setup: PublishSetup,
  remote: string,
  publishers: number,
  commits: readonly string[],
): Promise<void> {
  if (commits.length < 2) return;
  const before = await refsOf(setup.remote);
  for (const number of new Set([1, publishers])) {
    const late = await publishSource(setup.lanes.dir, number, laneText({ number, content: 0 }), commits[0]);
    expect(late.rendered.lane.version).toBe(versionOf(number));
    expect(await setup.publish(late, { remote })).toMatchObject({
      status: 'superseded',
      plan: { writes: [], removals: [] },
    });
  }
  expect(await refsOf(setup.remote)).toBe(before);
}
