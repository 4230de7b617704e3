import { access, constants } from 'node:fs/promises';
import { basename, dirname, posix, resolve } from 'node:path';
import { AgentRunError, loadLane, type Problem, type VerifyOptions, verifyLane } from '@agentrun/lib';
import type { Command } from 'commander';
import { type CommandContext, formatOption, lanesDirOption, subcommand } from '../command.ts';
import { type LaneFile, laneFiles } from '../lane-files.ts';
import { laneRepositoryUrl } from '../lane-repository-url.ts';
import { printReport } from '../print-report.ts';
import { createProgress } from '../progress.ts';
import { leftLanes } from '../prune-branch.ts';
import type { LaneReport, ReportFormat } from '../report/index.ts';
import { pathInRepository, type RepositoryLookup, repositoryLookup } from '../repository-lookup.ts';

interface VerifyCommandOptions {
  readonly all?: boolean;
  readonly lanesDir: string;
  readonly remote?: string;
  readonly branch?: string;
  readonly laneRepository?: string;
  readonly requireSignature?: boolean;
  readonly allowedSigners?: string;
  readonly format: ReportFormat;
}

export function verifyCommand(program: Command, context: CommandContext): void {
  subcommand(program, 'verify')
    .description('Ask whether the GitOps branch is what its source renders to.')
    .argument('[lane...]', 'versions such as v0.1, or paths of lane files')
    .option('--all', 'every lane of the folder')
    .addOption(lanesDirOption())
    .option('--remote <remote>', 'path or URL to read; default: gitops.repoURL of the lane')
    .option('--branch <branch>', 'branch to read; default: gitops.branch of the lane')
    .option('--lane-repository <url>', 'URL of the repository that holds the lanes; default: its remote')
    .option('--require-signature', 'the publish commit must carry a signature that git trusts')
    .option('--allowed-signers <file>', 'ssh keys that may sign; default: gpg.ssh.allowedSignersFile')
    .addOption(formatOption())
    .addHelpText(
      'after',
      `
equal              every file is what its source renders to
stale              the checked-out commit of the lane would render to something else: publish it
tampered           files were edited, removed or added on the branch; each is named
renderer-differs   another version of AgentRun published; the message names it

Exit codes: 0 equal, 2 anything else, 1 the question could not be answered.

Examples:
  agentrun verify v0.1
  agentrun verify --all --format json --require-signature --allowed-signers .ci/signers`,
    )
    .action((lanes: string[], options: VerifyCommandOptions) => verify(lanes, options, context));
}

async function verify(
  lanes: readonly string[],
  options: VerifyCommandOptions,
  { terminal, exit }: CommandContext,
): Promise<void> {
  const cwd = terminal.cwd();
  if (options.allowedSigners !== undefined && options.requireSignature !== true) {
    throw new AgentRunError('usage', '--allowed-signers goes with --require-signature');
  }
  const files = await laneFiles({ lanes, all: options.all === true, lanesDir: options.lanesDir }, cwd);
  const repositories = repositoryLookup();
  const reports: LaneReport[] = [];
  const problems: Problem[] = [];
  const notes = new Set<string>();
  let [failed, differs] = [false, false];
  const judge = async (lane: string, shown: string, find: () => Promise<Target>) => {
    try {
      const target = await find();
      const result = await verifyLane({ lane, ...target });
      differs ||= result.status !== 'equal';
      problems.push(...result.problems);
      reports.push({ lane, status: result.status, filesDigest: result.filesDigest, commit: result.publishCommit });
      for (const path of result.foreignFiles)
        notes.add(`${path} is on the branch ${target.branch} and belongs to no lane\n`);
    } catch (error) {
      if (!(error instanceof AgentRunError)) throw error;
      failed = true;
      problems.push(...error.problems.map((problem) => ({ file: shown, ...problem })));
      reports.push({ lane, status: 'unknown' });
    }
  };
  const targets = new Map<string, Target>();
  const progress = createProgress(terminal, files.length, 'verifying');
  for (const file of files) {
    progress.step(file.shown);
    await judge(basename(file.path, '.yaml'), file.shown, async () => {
      const target = await targetOf(file, repositories, options, cwd);
      targets.set(`${target.remote}\0${target.branch}`, target);
      return target;
    });
  }
  progress.done();
  const present = new Set(reports.map(({ lane }) => lane));
  for (const target of options.all === true && !failed ? targets.values() : []) {
    const own = { repository: target.repository.url, folder: posix.dirname(target.laneFile), present };
    for (const { lane, laneFile } of await leftLanes(own, target).catch(ignoreBrokenRecord)) {
      await judge(lane, laneFile, () => Promise.resolve({ ...target, laneFile }));
    }
  }
  printReport({ command: 'verify', ok: !failed && !differs, lanes: reports, problems }, options.format, terminal);
  if (options.format === 'text') for (const note of notes) terminal.stderr.write(note);
  if (failed || differs) exit(failed ? 1 : 2);
}

/** Whose record cannot be read is told by the verify of that lane; the others shall still be judged. */
function ignoreBrokenRecord(error: unknown): [] {
  if (error instanceof AgentRunError && error.code === 'branch-inventory') return [];
  throw error;
}

type Target = Omit<VerifyOptions, 'lane'> & { readonly cwd: string; readonly laneFile: string };

/** Where the lane is, from its file or, where that is gone, from the options. */
async function targetOf(
  file: LaneFile,
  repositories: RepositoryLookup,
  options: VerifyCommandOptions,
  cwd: string,
): Promise<Target> {
  const state = await repositories(file.path);
  if (state === undefined) throw new AgentRunError('repository-missing', `${file.shown} lies in no git repository`);
  const given = options.remote !== undefined && options.branch !== undefined;
  const { lane } = given ? { lane: undefined } : await loadLane(file.path, { displayPath: file.shown });
  const source = lane?.source.remote ?? '';
  return {
    cwd,
    remote: options.remote ?? lane?.gitops.repoURL ?? '',
    branch: options.branch ?? lane?.gitops.branch ?? '',
    repository: {
      directory: dirname(file.path),
      // Only what the clone does not hold is fetched from there.
      url:
        state.remotes.length === 0 && options.laneRepository === undefined
          ? state.root
          : laneRepositoryUrl(state, source, options.laneRepository),
    },
    laneFile: pathInRepository(state, file.path),
    requireSignature: options.requireSignature === true,
    ...(options.allowedSigners === undefined ? {} : { allowedSigners: await signersFile(options.allowedSigners, cwd) }),
  };
}

/** Without the file no signature would be trusted, and the branch would be blamed. */
async function signersFile(file: string, cwd: string): Promise<string> {
  const path = resolve(cwd, file);
  try {
    await access(path, constants.R_OK);
    return path;
  } catch (cause) {
    throw new AgentRunError('usage', `--allowed-signers: the file ${file} cannot be read`, { cause });
  }
}
