import type { Terminal } from '../terminal.ts';
import { type ManagerOptions, managerAddress } from './manager-address.ts';
import { ManagerApi } from './manager-api.ts';
import { shellWord } from './shell-word.ts';

/** The options that every command of the client has. */
export interface ClientOptions extends ManagerOptions {
  readonly output: 'text' | 'json';
}

/** What a command of the client works with. */
export interface Client {
  readonly api: ManagerApi;
  readonly terminal: Terminal;
  /** Whether stdout is for programs. */
  readonly json: boolean;
  /** The options that say where the manager is, as they stand at the end of another command line. */
  readonly where: string;
}

/** @throws ClientError when nothing says where the manager is, or which key it takes */
export async function openClient(options: ClientOptions, terminal: Terminal): Promise<Client> {
  const find = () => managerAddress(options, terminal);
  const where = [
    ...(options.url === undefined ? [] : ['--url', options.url]),
    ...(options.apiKeyFile === undefined ? [] : ['--api-key-file', options.apiKeyFile]),
    ...(options.dataDir === undefined ? [] : ['--data-dir', options.dataDir]),
  ];
  return {
    api: new ManagerApi(await find(), find),
    terminal,
    json: options.output === 'json',
    where: where.map((word) => ` ${shellWord(word)}`).join(''),
  };
}

/** Prints one JSON document. */
export function printJson({ terminal }: Pick<Client, 'terminal'>, value: unknown): void {
  terminal.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
