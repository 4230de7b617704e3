import { resolve } from 'node:path';
import { AgentRunError, type OutputFile, proveLane, type RenderedLane, writeOutput } from '@agentrun/lib';
import type { Command } from 'commander';
import { type CommandContext, subcommand } from '../command.ts';
import { laneFiles, shownPath } from '../lane-files.ts';
import { failedOrHeld, laneReport, workOnLanes } from '../lanes-at-work.ts';
import { printReport } from '../print-report.ts';
import { createProgress } from '../progress.ts';
import { assertOneArtifact, renderInput } from '../render-options.ts';
import { repositoryLookup } from '../repository-lookup.ts';
import { type RenderCommandOptions, withRenderOptions } from './render-command.ts';

interface SynthOptions extends RenderCommandOptions {
  readonly out?: string;
  readonly prove?: boolean;
}

export function synthCommand(program: Command, context: CommandContext): void {
  withRenderOptions(
    subcommand(program, 'synth').description('Validate, render and check lanes, and write their files.'),
  )
    .option('--out <dir>', 'where the files go; default: dist/<lane> for one lane, dist/lanes for several or --all')
    .option('--prove', 'render in many environments and orders, and compare the digests')
    .addHelpText(
      'after',
      `
Nothing is written unless every lane is right; a failed run leaves the former output as it was.
DIR becomes a link to the newest output: one lane lies in DIR itself, several (or --all) in DIR/<lane>.

Examples:
  agentrun synth v0.1 --placeholder
  agentrun synth v0.1 --artifact build/artifact.json --out rendered
  agentrun synth --all --artifact 'build/{lane}.json' --format json`,
    )
    .action((lanes: string[], options: SynthOptions) => synth(lanes, options, context));
}

async function synth(
  lanes: readonly string[],
  options: SynthOptions,
  { terminal, exit }: CommandContext,
): Promise<void> {
  const cwd = terminal.cwd();
  assertOneArtifact(options);
  if (options.out?.trim() === '') throw new AgentRunError('usage', '--out names no directory');
  const files = await laneFiles({ lanes, all: options.all === true, lanesDir: options.lanesDir }, cwd);
  const repositories = repositoryLookup();
  const progress = createProgress(terminal, files.length, 'rendering');
  const works = await workOnLanes(
    files,
    (loaded, file) => renderInput(loaded, file.path, options, cwd, repositories),
    progress,
    (rendered) => ({ files: filesOf(rendered), ...(options.prove === true ? { rendered } : {}) }),
  );
  progress.done();
  const problems = works.flatMap((work) => work.problems);
  const done = works.flatMap((work) => work.done ?? []);
  const ok = done.length === works.length;
  if (!ok) {
    printReport({ command: 'synth', ok, lanes: works.map(failedOrHeld), problems }, options.format, terminal);
    exit(1);
    return;
  }
  const proofs = await proveAll(
    done.flatMap(({ kept }) => kept.rendered ?? []),
    terminal,
  );
  const [only] = done.length === 1 && options.all !== true ? done : [];
  const directory = resolve(cwd, options.out ?? `dist/${only === undefined ? 'lanes' : only.summary.version}`);
  const output =
    only?.kept.files ??
    done.flatMap(({ summary, kept }) =>
      kept.files.map(({ path, content }) => ({ path: `${summary.version}/${path}`, content })),
    );
  const { changed } = await writeOutput(directory, output);
  const reports = done.map(({ summary }) => laneReport(summary, changed ? 'written' : 'unchanged'));
  printReport({ command: 'synth', ok, lanes: reports, problems }, options.format, terminal);
  if (options.format === 'text') {
    for (const line of proofs) terminal.stderr.write(`${line}\n`);
    terminal.stderr.write(`output: ${shownPath(directory, cwd)}\n`);
    for (const { summary } of done) terminal.stdout.write(`${summary.version} ${summary.filesDigest}\n`);
  }
}

/** What is written for a lane: the files of its branch, and the control plane beside them. */
const filesOf = ({ files, controlPlane }: RenderedLane): OutputFile[] =>
  [...files, controlPlane].map(({ path, content }) => ({ path, content }));

async function proveAll(rendered: readonly RenderedLane[], terminal: CommandContext['terminal']): Promise<string[]> {
  const lines: string[] = [];
  for (const one of rendered) {
    if (terminal.stderr.isTTY === true) terminal.stderr.write(`\r\u001b[Kproving ${one.lane.version}`);
    const proof = await proveLane(one);
    lines.push(`${one.lane.version}: proved in ${proof.environments} environments, one digest`);
  }
  if (terminal.stderr.isTTY === true && rendered.length > 0) terminal.stderr.write('\r\u001b[K');
  return lines;
}
