import { type Command, Option } from 'commander';
import { REPORT_FORMATS } from './report/index.ts';
import type { Terminal } from './terminal.ts';

/** What a command gets to work with. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** Ends the command with a code; 0 when never called. */
  readonly exit: (code: number) => void;
}

/** A command with the settings of its parent, which commander does not hand down by itself. */
export const subcommand = (parent: Command, usage: string): Command =>
  parent.command(usage).copyInheritedSettings(parent);

export const formatOption = (): Option =>
  new Option('--format <format>', 'how problems and results are printed').choices(REPORT_FORMATS).default('text');

export const lanesDirOption = (): Option =>
  new Option('--lanes-dir <dir>', 'folder of the lane files').default('lanes');
