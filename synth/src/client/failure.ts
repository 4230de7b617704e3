import { AgentRunError } from '@agentrun/lib';
import { CommanderError } from 'commander';
import { mayColour, type Terminal } from '../terminal.ts';
import { ClientError } from './client-error.ts';
import { EXIT } from './exit-code.ts';
import { paints } from './transcript/paint.ts';
import { plainText } from './transcript/plain-text.ts';

/** One thing that went wrong, as it is told. */
interface Told {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly traceId?: string;
}

/**
 * Tells how a command of the client failed, and gives its exit code: for people on stderr, with `-o json` as one
 * document `{error: {code, message, hint, traceId?}}` on stdout.
 */
export function tellFailure(error: unknown, json: boolean, terminal: Terminal): number {
  if (error instanceof CommanderError) {
    // Commander has told people already, with the help.
    const message = error.message.replace(/^error: /, '');
    if (error.exitCode !== 0 && json) print([{ code: 'usage', message, hint: 'See agentrun --help.' }], json, terminal);
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  if (error instanceof AgentRunError) {
    const told = error.problems.map(({ code, message, hint }) => ({ code, message, hint: hint ?? error.hint }));
    print(told, json, terminal);
    return error.code === 'usage' ? EXIT.usage : EXIT.failed;
  }
  if (error instanceof ClientError) {
    const { code, message, hint, traceId } = error;
    print([{ code, message, hint, ...(traceId === null ? {} : { traceId }) }], json, terminal);
    return error.exitCode;
  }
  const message = `unexpected: ${error instanceof Error ? error.message : String(error)}`;
  const hint = 'This is a fault of AgentRun: report it with the command that you ran.';
  print([{ code: 'internal', message, hint }], json, terminal);
  return EXIT.failed;
}

function print(problems: readonly Told[], json: boolean, terminal: Terminal): void {
  const [first] = problems;
  if (json) {
    terminal.stdout.write(`${JSON.stringify({ error: first }, null, 2)}\n`);
    return;
  }
  const paint = paints(mayColour(terminal));
  for (const { code, message, hint, traceId } of problems) {
    const trace = traceId === undefined ? '' : `  trace: ${plainText(traceId)}\n`;
    terminal.stderr.write(
      `${paint.error(`error[${code}]`)} ${plainText(message)}\n  hint: ${plainText(hint)}\n${trace}`,
    );
  }
}
