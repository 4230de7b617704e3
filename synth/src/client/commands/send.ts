import { randomUUID } from 'node:crypto';
import type { IF_BUSY } from '@agentrun/lib/contract';
import type { Terminal } from '../../terminal.ts';
import { type Client, type ClientOptions, openClient, printJson } from '../client.ts';
import { EXIT } from '../exit-code.ts';
import { promptOf } from '../prompt.ts';
import type { Command, Run, RunnerJob } from '../records.ts';
import { type ShowOptions, waitAndShow } from '../wait-and-show.ts';

export interface SendOptions extends ShowOptions {
  readonly wait?: boolean;
  /** False: somebody else runs a runner. */
  readonly runner: boolean;
  readonly ifBusy?: (typeof IF_BUSY)[number];
}

/** What the manager answers to a send. */
interface Sent {
  readonly decision: 'steer' | 'turn';
  readonly run: Run;
  readonly command: Command;
  readonly runnerJob: RunnerJob | null;
}

/** Sends a text to a session: it steers the turn that runs, or begins one. */
export async function send(
  sessionId: string,
  argument: string,
  options: ClientOptions & SendOptions,
  terminal: Terminal,
): Promise<number> {
  const client = await openClient(options, terminal);
  return await sendText(client, sessionId, await promptOf(argument, terminal), options, {});
}

/** The same with a text that was read, and with what a new run of the session shall be. */
export async function sendText(
  client: Client,
  sessionId: string,
  prompt: string,
  options: SendOptions,
  run: Readonly<Record<string, unknown>>,
): Promise<number> {
  const { api, terminal } = client;
  const sent = await api.ask<Sent>('POST', `sessions/${encodeURIComponent(sessionId)}/send`, {
    key: randomUUID(),
    body: {
      payload: { prompt },
      createRunnerJob: options.runner,
      ...(options.ifBusy === undefined ? {} : { ifBusy: options.ifBusy }),
      ...(Object.keys(run).length === 0 ? {} : { run }),
    },
  });
  const { decision, command, runnerJob } = sent;
  const ids = { sessionId, runId: sent.run.id, commandId: command.id };
  const document = { ...ids, decision, runnerJobId: runnerJob?.id ?? null };
  if (wantsToWait(client, options)) {
    const asked = { ...ids, afterSeq: sent.run.lastSeq, targetCommandId: command.steerDelivery?.targetCommandId };
    if (!client.json) terminal.stderr.write(`session ${sessionId}, run ${ids.runId}\n\n`);
    return await waitAndShow(client, { ...asked, document }, options);
  }
  if (client.json) printJson(client, document);
  else {
    const what = decision === 'steer' ? 'steers the turn that runs' : 'a turn';
    terminal.stdout.write(`${sessionId} ${ids.runId} ${command.id}\n`);
    terminal.stderr.write(`sent: ${what}. Follow it: npx agentrun logs ${sessionId} -f${client.where}\n`);
  }
  return EXIT.ok;
}

/** Waiting is for people: on a terminal, unless told otherwise. */
export function wantsToWait({ terminal }: Client, { wait }: SendOptions): boolean {
  return wait ?? terminal.stdout.isTTY === true;
}
