import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../helpers/free-port.ts';
import { API_KEY, laneEnvironment } from '../helpers/lane-config.ts';
import { type TestDatabase, testDatabase } from '../helpers/postgres.ts';
import { REPOSITORY } from '../helpers/repository-root.ts';

let folder: string;
let database: TestDatabase;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'agentrun-manager-bundle-'));
  execFileSync(process.execPath, [join(REPOSITORY, 'manager/scripts/bundle.mjs'), '--outdir', folder]);
  database = await testDatabase({ empty: true });
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await database.drop();
});

/** The manager of the image, as a Deployment starts it: by its environment alone. */
async function start(change: Readonly<Record<string, string | undefined>> = {}) {
  const port = await freePort();
  const env = {
    ...(await laneEnvironment()),
    DATABASE_URL: database.url,
    AGENTRUN_API_KEY: API_KEY,
    AGENTRUN_LISTEN_HOST: '127.0.0.1',
    AGENTRUN_LISTEN_PORT: String(port),
    PATH: process.env['PATH'],
    HOME: folder,
    ...change,
  };
  const child = spawn(process.execPath, [join(folder, 'main.js')], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const listen = (chunk: Buffer) => {
    output += chunk.toString();
  };
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const url = `http://127.0.0.1:${port}`;
  const ready = async () => (await fetch(`${url}/health/readiness`).catch(() => null))?.status;
  return { child, exited, url, ready, output: () => output };
}

describe('the manager of the image', () => {
  it('carries neither the renderer, nor git, nor a YAML writer', () => {
    const { inputs } = JSON.parse(readFileSync(join(folder, 'meta.json'), 'utf8')) as { inputs: object };
    const modules = Object.keys(inputs);
    expect(modules.length).toBeGreaterThan(200);
    expect(modules.filter((path) => /node_modules\/(?:cdk8s|constructs|simple-git|yaml)\b/.test(path))).toEqual([]);
    expect(modules.filter((path) => /^(?:synth|runner)\//.test(path))).toEqual([]);
  });

  it('boots from exactly the environment that the lane renders, migrates, and leaves on SIGTERM', async () => {
    const manager = await start();
    await expect.poll(manager.ready, { timeout: 15_000 }).toBe(200);
    const health = (await (await fetch(`${manager.url}/health`)).json()) as { data: object };
    expect(health.data).toMatchObject({ ready: true, lane: 'v0.1', runnerWorkReady: { placement: 'kubernetes-job' } });
    manager.child.kill('SIGTERM');
    expect(await manager.exited).toBe(0);
    expect(manager.output()).not.toContain(API_KEY);
    expect(manager.output()).not.toContain(new URL(database.url).password);
  });

  it('does not start from an environment with faults, and tells all of them', async () => {
    const manager = await start({ AGENTRUN_LISTEN_PORT: 'many', AGENTRUN_LANE: undefined, DATABASE_URL: 'mysql://x' });
    expect(await manager.exited).toBe(1);
    for (const name of ['AGENTRUN_LISTEN_PORT', 'AGENTRUN_LANE', 'DATABASE_URL']) {
      expect(manager.output()).toContain(name);
    }
  });

  it('ends with a sentence when the database is not there', async () => {
    const manager = await start({ DATABASE_URL: 'postgres://nobody:hidden@127.0.0.1:1/none' });
    expect(await manager.exited).toBe(1);
    expect(manager.output()).toMatch(/error\[database-unreachable\] .*127\.0\.0\.1:1/);
    expect(manager.output()).not.toContain('hidden');
  });

  it('says that a port is in use', async () => {
    const first = await start();
    await expect.poll(first.ready, { timeout: 15_000 }).toBe(200);
    const second = await start({ AGENTRUN_LISTEN_PORT: new URL(first.url).port });
    expect(await second.exited).toBe(1);
    expect(second.output()).toContain('error[port-in-use]');
    first.child.kill('SIGTERM');
    await first.exited;
  });
});
