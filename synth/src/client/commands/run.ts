import { randomUUID } from 'node:crypto';
import type { Terminal } from '../../terminal.ts';
import { type Client, type ClientOptions, openClient, printJson } from '../client.ts';
import { ClientError } from '../client-error.ts';
import { EXIT } from '../exit-code.ts';
import { promptOf } from '../prompt.ts';
import type { Command, Run, RunnerJob } from '../records.ts';
import { plainLine } from '../transcript/plain-text.ts';
import { waitAndShow } from '../wait-and-show.ts';
import { workspaceFiles } from '../workspace-files.ts';
import { type SendOptions, sendText, wantsToWait } from './send.ts';

export interface RunOptions extends ClientOptions, SendOptions {
  readonly session?: string;
  readonly profile?: string;
  readonly tenant: string;
  readonly project: string;
  readonly file?: readonly string[];
  readonly ephemeral?: boolean;
}

/** The profile of a new session where nobody says another. */
const PROFILE = 'codex';

/** Gives a text to an agent: in a session, which is made when it is new, or in a run without one. */
export async function run(argument: string, options: RunOptions, terminal: Terminal): Promise<number> {
  const client = await openClient(options, terminal);
  const prompt = await promptOf(argument, terminal);
  const files = await workspaceFiles(options.file ?? [], terminal.cwd());
  const bundle = files.length === 0 ? {} : { resourceBundleRef: { files } };
  if (options.ephemeral === true) return await runWithoutSession(client, prompt, bundle, options);
  const known = options.session !== undefined && (await isThere(client, options.session));
  const sessionId = known && options.session !== undefined ? options.session : await newSession(client, options);
  const profile = options.profile === undefined ? {} : { backendProfile: options.profile };
  return await sendText(client, sessionId, prompt, options, { ...profile, ...bundle });
}

async function isThere({ api }: Client, sessionId: string): Promise<boolean> {
  try {
    await api.ask('GET', `sessions/${encodeURIComponent(sessionId)}`);
    return true;
  } catch (error) {
    if (error instanceof ClientError && error.code === 'not-found') return false;
    throw error;
  }
}

const scopeOf = ({ tenant, project }: RunOptions) => ({ tenantId: tenant, projectId: project });

async function newSession({ api }: Client, options: RunOptions): Promise<string> {
  const { session } = await api.ask<{ session: { sessionId: string } }>('POST', 'sessions', {
    key: randomUUID(),
    body: {
      ...scopeOf(options),
      backendProfile: options.profile ?? PROFILE,
      ...(options.session === undefined ? {} : { sessionId: options.session }),
    },
  });
  return session.sessionId;
}

/** A run of one turn, in a workspace that goes with it. */
async function runWithoutSession(client: Client, prompt: string, bundle: object, options: RunOptions): Promise<number> {
  const { api, terminal } = client;
  const profile = options.profile ?? PROFILE;
  const run = await api.ask<Run>('POST', 'runs', {
    key: randomUUID(),
    body: {
      ...scopeOf(options),
      providerId: profile,
      backendProfile: profile,
      workspaceRef: { kind: 'ephemeral' },
      executionPolicy: { oneShot: true },
      ...bundle,
    },
  });
  const command = await api.ask<Command>('POST', `runs/${run.id}/commands`, {
    key: randomUUID(),
    body: { type: 'turn', payload: { prompt } },
  });
  const job = options.runner
    ? await api.ask<RunnerJob>('POST', `runs/${run.id}/runner-jobs`, {
        key: randomUUID(),
        body: { commandId: command.id },
      })
    : null;
  const document = { sessionId: null, runId: run.id, commandId: command.id, runnerJobId: job?.id ?? null };
  if (wantsToWait(client, options)) {
    const asked = { runId: run.id, commandId: command.id, afterSeq: 0, sessionId: null, document };
    return await waitAndShow(client, asked, options);
  }
  if (client.json) printJson(client, document);
  else terminal.stdout.write(`${plainLine(run.id)}\n`);
  return EXIT.ok;
}
