import type { Terminal } from '../../terminal.ts';
import { type Client, type ClientOptions, openClient, printJson } from '../client.ts';
import { EXIT } from '../exit-code.ts';
import type { Page, Run, Session } from '../records.ts';
import { type Column, printTable } from '../table.ts';

export interface ListOptions extends ClientOptions {
  readonly profile?: string;
  readonly limit: number;
}

/** The most that the manager gives at once. */
const PAGE = 200;

export async function sessions(
  options: ListOptions & { readonly state?: string },
  terminal: Terminal,
): Promise<number> {
  const columns: Column<Session>[] = [
    ['SESSION', ({ sessionId }) => sessionId],
    ['STATE', stateOf],
    ['PROFILE', ({ backendProfile }) => backendProfile],
    ['CHANGED (UTC)', ({ updatedAt }) => shortTime(updatedAt)],
    ['TITLE', ({ title }) => title ?? ''],
  ];
  const query = { state: options.state, backendProfile: options.profile, readerId: 'cli' };
  return await list('sessions', query, columns, options, terminal);
}

export async function runs(
  options: ListOptions & { readonly status?: string; readonly session?: string },
  terminal: Terminal,
): Promise<number> {
  const columns: Column<Run>[] = [
    ['RUN', ({ id }) => id],
    ['STATUS', ({ status, failureKind }) => (failureKind === null ? status : `${status} (${failureKind})`)],
    ['PROFILE', ({ backendProfile }) => backendProfile],
    ['CREATED (UTC)', ({ createdAt }) => shortTime(createdAt)],
    ['SESSION', ({ sessionRef }) => sessionRef?.sessionId ?? ''],
  ];
  const query = { status: options.status, backendProfile: options.profile, sessionId: options.session };
  return await list('runs', query, columns, options, terminal);
}

function stateOf({ executionState, terminalStatus }: Session): string {
  if (executionState === 'terminal') return 'evicted';
  return executionState === 'idle' && terminalStatus !== null ? `idle, ${terminalStatus}` : executionState;
}

const shortTime = (iso: string): string => iso.slice(0, 19).replace('T', ' ');

async function list<Item>(
  path: string,
  query: Readonly<Record<string, string | undefined>>,
  columns: readonly Column<Item>[],
  options: ListOptions,
  terminal: Terminal,
): Promise<number> {
  const client = await openClient(options, terminal);
  const { items, cursor } = await pages<Item>(client, path, query, options.limit);
  if (client.json) printJson(client, { items, count: items.length, cursor });
  else if (items.length === 0) terminal.stderr.write(`There are no ${path} of that kind.\n`);
  else {
    printTable(columns, items, terminal);
    if (cursor !== null) terminal.stderr.write(`There are more: --limit ${options.limit * 2}\n`);
  }
  return EXIT.ok;
}

async function pages<Item>(
  { api }: Client,
  path: string,
  query: Readonly<Record<string, string | undefined>>,
  limit: number,
): Promise<Page<Item>> {
  const items: Item[] = [];
  let cursor: string | null | undefined;
  do {
    const all = { ...query, limit: String(Math.min(PAGE, limit - items.length)), cursor };
    const given = Object.entries(all).filter((pair): pair is [string, string] => typeof pair[1] === 'string');
    const page: Page<Item> = await api.ask('GET', `${path}?${new URLSearchParams(given).toString()}`);
    items.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== null && items.length < limit);
  return { items, cursor };
}
