import { isAbsolute, join, relative, resolve } from 'node:path';
import { type OutputFile, proveLane, type RenderedLane, writeOutput } from '@agentrun/lib';
import type { Command } from 'commander';
import { laneFiles } from '../lane-files.ts';
import { type LaneWork, workOnLanes } from '../lanes-at-work.ts';
import { printReport } from '../print-report.ts';
import { type CommandContext, subcommand } from '../command.ts';
import { createProgress } from '../progress.ts';
import { repositoryLookup } from '../repository-lookup.ts';
import { assertOneArtifact, renderInput } from '../render-options.ts';
import type { LaneReport } from '../report/index.ts';
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

async function synth(lanes: readonly string[], options: SynthOptions, { terminal, exit }: CommandContext): Promise<void> {
  const cwd = terminal.cwd();
  assertOneArtifact(options);
  const files = await laneFiles({ lanes, all: options.all === true, lanesDir: options.lanesDir }, cwd);
  const repositories = repositoryLookup();
  const progress = createProgress(terminal, files.length, 'rendering');
  const works = await workOnLanes(files, (loaded, file) => renderInput(loaded, file.path, options, cwd, repositories), progress);
  progress.done();
  const problems = works.flatMap((work) => work.problems);
  const rendered = works.flatMap((work) => work.rendered ?? []);
  const ok = rendered.length === works.length;
  if (!ok) {
    printReport({ command: 'synth', ok, lanes: works.flatMap(failedOrHeld), problems }, options.format, terminal);
    exit(1);
    return;
  }
  const proofs = options.prove === true ? await proveAll(rendered, terminal, options) : undefined;
  const [only] = rendered.length === 1 && options.all !== true ? rendered : [];
  const directory = resolve(cwd, options.out ?? `dist/${only === undefined ? 'lanes' : only.lane.version}`);
  const { changed } = await writeOutput(directory, only === undefined ? foldersOf(rendered) : filesOf(only));
  const reports = rendered.map((lane) => laneReport(lane, changed ? 'written' : 'unchanged'));
  printReport({ command: 'synth', ok, lanes: reports, problems }, options.format, terminal);
  if (options.format === 'text') {
    for (const line of proofs ?? []) terminal.stderr.write(`${line}\n`);
    terminal.stderr.write(`output: ${shown(directory, cwd)}\n`);
    for (const { lane, filesDigest } of rendered) terminal.stdout.write(`${lane.version} ${filesDigest}\n`);
  }
}

/** What is written for a lane: the files of its branch, and the control plane beside them. */
const filesOf = ({ files, controlPlane }: RenderedLane): OutputFile[] =>
  [...files, controlPlane].map(({ path, content }) => ({ path, content }));

const foldersOf = (rendered: readonly RenderedLane[]): OutputFile[] =>
  rendered.flatMap((lane) => filesOf(lane).map(({ path, content }) => ({ path: `${lane.lane.version}/${path}`, content })));

export const laneReport = ({ lane, filesDigest, objectsDigest, files }: RenderedLane, status: string): LaneReport => ({
  lane: lane.version,
  status,
  filesDigest,
  objectsDigest,
  files: files.map(({ path }) => path),
});

/** Lanes of a run that writes nothing: those with errors, and those that were right but wait for them. */
export function failedOrHeld({ file, loaded, rendered }: LaneWork): LaneReport[] {
  const version = loaded?.lane.version ?? /([^/]*)\.yaml$/.exec(file.path)?.[1] ?? file.shown;
  return [rendered === undefined ? { lane: version, status: 'failed' } : laneReport(rendered, 'not-written')];
}

async function proveAll(rendered: readonly RenderedLane[], terminal: CommandContext['terminal'], options: SynthOptions): Promise<string[]> {
  const lines: string[] = [];
  for (const lane of rendered) {
    if (options.format === 'text' && terminal.stderr.isTTY) terminal.stderr.write(`proving ${lane.lane.version}\r`);
    const proof = await proveLane(lane);
    lines.push(`${lane.lane.version}: proved in ${proof.environments} environments, one digest`);
  }
  return lines;
}

function shown(path: string, cwd: string): string {
  const below = relative(cwd, path);
  return below === '' || below.startsWith('..') || isAbsolute(below) ? path : join(below);
}
