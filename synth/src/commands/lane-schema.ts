import { laneSchemaText } from '@agentrun/lib';
import type { Command } from 'commander';
import { type CommandContext, subcommand } from '../command.ts';

export function laneSchemaCommand(lane: Command, { terminal }: CommandContext): void {
  subcommand(lane, 'schema')
    .description('Print the JSON Schema of lane files, for editors.')
    .action(() => {
      terminal.stdout.write(laneSchemaText());
    });
}
