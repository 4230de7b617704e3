import { loadLane, type Prerequisite, prerequisites } from '@agentrun/lib';
import { type Command, Option } from 'commander';
import { type CommandContext, lanesDirOption, subcommand } from '../command.ts';
import { laneFiles } from '../lane-files.ts';

export function prerequisitesCommand(program: Command, { terminal }: CommandContext): void {
  subcommand(program, 'prerequisites')
    .description('Print what must exist in the cluster before a lane can run, with the lines that make it.')
    .argument('<lane>', 'a version such as v0.1, or the path of a lane file')
    .addOption(lanesDirOption())
    .addOption(new Option('--format <format>', 'how the list is printed').choices(['text', 'json']).default('text'))
    .addHelpText(
      'after',
      `
AgentRun renders no secret. The kubectl lines read each value from a file of yours, without a final newline.

Examples:
  agentrun prerequisites v0.1
  agentrun prerequisites v0.1 --format json`,
    )
    .action(async (name: string, options: { lanesDir: string; format: 'text' | 'json' }) => {
      const [file] = await laneFiles({ lanes: [name], all: false, lanesDir: options.lanesDir }, terminal.cwd());
      if (file === undefined) return;
      const { lane } = await loadLane(file.path, { displayPath: file.shown });
      const list = prerequisites(lane);
      terminal.stdout.write(
        options.format === 'json'
          ? `${JSON.stringify({ formatVersion: 1, lane: lane.version, prerequisites: list }, null, 2)}\n`
          : `${list.map(asText).join('\n')}\n`,
      );
    });
}

/** A comment that says what it is for, and the command that makes it, or that shows whether it is there. */
function asText(needed: Prerequisite): string {
  const { kind, name, purpose } = needed;
  if (kind === 'Access') return `# Access to ${name}: ${purpose}\n`;
  if (kind === 'Namespace') return `# Namespace ${name}: ${purpose}\nkubectl create namespace ${name}\n`;
  if (kind !== 'Secret') return `# ${kind} ${name}: ${purpose}\nkubectl get ${kind.toLowerCase()} ${name}\n`;
  // Values come from files: what stands on a command line is kept in the history of the shell.
  const files = needed.keys.map((key) => `--from-file=${key}=${key}.txt`);
  const make = `kubectl -n ${needed.namespace} create secret generic ${name} ${files.join(' ')}`;
  return `# Secret ${needed.namespace}/${name}: ${purpose}\n${make}\n`;
}
