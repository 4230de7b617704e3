import type { Diagnosis } from '@agentrun/lib/contract';
import { mayColour, type Terminal } from '../../terminal.ts';
import { type ClientOptions, openClient, printJson } from '../client.ts';
import { EXIT } from '../exit-code.ts';
import { paints } from '../transcript/paint.ts';
import { plainText } from '../transcript/plain-text.ts';
import { counted } from '../transcript/tool-block.ts';

/** Asks whether what must always hold does hold; exit code 1 when it does not. */
export async function doctor(options: ClientOptions, terminal: Terminal): Promise<number> {
  const client = await openClient(options, terminal);
  const found = await client.api.ask<Diagnosis>('GET', 'doctor');
  const exit = found.violations.length === 0 ? EXIT.ok : EXIT.failed;
  if (client.json) {
    printJson(client, found);
    return exit;
  }
  const paint = paints(mayColour(terminal, terminal.stdout));
  for (const { rule, runId, sessionId, message } of found.violations) {
    const where = [runId, sessionId].filter((id) => id !== null).join(' of ');
    terminal.stdout.write(`${paint.error(rule)} ${where} ${plainText(message)}\n`);
  }
  const count = found.violations.length;
  terminal.stdout.write(
    `${counted(found.rules.length, 'rule')} checked, ${count === 0 ? 'no violation' : counted(count, 'violation')}\n`,
  );
  return exit;
}
