import { GENERATOR_VERSION } from '@agentrun/lib';
import { Command } from 'commander';
import { clientCommands } from './client/register.ts';
import { type CommandContext, subcommand } from './command.ts';
import { checkCommand } from './commands/check.ts';
import { laneNewCommand } from './commands/lane-new.ts';
import { laneSchemaCommand } from './commands/lane-schema.ts';
import { prerequisitesCommand } from './commands/prerequisites.ts';
import { publishCommand } from './commands/publish.ts';
import { synthCommand } from './commands/synth.ts';
import { unpublishCommand } from './commands/unpublish.ts';
import { verifyCommand } from './commands/verify.ts';
import { quickstartCommand } from './quickstart/register.ts';
import type { Terminal } from './terminal.ts';

/** The whole command line: each command is a file in `commands/`. */
export function createProgram(terminal: Terminal, exit: (code: number) => void): Command {
  const context: CommandContext = { terminal, exit };
  const program = new Command('agentrun')
    .description('Run AI coding agents inside your own Kubernetes, from Git.')
    .version(GENERATOR_VERSION, '--version', 'print the version')
    .showHelpAfterError('(agentrun --help shows the commands)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
    })
    .addHelpText(
      'after',
      `
Examples:
  agentrun check --all                          validate every lane, write nothing
  agentrun synth v0.1 --placeholder             render a lane that has no image yet
  agentrun synth v0.1 --artifact artifact.json  render a lane with the image that CI built
  agentrun publish v0.1 --artifact branch       bring it to its GitOps branch, with the image published last
  agentrun verify --all                         is every branch what its source says?
  agentrun lane new v0.2 --from v0.1            start a new lane
  agentrun prerequisites v0.1                   what must exist in the cluster
  agentrun quickstart                           all of it on this machine, with a small agent
  agentrun run "fix the tests" --profile codex  give a text to an agent, and watch
  agentrun logs SESSION -f                      follow what it does
  agentrun cancel SESSION                       end it

Exit codes of lanes: 0 done, 1 error, 2 differs.
Exit codes of runs: 0 done, 1 failed, 2 usage, 3 cancelled, 4 blocked, 5 no manager, 124 timeout.`,
    );
  for (const add of [
    synthCommand,
    checkCommand,
    publishCommand,
    unpublishCommand,
    verifyCommand,
    laneCommands,
    prerequisitesCommand,
    clientCommands,
    quickstartCommand,
  ])
    add(program, context);
  return program;
}

function laneCommands(program: Command, context: CommandContext): void {
  const lane = subcommand(program, 'lane').description('Work on lane files.');
  laneNewCommand(lane, context);
  laneSchemaCommand(lane, context);
}
