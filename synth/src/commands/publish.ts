import { dirname } from 'node:path';
import {
  AgentRunError,
  assertCommitted,
  type DrySource,
  type LoadedLane,
  type Problem,
  type PublishSource,
  publishLane,
  type RenderedLane,
  type RepositoryState,
  readLaneCommit,
} from '@agentrun/lib';
import type { Command } from 'commander';
import { branchReport, printDiff } from '../branch-report.ts';
import { type CommandContext, subcommand } from '../command.ts';
import { type LaneFile, laneFiles } from '../lane-files.ts';
import { laneRepositoryUrl } from '../lane-repository-url.ts';
import { failedOrHeld, type LaneWork, laneReport, workOnLanes } from '../lanes-at-work.ts';
import { printReport } from '../print-report.ts';
import { createProgress } from '../progress.ts';
import { type PresentLanes, type PrunedLane, pruneBranch, replacedLanes } from '../prune-branch.ts';
import { type BranchWriteOptions, branchWrite, withBranchWriteOptions } from '../publish-options.ts';
import { assertOneArtifact, renderInput } from '../render-options.ts';
import type { LaneReport } from '../report/index.ts';
import { pathInRepository, type RepositoryLookup, repositoryLookup } from '../repository-lookup.ts';
import { type RenderCommandOptions, withRenderOptions } from './render-command.ts';

interface PublishCommandOptions extends RenderCommandOptions, BranchWriteOptions {
  readonly laneRepository?: string;
  readonly allowOlder?: boolean;
  readonly prune?: boolean;
}

export function publishCommand(program: Command, context: CommandContext): void {
  withBranchWriteOptions(
    withRenderOptions(
      subcommand(program, 'publish').description('Render lanes, and bring their files to the GitOps branch.'),
      { publishes: true },
    ),
  )
    .option('--lane-repository <url>', 'URL of the repository that holds the lanes; default: its remote')
    .option('--allow-older', 'publish an older or unrelated commit of the lane: a rollback')
    .option('--prune', 'with --all: remove lanes of this folder whose file is gone')
    .addHelpText(
      'after',
      `
Each lane is one commit on top of the branch; nothing is written when the branch holds the files already, or those of
a newer commit. A file that somebody else wrote or edited is refused. The work tree must be clean.

Examples:
  agentrun publish v0.1 --artifact build/artifact.json
  agentrun publish v0.1 --artifact branch               the image that the branch names, with the newest lane
  agentrun publish v0.1 --placeholder --dry-run
  agentrun publish --all --prune --artifact 'build/{lane}.json' --sign ~/.ssh/id_ed25519`,
    )
    .action((lanes: string[], options: PublishCommandOptions) => publish(lanes, options, context));
}

async function publish(
  lanes: readonly string[],
  options: PublishCommandOptions,
  { terminal, exit }: CommandContext,
): Promise<void> {
  const cwd = terminal.cwd();
  assertOneArtifact(options);
  if (options.prune === true && options.all !== true) throw new AgentRunError('usage', '--prune goes with --all');
  const files = await laneFiles({ lanes, all: options.all === true, lanesDir: options.lanesDir }, cwd);
  const repositories = repositoryLookup();
  const progress = createProgress(terminal, files.length, 'rendering');
  const works = await workOnLanes(
    files,
    (loaded, file) =>
      renderInput(loaded, file.path, { ...options, allowDirty: false, publishes: true }, cwd, repositories),
    progress,
    (rendered) => rendered,
  );
  progress.done();
  const problems: Problem[] = works.flatMap((work) => work.problems);
  const reports: LaneReport[] = [];
  let ok = works.every(({ done }) => done !== undefined);
  const failed = (error: unknown, file?: string) => {
    if (!(error instanceof AgentRunError)) throw error;
    ok = false;
    problems.push(...error.problems.map((problem) => ({ ...(file === undefined ? {} : { file }), ...problem })));
  };
  if (!ok) reports.push(...works.map(failedOrHeld));
  else {
    const branches = options.prune === true ? await branchesOf(works, options, cwd, repositories) : [];
    const replacements = await replacementsOn(branches);
    const gone = new Set<string>();
    for (const { file, loaded, done } of works) {
      if (loaded === undefined || done === undefined) continue;
      const { kept: rendered, summary } = done;
      try {
        const source = await sourceOf(loaded, rendered, file, repositories, options);
        await assertCommitted(source);
        const result = await publishLane(source, {
          ...writeOptions(rendered, options, cwd),
          replaces: replacements.get(rendered.lane.version) ?? [],
        });
        problems.push(...result.problems);
        reports.push(branchReport(laneReport(summary, ''), result, options));
        for (const lane of result.replaced) {
          gone.add(lane);
          reports.push(branchReport({ lane, status: '' }, { ...result, status: 'removed' }, options));
        }
        printDiff(result, options, terminal);
      } catch (error) {
        failed(error, file.shown);
        reports.push(laneReport(summary, 'refused'));
      }
    }
    try {
      for await (const { lane, result } of ok ? pruneAll(branches, gone) : []) {
        problems.push(...result.problems);
        reports.push(branchReport({ lane, status: '' }, result, options));
        printDiff(result, options, terminal);
      }
    } catch (error) {
      failed(error);
    }
  }
  printReport({ command: 'publish', ok, lanes: reports, problems }, options.format, terminal);
  if (!ok) exit(1);
}

