import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { AgentRunError, loadLane, newLaneText } from '@agentrun/lib';
import type { Command } from 'commander';
import { type CommandContext, lanesDirOption, subcommand } from '../command.ts';
import { laneFile, shownPath } from '../lane-files.ts';

export function laneNewCommand(lane: Command, context: CommandContext): void {
  subcommand(lane, 'new')
    .description('Start a new lane from the text of another one; comments and order survive.')
    .argument('<version>', 'version of the new lane, such as v0.2')
    .requiredOption('--from <lane>', 'the lane to start from')
    .addOption(lanesDirOption())
    .addHelpText(
      'after',
      `
Every place where the old version stands as a word of its own (v0.1 and v01) gets the new one, and is listed.
Fields that two lanes must not share but that do not hold the version are reported by "agentrun check --all".

Example:
  agentrun lane new v0.2 --from v0.1`,
    )
    .action((version: string, options: { from: string; lanesDir: string }) => newLane(version, options, context));
}

async function newLane(
  version: string,
  options: { from: string; lanesDir: string },
  { terminal }: CommandContext,
): Promise<void> {
  const cwd = terminal.cwd();
  const source = laneFile(options.from, resolve(cwd, options.lanesDir), cwd);
  const { lane, text } = await loadLane(source, { displayPath: options.from });
  const { text: fresh, changes } = newLaneText(text, lane.version, version);
  const target = join(resolve(cwd, options.lanesDir), `${version}.yaml`);
  const name = shownPath(target, cwd);
  await writeFresh(target, name, fresh);
  for (const { line, before, after } of changes) {
    terminal.stderr.write(`${name}:${line}: ${before.trim()} -> ${after.trim()}\n`);
  }
  terminal.stderr.write(`${name}: made from ${lane.version}, ${changes.length} lines changed\n`);
}

async function writeFresh(target: string, name: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text, { flag: 'wx' });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new AgentRunError('output-write', `the lane ${name} cannot be written: ${(cause as Error).message}`, {
        cause,
      });
    }
    throw new AgentRunError('lane-exists', `the lane ${name} exists already`, { cause });
  }
}
