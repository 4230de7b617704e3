import type { Terminal } from '../../terminal.ts';
import { type ClientOptions, openClient, printJson } from '../client.ts';
import { EXIT } from '../exit-code.ts';
import type { Command, Run } from '../records.ts';

export interface CancelOptions extends ClientOptions {
  readonly reason?: string;
  /** Of a session: only its turn. */
  readonly turn?: boolean;
}

/** What the manager answers: a run or a command, for a session within what was done. */
interface Cancelled {
  readonly run?: Run;
  readonly command?: Command;
}

/** Cancels a run, a command, or what a session does; the id says which. */
export async function cancel(id: string, options: CancelOptions, terminal: Terminal): Promise<number> {
  const client = await openClient(options, terminal);
  const path = encodeURIComponent(id);
  const reason = options.reason === undefined ? {} : { reason: options.reason };
  const ask = <Data>(where: string, body: object) => client.api.ask<Data>('POST', where, { body });
  const answer: Cancelled = id.startsWith('run_')
    ? { run: await ask<Run>(`runs/${path}/cancel`, reason) }
    : id.startsWith('cmd_')
      ? { command: await ask<Command>(`commands/${path}/cancel`, reason) }
      : await ask(`sessions/${path}/control`, { action: options.turn === true ? 'interrupt' : 'cancel', ...reason });
  const { run, command } = answer;
  if (client.json) printJson(client, run ?? command);
  else if (run !== undefined) {
    terminal.stdout.write(`${run.id} ${run.status}\n`);
    if (run.terminalStatus === null)
      terminal.stderr.write(`It ends soon. Watch: npx agentrun logs ${run.id} -f${client.where}\n`);
  } else if (command !== undefined) {
    terminal.stdout.write(`${command.id} ${command.terminalStatus === null ? 'cancelling' : command.terminalStatus}\n`);
  }
  return EXIT.ok;
}
