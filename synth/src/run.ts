import { AgentRunError } from '@agentrun/lib';
import { CommanderError } from 'commander';
import { asksForJson, isClientCommand } from './client/command-names.ts';
import { createProgram } from './program.ts';
import { formatReport, REPORT_FORMATS, type ReportFormat } from './report/index.ts';
import { mayColour, type Terminal } from './terminal.ts';

/**
 * Runs one command line and returns the exit code: of the commands on lanes 0 done, 1 error, 2 differs; those of the
 * client have their own. Never throws; no error reaches a person as a stack trace.
 */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  let exitCode = 0;
  const program = createProgram(terminal, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (isClientCommand(args))
      return (await import('./client/failure.ts')).tellFailure(error, asksForJson(args), terminal);
    const format = formatOf(args);
    // Commander has told people already: on stderr, with the help.
    if (error instanceof CommanderError && (error.exitCode === 0 || format === 'text'))
      return error.exitCode === 0 ? 0 : 1;
    const known = asAgentRunError(error);
    const report = { command: commandOf(args), ok: false, lanes: [], problems: known.problems };
    const text = formatReport(report, format, { colour: mayColour(terminal), cwd: terminal.cwd() });
    (format === 'text' ? terminal.stderr : terminal.stdout).write(text);
    return 1;
  }
}

/** A wrong command line, or a fault of ours. */
function asAgentRunError(error: unknown): AgentRunError {
  if (error instanceof AgentRunError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof CommanderError)
    return new AgentRunError('usage', message.replace(/^error: /, ''), { cause: error });
  return new AgentRunError('internal', `unexpected: ${message}`, { cause: error });
}

const commandOf = (args: readonly string[]): string => args.find((arg) => !arg.startsWith('-')) ?? 'agentrun';

/** The format that the line asks for, read again since the failure may have come before options were known. */
function formatOf(args: readonly string[]): ReportFormat {
  const at = args.indexOf('--format');
  const asked = at >= 0 ? args[at + 1] : args.find((arg) => arg.startsWith('--format='))?.slice('--format='.length);
  return REPORT_FORMATS.find((format) => format === asked) ?? 'text';
}
