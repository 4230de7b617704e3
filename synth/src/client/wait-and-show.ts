import { type Client, printJson } from './client.ts';
import { exitOf } from './exit-code.ts';
import { ShownRun } from './shown-run.ts';
import { type Awaited, waitForCommand } from './wait-for-command.ts';
import { type WaitLimits, waiting } from './waiting.ts';

export interface ShowOptions extends WaitLimits {
  /** Cut nothing of tools and diffs. */
  readonly full?: boolean;
}

/** What was asked, as a person would name it in the next command. */
export interface Asked extends Awaited {
  readonly sessionId: string | null;
  /** What the document of `-o json` says besides the result. */
  readonly document: Readonly<Record<string, unknown>>;
}

/**
 * Waits for a command and shows its transcript; with `-o json` one document with its result at the end.
 *
 * @returns the exit code that tells how the command ended
 */
export async function waitAndShow(client: Client, asked: Asked, options: ShowOptions): Promise<number> {
  const { api, terminal, json } = client;
  const shown = new ShownRun(terminal, { full: options.full });
  const id = asked.sessionId ?? asked.runId;
  const lines = [
    `${asked.runId} goes on without you.`,
    `  follow it:  npx agentrun logs ${id} -f${client.where}`,
    `  cancel it:  npx agentrun cancel ${asked.runId}${client.where}`,
  ];
  try {
    return await waiting(client, options, { tell: (line) => shown.tell(line), lines }, async (signal) => {
      const { reconnectFor } = options;
      const outcome = await waitForCommand(api, asked, {
        signal,
        reconnectMs: reconnectFor * 1000,
        onEvent: (event) => {
          if (!json) shown.event(event);
        },
        onConnection: (state, reason) => {
          if (state === 'lost') shown.tell(`(the connection to the manager is lost: ${reason}; trying again)`);
          else shown.tell('(connected again)');
        },
      });
      shown.end();
      if (json) {
        const result = await api.ask('GET', `runs/${asked.runId}/commands/${outcome.commandId}/result`);
        printJson(client, { ...asked.document, result });
      }
      return exitOf(outcome.terminalStatus);
    });
  } finally {
    shown.end();
  }
}
