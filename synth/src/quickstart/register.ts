import { type Command, InvalidArgumentError } from 'commander';
import { type CommandContext, lanesDirOption, subcommand } from '../command.ts';
import type { QuickstartOptions } from '../quickstart.ts';

export function quickstartCommand(program: Command, { terminal, exit }: CommandContext): void {
  subcommand(program, 'quickstart')
    .description('From a lane to a running agent, on this machine: render, publish, verify, start, one turn.')
    .option('--profile <profile>', 'who answers; "demo" needs neither a key nor a network', 'demo')
    .option('--key-file <file>', 'file with the key of the provider; default: OPENAI_API_KEY for codex')
    .option('--base-url <url>', 'address of the provider; one without a key will do')
    .option('--model <model>', 'model of the provider; default: that of the profile')
    .option('--prompt <text>', 'what the turn says', 'Write a note that says hello, and show it to me.')
    .option('--exit', 'end after the turn, with its exit code')
    .option('--reset', 'remove the data of earlier starts first')
    .option('--data-dir <dir>', 'where the data is; default: AGENTRUN_DATA_DIR, else ~/.local/state/agentrun')
    .option('--port <port>', 'where the manager listens; default: 8080, or the next that is free', parsePort)
    .option('--lane <lane>', 'the lane', 'v0.1')
    .addOption(lanesDirOption())
    .addHelpText(
      'after',
      `
Nothing is changed outside of the data folder. A second start goes on with its data.

Examples:
  agentrun quickstart
  agentrun quickstart --exit
  agentrun quickstart --profile codex --key-file openai.key
  agentrun quickstart --profile codex --base-url http://127.0.0.1:8000/v1 --model qwen3-coder`,
    )
    .action(async (options: QuickstartOptions) =>
      exit(await (await import('../quickstart.ts')).quickstart(options, terminal)),
    );
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new InvalidArgumentError('give a port, 0 (any) to 65535.');
  return port;
}
