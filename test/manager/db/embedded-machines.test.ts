import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startEmbedded } from '../../../manager/src/db/embedded.ts';
import { debianPostgres } from '../../helpers/postgres-server.ts';
import {
  cleansUp,
  folder,
  isRoot,
  NOBODY,
  query,
  type Started,
  start,
  starter,
  usedFolder,
} from './embedded-scenes.ts';

cleansUp();

describe('the first start', () => {
  it.each(['with spaces and ünïcödé 数据-', 'it\'s "quoted" $HOME-'])('takes a folder named %s', async (name) => {
    const dataDir = await folder(name);
    const postgres = await start(dataDir);
    await postgres.stop();
    expect((await start(dataDir)).origin).toBe('started');
  });

  it('is the same without a locale and with another one', async () => {
    const found: unknown[] = [];
    for (const locale of [
      {},
      { LANG: 'cs_CZ.ISO-8859-2', LC_ALL: 'tr_TR', TZ: 'Asia/Kolkata', PGPORT: '1', PGUSER: 'x' },
    ]) {
      const process = starter(await folder(), { env: { PATH: '/usr/bin:/bin', ...locale } });
      const { url, error } = await process.line<Started>();
      expect(error).toBeUndefined();
      found.push(
        ...(await query(
          url,
          `SELECT pg_encoding_to_char(encoding) AS encoding, datcollate, datctype, current_setting('lc_messages') AS said
           FROM pg_database WHERE datname = 'agentrun'`,
        )),
      );
      await process.end('SIGTERM');
    }
    const plain = { encoding: 'UTF8', datcollate: 'C', datctype: 'C', said: 'C' };
    expect(found).toEqual([plain, plain]);
  });
});

describe('what cannot be started', () => {
  it('is a real database of an older version, and the dump commands of the error work', async ({ skip }) => {
    const debian = debianPostgres();
    skip(debian === null, 'no PostgreSQL of Debian is installed');
    if (debian === null) return;
    const dataDir = await folder();
    const old = await start(dataDir, { binDirectory: debian });
    await query(old.url, `CREATE TABLE kept AS SELECT 'from long ago' AS word`);
    await old.stop();
    const { code, hint } = await startEmbedded(dataDir).then(
      () => ({ code: 'started', hint: '' }),
      (error: unknown) => error as { code: string; hint: string },
    );
    expect(code).toBe('postgres-version');
    if (isRoot) chmodSync(dataDir, 0o755);
    const prefix = isRoot ? ['--user', '--map-user=65534', '--map-group=65534', 'sh'] : [];
    const script = hint
      .split('\n')
      .filter((line) => line.startsWith('  '))
      .join('\n');
    execFileSync(isRoot ? 'unshare' : 'sh', [...prefix, '-e', '-c', script], {
      cwd: dataDir,
      env: { PATH: `${debian}:/usr/bin:/bin`, LC_ALL: 'C' },
      stdio: 'ignore',
    });
    expect(readFileSync(join(dataDir, 'agentrun.sql'), 'utf8')).toContain('from long ago');
  });
});

describe('two managers for one data folder', () => {
  it('are one: the other is told who runs', async () => {
    const dataDir = await folder();
    const starters = [starter(dataDir), starter(dataDir)];
    const [one, other] = await Promise.all(starters.map((process) => process.line<Started>()));
    const [won, lost] = one?.error === undefined ? [0, 1] : [1, 0];
    const results = [one, other];
    expect(results[won]?.origin).toBe('created');
    expect(results[lost]?.error).toMatchObject({
      code: 'data-folder-locked',
      message: expect.stringContaining(`process ${starters[won]?.pid}`),
    });
    await starters[won]?.end('SIGTERM');
  });
});

describe.skipIf(!isRoot)('users', () => {
  it('may be any that is not root', async () => {
    const dataDir = await folder();
    chmodSync(dataDir, 0o777);
    const own = join(dataDir, 'data');
    const process = starter(own, { user: NOBODY, env: { PATH: '/usr/bin:/bin', HOME: dataDir } });
    const started = await process.line<Started>();
    expect(started).toMatchObject({ origin: 'created', uid: NOBODY });
    expect(statSync(join(own, 'postgres', 'cluster')).uid).toBe(NOBODY);
    await process.end('SIGTERM');
  });

  it('may be root where user namespaces are allowed: the files stay those of root', async () => {
    const dataDir = await usedFolder();
    const postgres = await start(dataDir);
    expect(statSync(join(dataDir, 'postgres', 'cluster')).uid).toBe(0);
    expect(readFileSync(`/proc/${postgres.pid}/uid_map`, 'utf8').trim().split(/\s+/)).toEqual(['65534', '0', '1']);
  });

  it('may be root where they are not: the database is that of nobody, below a folder of the system', async () => {
    const [dataDir, system, bin] = [await folder(), await folder(), await folder()];
    symlinkSync('/usr/bin/id', join(bin, 'id'));
    const options = { searchPath: bin, systemDirectory: system };
    const first = await start(dataDir, options);
    expect(first.origin).toBe('created');
    expect(statSync(`/proc/${first.pid}`).uid).toBe(NOBODY);
    expect(first.logFile.startsWith(join(system, 'postgres-'))).toBe(true);
    await query(first.url, 'CREATE TABLE kept AS SELECT 1 AS one');
    await first.stop();
    expect(existsSync(join(dataDir, 'postgres', 'cluster'))).toBe(false);

    // Found again by its link, although a namespace would be allowed now.
    const second = await start(dataDir, { systemDirectory: system });
    expect(second.origin).toBe('started');
    expect(await query(second.url, 'SELECT one FROM kept')).toEqual([{ one: 1 }]);
    expect((await start(dataDir, options)).origin).toBe('adopted');
  });

  it('cannot be root for the database of another user', async () => {
    const dataDir = await folder();
    mkdirSync(join(dataDir, 'postgres', 'cluster'), { recursive: true });
    chownSync(join(dataDir, 'postgres', 'cluster'), 12_345, 12_345);
    await expect(startEmbedded(dataDir)).rejects.toMatchObject({
      code: 'postgres-owner',
      message: expect.stringContaining('12345'),
    });
  });

  it('cannot be root without a namespace for a database that was made in one', async () => {
    const [dataDir, bin] = [await usedFolder(), await folder()];
    await expect(startEmbedded(dataDir, { searchPath: bin, systemDirectory: bin })).rejects.toMatchObject({
      code: 'postgres-owner',
      hint: expect.stringContaining('unshare'),
    });
  });
});
