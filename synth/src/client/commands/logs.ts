import type { RunEvent } from '@agentrun/lib/contract';
import type { Terminal } from '../../terminal.ts';
import { type Client, type ClientOptions, openClient, printJson } from '../client.ts';
import { clientError } from '../client-error.ts';
import { eventPages } from '../event-pages.ts';
import { follow } from '../event-stream.ts';
import { EXIT } from '../exit-code.ts';
import { findLog, type Log } from '../find-log.ts';
import { ShownRun } from '../shown-run.ts';
import type { ShowOptions } from '../wait-and-show.ts';
import { waiting } from '../waiting.ts';

export interface LogsOptions extends ClientOptions, ShowOptions {
  readonly follow?: boolean;
  readonly sinceSeq?: number;
  readonly untilIdle?: boolean;
}

/** Shows the log of a session or a run; with `-f` as it grows. */
export async function logs(id: string, options: LogsOptions, terminal: Terminal): Promise<number> {
  if (options.untilIdle === true && options.follow !== true) throw clientError('usage', '--until-idle goes with -f');
  const client = await openClient(options, terminal);
  const log = await findLog(client.api, id, options.sinceSeq);
  return options.follow === true ? await followed(client, log, options) : await printed(client, log, options);
}

async function printed(client: Client, log: Log, options: LogsOptions): Promise<number> {
  const { terminal, api, json } = client;
  const shown = new ShownRun(terminal, options);
  const items: RunEvent[] = [];
  try {
    for await (const event of eventPages(api, log)) {
      if (json) items.push(event);
      else shown.transcript.event(event);
    }
  } finally {
    shown.end();
  }
  if (json) printJson(client, { items });
  return EXIT.ok;
}

async function followed(client: Client, log: Log, options: LogsOptions): Promise<number> {
  const { terminal, api, json } = client;
  const shown = new ShownRun(terminal, options);
  const tell = (line: string) => shown.tell(line);
  try {
    return await waiting(client, options, { tell, lines: [] }, async (signal) => {
      const events = follow(api, `${log.streamPath}${options.untilIdle === true ? '&until=idle' : ''}`, {
        ...(log.after === undefined ? {} : { after: log.after }),
        signal,
        reconnectMs: options.reconnectFor * 1000,
        onConnection: (state, reason) => {
          if (state === 'lost') tell(`(the connection to the manager is lost: ${reason}; trying again)`);
          else tell('(connected again)');
        },
      });
      for await (const event of events) {
        if (event.type === 'gap') tell('(older events were deleted because of their age)');
        else if (json) terminal.stdout.write(`${JSON.stringify(event)}\n`);
        else shown.event(event);
      }
      return EXIT.ok;
    });
  } finally {
    shown.end();
  }
}
