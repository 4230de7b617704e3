import { execFile } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { APPEND_STATEMENT } from '../../manager/src/store/events.ts';
import type { HeldRun } from './manager-setup.ts';

const run = promisify(execFile);

/** The program, from PATH or from the packages of Debian; null when there is none. */
export function findPgbench(): string | null {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    ...versions.map((version) => join(debian, version, 'bin')),
  ];
  return folders.map((folder) => join(folder, 'pgbench')).find((file) => existsSync(file)) ?? null;
}

export interface PgbenchOptions {
  readonly program: string;
  readonly databaseUrl: string;
  readonly folder: string;
  readonly runs: readonly HeldRun[];
  /** The JSON that one append carries, and how many events it is. */
  readonly events: string;
  readonly count: number;
  readonly connections: number;
  readonly seconds: number;
}

/** Appends per second with the statement of the manager itself, without a manager. */
export async function pgbenchAppends(options: PgbenchOptions): Promise<number> {
  const { hostname, port, username, password, pathname } = new URL(options.databaseUrl);
  const files = options.runs.map((_, index) => {
    const names = [`run${index}`, `attempt${index}`, 'epoch', '', 'count', 'events', 'bytes', 'budget'];
    const file = join(options.folder, `append-${index}.sql`);
    const text = APPEND_STATEMENT.replaceAll(/\$(\d)/g, (_all, number: string) => {
      const name = names[Number(number) - 1] ?? '';
      return name === '' ? 'NULL' : `:${name}`;
    });
    writeFileSync(file, `${text};\n`);
    return file;
  });
  const variables = {
    ...Object.fromEntries(options.runs.map(({ runId }, index) => [`run${index}`, runId])),
    ...Object.fromEntries(options.runs.map(({ attemptId }, index) => [`attempt${index}`, attemptId])),
    epoch: '1',
    count: String(options.count),
    events: options.events,
    bytes: String(options.events.length),
    budget: '1000000000000',
  };
  const { stdout } = await run(
    options.program,
    [
      '--no-vacuum',
      '--protocol=prepared',
      `--client=${options.connections}`,
      '--jobs=1',
      `--time=${options.seconds}`,
      ...Object.entries(variables).flatMap(([name, value]) => ['--define', `${name}=${value}`]),
      ...files.flatMap((file) => ['--file', file]),
    ],
    {
      env: {
        PGHOST: hostname,
        PGPORT: port,
        PGUSER: decodeURIComponent(username),
        PGPASSWORD: decodeURIComponent(password),
        PGDATABASE: pathname.slice(1),
      },
      maxBuffer: 2 ** 24,
    },
  );
  const failed = /number of failed transactions: (\d+)/.exec(stdout)?.[1] ?? '0';
  const perSecond = Number(/^tps = ([\d.]+)/m.exec(stdout)?.[1]);
  if (failed !== '0' || !(perSecond > 0)) throw new Error(`pgbench failed:\n${stdout}`);
  return perSecond;
}
