import { readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, afterEach, expect } from 'vitest';
import { type EmbeddedOptions, type EmbeddedPostgres, startEmbedded } from '../../../manager/src/db/embedded.ts';
import { type FixtureProcess, startFixture } from '../../helpers/fixture-process.ts';

export interface Started {
  readonly origin: string;
  readonly pid: number;
  readonly url: string;
  readonly uid: number;
  readonly error?: { readonly code: string; readonly message: string; readonly hint: string };
}

export const isRoot = process.geteuid?.() === 0;
export const NOBODY = 65534;
export const cleanups: (() => unknown)[] = [];

export async function folder(name = 'agentrun-embedded-'): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), name));
  cleanups.push(() => rm(path, { recursive: true, force: true }));
  return path;
}

let made: Promise<string> | undefined;

/** To be called once by each file of tests: ends and removes what its scenes made. */
export function cleansUp(): void {
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });
  afterAll(async () => {
    if (made !== undefined) await rm(await made, { recursive: true, force: true });
    made = undefined;
  });
}

/** A data folder as an earlier start left it; the tests leave it good for the next. */
export function usedFolder(): Promise<string> {
  made ??= mkdtemp(join(tmpdir(), 'agentrun-embedded-made-')).then(async (path) => {
    await (await startEmbedded(path)).stop();
    return path;
  });
  return made;
}

export async function start(dataDir: string, options: EmbeddedOptions = {}): Promise<EmbeddedPostgres> {
  const postgres = await startEmbedded(dataDir, options);
  cleanups.push(() => postgres.stop());
  return postgres;
}

export function starter(dataDir: string, options: Parameters<typeof startFixture>[2] = {}): FixtureProcess {
  const process = startFixture('manager/start-embedded.ts', [dataDir], options);
  cleanups.push(() => process.end('SIGKILL'));
  return process;
}

export async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

export const gone = (pid: number) => expect.poll(() => isAlive(pid), { timeout: 30_000 }).toBe(false);
export const modeOf = (path: string) => statSync(path).mode & 0o777;
