import { placeholderArtifact } from '@agentrun/lib';
import type { Command } from 'commander';
import { type CommandContext, subcommand } from '../command.ts';
import { laneFiles } from '../lane-files.ts';
import { failedOrHeld, laneReport, workOnLanes } from '../lanes-at-work.ts';
import { printReport } from '../print-report.ts';
import { createProgress } from '../progress.ts';
import { assertOneArtifact, renderInput } from '../render-options.ts';
import { repositoryLookup } from '../repository-lookup.ts';
import { type RenderCommandOptions, withRenderOptions } from './render-command.ts';

/** What a check renders with when no image is named: no commit that exists. */
const NO_COMMIT = '0'.repeat(40);

export function checkCommand(program: Command, context: CommandContext): void {
  withRenderOptions(
    subcommand(program, 'check').description('Validate lanes and everything that they would render; write nothing.'),
  )
    .addHelpText(
      'after',
      `
Without an image the placeholder is used, and the check says so. With --all, lanes are checked against each other too.

Examples:
  agentrun check v0.1
  agentrun check --all --format github
  agentrun check lanes/v0.1.yaml --format sarif > lanes.sarif`,
    )
    .action((lanes: string[], options: RenderCommandOptions) => check(lanes, options, context));
}

async function check(
  lanes: readonly string[],
  options: RenderCommandOptions,
  { terminal, exit }: CommandContext,
): Promise<void> {
  const cwd = terminal.cwd();
  const named = [options.artifact, options.imageDigest, options.envIdentity, options.placeholder].some(
    (option) => option !== undefined,
  );
  if (named) assertOneArtifact(options);
  const files = await laneFiles({ lanes, all: options.all === true, lanesDir: options.lanesDir }, cwd);
  const repositories = repositoryLookup();
  const progress = createProgress(terminal, files.length, 'checking');
  const works = await workOnLanes(
    files,
    (loaded, file) =>
      named
        ? renderInput(loaded, file.path, { ...options, allowDirty: true }, cwd, repositories)
        : { sourceCommit: NO_COMMIT, artifact: placeholderArtifact(loaded.lane, NO_COMMIT) },
    progress,
    () => undefined,
  );
  progress.done();
  const ok = works.every(({ done }) => done !== undefined);
  const reports = works.map((work) => (work.done ? laneReport(work.done.summary, 'ok') : failedOrHeld(work)));
  printReport(
    { command: 'check', ok, lanes: reports, problems: works.flatMap(({ problems }) => problems) },
    options.format,
    terminal,
  );
  if (options.format === 'text' && ok) {
    const what = works.length === 1 ? `${reports[0]?.lane} is` : `${works.length} lanes are`;
    terminal.stderr.write(`${what} right${named ? '' : ', checked with the placeholder image'}\n`);
  }
  if (!ok) exit(1);
}
