import { basename, resolve } from 'node:path';
import { AgentRunError, loadLane, readLaneCommit, unpublishLane } from '@agentrun/lib';
import type { Command } from 'commander';
import { branchReport, printDiff } from '../branch-report.ts';
import { type CommandContext, formatOption, lanesDirOption, subcommand } from '../command.ts';
import { laneFile, shownPath } from '../lane-files.ts';
import { printReport } from '../print-report.ts';
import { type BranchWriteOptions, branchWrite, withBranchWriteOptions } from '../publish-options.ts';
import type { ReportFormat } from '../report/index.ts';

interface UnpublishCommandOptions extends BranchWriteOptions {
  readonly lanesDir: string;
  readonly format: ReportFormat;
}

export function unpublishCommand(program: Command, context: CommandContext): void {
  withBranchWriteOptions(
    subcommand(program, 'unpublish')
      .description('Remove everything that a lane owns from its GitOps branch.')
      .argument('<lane>', 'version of the lane, such as v0.1, or path of its file')
      .addOption(lanesDirOption())
      .addOption(formatOption()),
  )
    .addHelpText(
      'after',
      `
Argo CD then removes the objects of the lane, but for those that it keeps: the namespace and the database.
Where the lane file is gone, give --remote and --branch.

Examples:
  agentrun unpublish v0.1 --dry-run
  agentrun unpublish v0.1 --remote ssh://git@git.example.com/agentrun.git --branch v0.1-gitops`,
    )
    .action((lane: string, options: UnpublishCommandOptions) => unpublish(lane, options, context));
}

async function unpublish(name: string, options: UnpublishCommandOptions, { terminal }: CommandContext): Promise<void> {
  const cwd = terminal.cwd();
  const path = laneFile(name, resolve(cwd, options.lanesDir), cwd);
  const version = basename(path, '.yaml');
  const { remote, branch } = await branchOf(path, options, cwd);
  const commit = await readLaneCommit(path);
  const result = await unpublishLane({ lane: version, commit }, { ...branchWrite(options, cwd), remote, branch });
  printDiff(result, options, terminal);
  const lane = branchReport({ lane: version, status: '' }, result, options);
  printReport({ command: 'unpublish', ok: true, lanes: [lane], problems: result.problems }, options.format, terminal);
}

async function branchOf(
  path: string,
  options: UnpublishCommandOptions,
  cwd: string,
): Promise<{ remote: string; branch: string }> {
  const { remote, branch } = options;
  if (remote !== undefined && branch !== undefined) return { remote, branch };
  try {
    const { lane } = await loadLane(path);
    return { remote: remote ?? lane.gitMirror.writeUrl, branch: branch ?? lane.gitops.branch };
  } catch (error) {
    if (!(error instanceof AgentRunError) || error.code !== 'lane-not-found') throw error;
    throw new AgentRunError(
      'lane-not-found',
      `${shownPath(path, cwd)} is gone, so nothing says where the lane was published`,
      {
        hint: 'Give --remote and --branch.',
        cause: error,
      },
    );
  }
}