/** Where to, and how. */
function writeOptions({ lane }: RenderedLane, options: PublishCommandOptions, cwd: string) {
  return {
    ...branchWrite(options, cwd),
    remote: options.remote ?? lane.gitMirror.writeUrl,
    branch: options.branch ?? lane.gitops.branch,
    allowOlder: options.allowOlder === true,
  };
}

async function sourceOf(
  loaded: LoadedLane,
  rendered: RenderedLane,
  file: LaneFile,
  repositories: RepositoryLookup,
  options: PublishCommandOptions,
): Promise<PublishSource> {
  const state = await knownRepository(file, repositories);
  return {
    rendered,
    text: loaded.text,
    path: file.path,
    repository: laneRepositoryUrl(state, loaded.lane.source.remote, options.laneRepository),
    commit: await readLaneCommit(file.path),
  };
}

async function knownRepository(file: LaneFile, repositories: RepositoryLookup): Promise<RepositoryState> {
  const state = await repositories(file.path);
  if (state === undefined) throw new AgentRunError('repository-missing', `${file.shown} lies in no git repository`);
  return state;
}

/** A branch that lanes are published to. */
interface TargetBranch {
  readonly lanes: PresentLanes;
  readonly source: DrySource;
  readonly write: ReturnType<typeof writeOptions>;
  /** The paths of each lane that goes there. */
  readonly wanted: Map<string, readonly string[]>;
}

async function branchesOf(
  works: readonly LaneWork<RenderedLane>[],
  options: PublishCommandOptions,
  cwd: string,
  repositories: RepositoryLookup,
): Promise<TargetBranch[]> {
  const [first] = works;
  if (first === undefined) return [];
  const { path } = first.file;
  const state = await knownRepository(first.file, repositories);
  const folder = dirname(pathInRepository(state, path));
  const commit = await readLaneCommit(path);
  const rendered = works.flatMap(({ done }) => done?.kept ?? []);
  const present = new Set(rendered.map(({ lane }) => lane.version));
  const branches = new Map<string, TargetBranch>();
  for (const one of rendered) {
    const write = writeOptions(one, options, cwd);
    const key = `${write.remote}\0${write.branch}`;
    const repository = laneRepositoryUrl(state, one.lane.source.remote, options.laneRepository);
    const source = { commit, path, repository };
    const branch = branches.get(key) ?? { lanes: { repository, folder, present }, source, write, wanted: new Map() };
    const paths = one.files.map((file) => file.path);
    branches.set(key, { ...branch, wanted: branch.wanted.set(one.lane.version, paths) });
  }
  return [...branches.values()];
}

/** Which lanes take the place of which, on all branches. What cannot be read of a branch is told by the publish to it. */
async function replacementsOn(branches: readonly TargetBranch[]): Promise<Map<string, string[]>> {
  const replaced = new Map<string, string[]>();
  for (const { lanes, wanted, write } of branches) {
    const found = await replacedLanes(lanes, wanted, write).catch((error: unknown) => {
      if (error instanceof AgentRunError) return [];
      throw error;
    });
    for (const [lane, others] of found) replaced.set(lane, others);
  }
  return replaced;
}

/** Removes what is left on the branches. */
async function* pruneAll(branches: readonly TargetBranch[], gone: ReadonlySet<string>): AsyncGenerator<PrunedLane> {
  for (const { lanes, source, write } of branches) {
    const { allowOlder, ...removal } = write;
    yield* pruneBranch({ ...lanes, present: new Set([...lanes.present, ...gone]) }, source, allowOlder, removal);
  }
}
