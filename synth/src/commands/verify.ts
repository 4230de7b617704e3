import { basename, dirname, resolve } from 'node:path';
import { AgentRunError, loadLane, type Problem, verifyLane } from '@agentrun/lib';
import type { Command } from 'commander';
import { type CommandContext, formatOption, lanesDirOption, subcommand } from '../command.ts';
import { type LaneFile, laneFiles } from '../lane-files.ts';
import { laneRepositoryUrl } from '../lane-repository-url.ts';
import { printReport } from '../print-report.ts';
import type { LaneReport, ReportFormat } from '../report/index.ts';
import { type RepositoryLookup, repositoryLookup } from '../repository-lookup.ts';

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
stale              the checked-out lane would render to something else: publish it
tampered           files were edited, removed or added on the branch; each is named
renderer-differs   another version of AgentRun published; the message names it

Exit codes: 0 equal, 2 anything else, 1 the question could not be answered.

Examples:
  agentrun verify v0.1
  agentrun verify --all --format json --require-signature --allowed-signers .ci/signers`,
    )
    .action((lanes: string[], options: VerifyCommandOptions) => verify(lanes, options, context));
}

async function verify(lanes: readonly string[], options: VerifyCommandOptions, { terminal, exit }: CommandContext): Promise<void> {
  const cwd = terminal.cwd();
  const files = await laneFiles({ lanes, all: options.all === true, lanesDir: options.lanesDir }, cwd);
  const repositories = repositoryLookup();
  const reports: LaneReport[] = [];
  const problems: Problem[] = [];
  const notes: string[] = [];
  let [failed, differs] = [false, false];
  for (const file of files) {
    const version = basename(file.path, '.yaml');
    try {
      const result = await verifyLane({ lane: version, ...(await target(file, repositories, options, cwd)) });
      differs ||= result.status !== 'equal';
      problems.push(...result.problems);
      reports.push({ lane: version, status: result.status, filesDigest: result.filesDigest, commit: result.publishCommit });
      notes.push(...result.foreignFiles.map((path) => `${version}: ${path} is on the branch and belongs to no lane\n`));
    } catch (error) {
      if (!(error instanceof AgentRunError)) throw error;
      failed = true;
      problems.push(...error.problems.map((problem) => ({ file: file.shown, ...problem })));
      reports.push({ lane: version, status: 'unknown' });
    }
  }
  printReport({ command: 'verify', ok: !failed && !differs, lanes: reports, problems }, options.format, terminal);
  if (options.format === 'text') for (const note of notes) terminal.stderr.write(note);
  if (failed || differs) exit(failed ? 1 : 2);
}

/** Where the lane is, from its file or, where that is gone, from the options. */
async function target(file: LaneFile, repositories: RepositoryLookup, options: VerifyCommandOptions, cwd: string) {
  const state = await repositories(file.path);
  if (state === undefined) throw new AgentRunError('repository-missing', `${file.shown} lies in no git repository`);
  const given = options.remote !== undefined && options.branch !== undefined;
  const { lane } = given ? { lane: undefined } : await loadLane(file.path, { displayPath: file.shown });
  const source = lane?.source.remote ?? '';
  return {
    cwd,
    remote: options.remote ?? lane?.gitops.repoURL ?? '',
    branch: options.branch ?? lane?.gitops.branch ?? '',
    repository: { directory: dirname(file.path), url: laneRepositoryUrl(state, source, options.laneRepository) },
    requireSignature: options.requireSignature === true,
    ...(options.allowedSigners === undefined ? {} : { allowedSigners: resolve(cwd, options.allowedSigners) }),
  };
}
