import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmbeddedPostgres, startEmbedded } from '../../../manager/src/db/embedded.ts';
import {
  cleansUp,
  cleanups,
  folder,
  gone,
  isAlive,
  modeOf,
  query,
  type Started,
  start,
  starter,
  usedFolder,
} from './embedded-scenes.ts';

cleansUp();

describe('the first start', () => {
  let dataDir: string;
  let postgres: EmbeddedPostgres;
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'agentrun-embedded-first-'));
    postgres = await startEmbedded(dataDir);
  });
  afterAll(async () => {
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('makes a database in UTF-8 that sorts by code point and needs a password', async () => {
    expect(postgres.origin).toBe('created');
    expect(
      await query(
        postgres.url,
        `SELECT pg_encoding_to_char(encoding) AS encoding, datcollate, current_setting('timezone') AS timezone,
                current_setting('data_checksums') AS checksums, current_setting('fsync') AS fsync
         FROM pg_database WHERE datname = current_database() AND datname = 'agentrun'`,
      ),
    ).toEqual([{ encoding: 'UTF8', datcollate: 'C', timezone: 'UTC', checksums: 'on', fsync: 'on' }]);
    const wrong = Object.assign(new URL(postgres.url), { password: 'wrong' }).href;
    await expect(query(wrong, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
    expect(await query(postgres.url, 'SELECT DISTINCT auth_method FROM pg_hba_file_rules')).toEqual([
      { auth_method: 'scram-sha-256' },
    ]);
  });

  it('listens on the loopback address only, and on no socket file', async () => {
    expect(
      await query(
        postgres.url,
        `SELECT current_setting('listen_addresses') AS tcp, current_setting('unix_socket_directories') AS unix`,
      ),
    ).toEqual([{ tcp: '127.0.0.1', unix: '' }]);
    const other = Object.values(networkInterfaces())
      .flat()
      .find((address) => address?.family === 'IPv4' && !address.internal);
    if (other === undefined) return;
    const socket = createConnection({ host: other.address, port: Number(new URL(postgres.url).port) });
    const error = await new Promise<NodeJS.ErrnoException>((resolve, reject) => {
      socket.once('error', resolve).once('connect', () => reject(new Error(`${other.address} took a connection`)));
    });
    expect(error.code).toBe('ECONNREFUSED');
  });

  it('keeps the password, the log and the data from others, and nothing of our environment in the server', () => {
    expect(modeOf(join(dataDir, 'postgres'))).toBe(0o700);
    expect(modeOf(join(dataDir, 'postgres', 'cluster'))).toBe(0o700);
    expect(modeOf(join(dataDir, 'postgres', 'password'))).toBe(0o600);
    expect(modeOf(postgres.logFile)).toBe(0o600);
    if (process.platform !== 'linux') return;
    const entries = readFileSync(`/proc/${postgres.pid}/environ`, 'utf8').split('\0');
    const names = entries.map((entry) => entry.split('=')[0] ?? '').filter((name) => !/^(PG|$)/.test(name));
    expect(names.sort()).toEqual(['LANG', 'LC_ALL', 'PATH', 'TZ']);
    const [, , , session] = readFileSync(`/proc/${postgres.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    expect(Number(session)).toBe(postgres.pid);
  });

  it('goes on after a start that was killed while it made the database', async () => {
    const dataDir = await folder();
    mkdirSync(join(dataDir, 'postgres', 'cluster.new-0badf00d', 'base'), { recursive: true });
    const postgres = await start(dataDir);
    expect(postgres.origin).toBe('created');
    expect(existsSync(join(dataDir, 'postgres', 'cluster.new-0badf00d'))).toBe(false);
  });
});

describe('a later start', () => {
  it('finds what was written, and stops once however often it is asked', async () => {
    const dataDir = await usedFolder();
    const first = await start(dataDir);
    await query(first.url, `CREATE TABLE kept AS SELECT 'ünï' AS word`);
    await Promise.all([first.stop(), first.stop()]);
    await gone(first.pid);
    const second = await start(dataDir);
    expect(second.origin).toBe('started');
    expect(await query(second.url, 'SELECT word FROM kept')).toEqual([{ word: 'ünï' }]);
  });

  it('stops the server although clients are connected', async () => {
    const postgres = await start(await usedFolder());
    const client = new Client({ connectionString: postgres.url });
    const told: string[] = [];
    client.on('error', (error) => told.push(error.message));
    await client.connect();
    await client.query('BEGIN');
    await postgres.stop();
    await gone(postgres.pid);
    expect(told[0]).toMatch(/terminating connection|Connection terminated/);
  });

  it('adopts the server of a manager that was killed, and can stop it', async () => {
    const dataDir = await usedFolder();
    const killed = starter(dataDir);
    const first = await killed.line<Started>();
    await query(first.url, 'CREATE TABLE adopted AS SELECT 1 AS one');
    await killed.end('SIGKILL');
    expect(isAlive(first.pid)).toBe(true);

    const next = starter(dataDir);
    const second = await next.line<Started>();
    expect(second).toMatchObject({ origin: 'adopted', pid: first.pid, url: first.url });
    expect(await query(second.url, 'SELECT one FROM adopted')).toEqual([{ one: 1 }]);
    await next.end('SIGTERM');
    await gone(first.pid);
  });

  it('starts again where manager and server were killed, and loses nothing that was committed', async () => {
    const dataDir = await usedFolder();
    const killed = starter(dataDir);
    const first = await killed.line<Started>();
    await query(first.url, 'CREATE TABLE crashed AS SELECT 1 AS one');
    await killed.end('SIGKILL');
    process.kill(first.pid, 'SIGKILL');
    await gone(first.pid);
    expect(existsSync(join(dataDir, 'postgres', 'cluster', 'postmaster.pid'))).toBe(true);

    const second = await start(dataDir);
    expect(second.origin).toBe('started');
    expect(await query(second.url, 'SELECT one FROM crashed')).toEqual([{ one: 1 }]);
  });

  it('starts although the process id of the dead server belongs to somebody else now', async () => {
    const dataDir = await usedFolder();
    const file = join(dataDir, 'postgres', 'cluster', 'postmaster.pid');
    const cluster = join(dataDir, 'postgres', 'cluster');
    writeFileSync(file, `${process.pid}\n${cluster}\n1700000000\n5432\n\n127.0.0.1\n  123 456\nready   \n`);
    expect((await start(dataDir)).origin).toBe('started');
  });

  it('makes the database that a killed start had not come to', async () => {
    const dataDir = await usedFolder();
    const first = await start(dataDir);
    await query(Object.assign(new URL(first.url), { pathname: '/postgres' }).href, 'DROP DATABASE agentrun');
    await first.stop();
    expect(await query((await start(dataDir)).url, 'SELECT current_database() AS name')).toEqual([
      { name: 'agentrun' },
    ]);
  });

  it('keeps one older log beside a new one', async () => {
    const dataDir = await usedFolder();
    const logFile = join(dataDir, 'postgres', 'server.log');
    writeFileSync(logFile, 'x'.repeat(9 * 1024 * 1024));
    await start(dataDir);
    expect(statSync(`${logFile}.1`).size).toBe(9 * 1024 * 1024);
    expect(readFileSync(logFile, 'utf8')).toContain('ready to accept connections');
  });
});

describe('what cannot be started', () => {
  it('is a database of another version: the error says how to dump it', async () => {
    const dataDir = await usedFolder();
    const cluster = join(dataDir, 'postgres', 'cluster');
    const version = readFileSync(join(cluster, 'PG_VERSION'), 'utf8');
    cleanups.push(() => writeFileSync(join(cluster, 'PG_VERSION'), version));
    writeFileSync(join(cluster, 'PG_VERSION'), '16\n');
    await expect(startEmbedded(dataDir)).rejects.toMatchObject({
      code: 'postgres-version',
      message: expect.stringContaining(`${cluster} was made by PostgreSQL 16`),
      hint: expect.stringMatching(/pg_ctl -D '.*cluster'.*start[\s\S]*pg_dump .* agentrun > agentrun\.sql/),
    });
    expect(readFileSync(join(cluster, 'PG_VERSION'), 'utf8')).toBe('16\n');
  });

  it('is a PostgreSQL below 15', async () => {
    const bin = await folder();
    for (const program of ['initdb', 'pg_ctl', 'postgres']) {
      writeFileSync(join(bin, program), `#!/bin/sh\necho '${program} (PostgreSQL) 14.9'\n`);
      chmodSync(join(bin, program), 0o755);
    }
    await expect(startEmbedded(await folder(), { binDirectory: bin })).rejects.toMatchObject({
      code: 'postgres-version',
      message: expect.stringContaining('14.9'),
      hint: expect.stringContaining('15'),
    });
  });

  it('is a database that initdb cannot make: its words are in the error, and nothing is left', async () => {
    const bin = await folder();
    for (const program of ['initdb', 'pg_ctl', 'postgres']) {
      const words = program === 'initdb' ? `case "$1" in -D) echo 'no space left' >&2; exit 3;; esac` : '';
      writeFileSync(join(bin, program), `#!/bin/sh\n${words}\necho '${program} (PostgreSQL) 17.1'\n`);
      chmodSync(join(bin, program), 0o755);
    }
    chmodSync(bin, 0o755);
    const dataDir = await folder();
    await expect(startEmbedded(dataDir, { binDirectory: bin })).rejects.toMatchObject({
      code: 'postgres-failed',
      message: expect.stringMatching(/initdb ended with code 3: no space left/),
    });
    expect(existsSync(join(dataDir, 'postgres', 'cluster'))).toBe(false);
  });

  it('is a server that ends at once: the error has the end of its log', async () => {
    const dataDir = await usedFolder();
    await expect(startEmbedded(dataDir, { settings: { shared_buffers: 'much' } })).rejects.toMatchObject({
      code: 'postgres-failed',
      message: expect.stringContaining('invalid value for parameter "shared_buffers"'),
      hint: expect.stringContaining('server.log'),
    });
    expect((await start(dataDir)).origin).toBe('started');
  });

  it('is a database whose password file is gone', async () => {
    const dataDir = await usedFolder();
    const file = join(dataDir, 'postgres', 'password');
    await rename(file, `${file}.away`);
    cleanups.push(() => rename(`${file}.away`, file));
    await expect(startEmbedded(dataDir)).rejects.toMatchObject({
      code: 'postgres-failed',
      message: expect.stringContaining('password'),
    });
  });
});
