import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadLane, placeholderArtifact, renderLane } from '@agentrun/lib';
import { readManagerConfig } from '@agentrun/lib/environment';
import { AgentRunError } from '@agentrun/lib/errors';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { replacementLines } from '../../manager/src/config/local-replacements.ts';
import { type Config, HELP, readConfig } from '../../manager/src/config.ts';
import { contractLane, contractVariant } from '../helpers/contract-lane.ts';
import { REPOSITORY } from '../helpers/repository-root.ts';

type Environment = Record<string, string | undefined>;
const COMMIT = 'c'.repeat(40);
const SECRETS = {
  DATABASE_URL: 'postgres://agentrun:hunter2@db.example/agentrun',
  AGENTRUN_API_KEY: 'key-of-operator',
};

let scratch: string;
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'agentrun-config-'));
});
const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
  await rm(scratch, { recursive: true, force: true });
});

type LaneOfLib = Parameters<typeof renderLane>[0];

/** The rendered mgr.yaml of a lane, as a file. */
function rendered(lane: LaneOfLib, name = 'mgr.yaml'): string {
  const { files } = renderLane(lane, { sourceCommit: COMMIT, artifact: placeholderArtifact(lane, COMMIT) });
  const file = join(scratch, name);
  writeFileSync(file, files.find(({ path }) => path.endsWith('/mgr.yaml'))?.content ?? '');
  return file;
}

async function exampleLane(): Promise<string> {
  const { lane } = await loadLane(join(REPOSITORY, 'lanes', 'v0.1.yaml'));
  return rendered(lane);
}

async function read(argv: readonly string[], env: Environment = {}): Promise<Config> {
  const config = await readConfig({ argv, env });
  if (config === 'help') throw new Error('help was not asked for');
  return config;
}

async function problems(argv: readonly string[], env: Environment = {}) {
  const error: unknown = await read(argv, env).then(
    () => null,
    (caught: unknown) => caught,
  );
  if (!(error instanceof AgentRunError)) throw new Error(`not an error of the environment: ${String(error)}`);
  return { code: error.code, text: JSON.stringify([error.message, error.problems]), list: error.problems };
}

async function occupy(port: number): Promise<number> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('a rendered environment', () => {
  it('of the example lane says to the manager what the lane says', async () => {
    const file = await exampleLane();
    const { lane } = await loadLane(join(REPOSITORY, 'lanes', 'v0.1.yaml'));
    const config = await read(['--environment', file], SECRETS);
    expect(config).toMatchObject({
      local: null,
      listen: { host: '0.0.0.0', port: lane.runtime.managerPort },
      database: { url: SECRETS.DATABASE_URL },
      apiKey: SECRETS.AGENTRUN_API_KEY,
      replaced: [],
      manager: {
        lane: lane.version,
        sourceCommit: COMMIT,
        runtimeNamespace: lane.runtime.namespace,
        runnerIdleTimeoutMs: lane.deployment.runner.idleTimeoutMs,
        staleHeartbeatFencingMs: lane.deployment.runner.cancelLifecycle.staleHeartbeatFencingMs,
        retentionMatchLabels: lane.deployment.runner.retention.selectors.matchLabels,
        runnerPlacement: lane.deployment.runner.placement,
        internalManagerUrl: lane.runtime.internalBaseUrl,
      },
    });
  });

  it.each([
    ['the full lane', () => contractLane()],
    ['the variant', () => contractVariant()],
  ])('of %s is the same as that of the pod', async (_, lane) => {
    const fromFile = await read(['--environment', rendered(lane())], SECRETS);
    const { parseAllDocuments } = await import('yaml');
    const text = readFileSync(join(scratch, 'mgr.yaml'), 'utf8');
    const pod: Environment = { ...SECRETS };
    for (const document of [...parseAllDocuments(text)].map((each) => each.toJS() as Deployment)) {
      for (const { name, value } of document.spec?.template?.spec?.containers?.[0]?.env ?? []) {
        if (value !== undefined) pod[name] = value;
      }
    }
    expect(await read([], pod)).toEqual(fromFile);
    const { databaseUrl, apiKey, listenHost, listenPort, ...manager } = readManagerConfig(pod);
    expect(fromFile.manager).toEqual(manager);
    expect({ databaseUrl, apiKey, listenHost, listenPort }).toEqual({
      databaseUrl: 'url' in fromFile.database ? fromFile.database.url : null,
      apiKey: fromFile.apiKey,
      listenHost: fromFile.listen.host,
      listenPort: fromFile.listen.port,
    });
  });

  it('is not overridden by the environment of the process, which gives the secrets only', async () => {
    const env = {
      ...SECRETS,
      AGENTRUN_LANE: 'v9.9',
      AGENTRUN_RUNNER_RUNTIME_CLASS: 'gvisor',
      AGENTRUN_QUEUE_MAX_ACTIVE: '7',
    };
    const { manager } = await read(['--environment', await exampleLane()], env);
    expect(manager).toMatchObject({ lane: 'v0.1', runnerRuntimeClass: null, queueMaxActive: 0 });
  });

  it('is overridden by the command line where that speaks', async () => {
    const argv = ['--host', '10.0.0.1', '--port', '9999', '--database-url', 'postgres://other/db'];
    expect(await read(['--environment', await exampleLane(), ...argv], SECRETS)).toMatchObject({
      listen: { host: '10.0.0.1', port: 9999 },
      database: { url: 'postgres://other/db' },
    });
  });

  it('with an own secret needs it, and says which Secret holds it in the cluster', async () => {
    const lane = contractLane({ deployment: { manager: { secretEnv: { OWN_TOKEN: { name: 'own', key: 'token' } } } } });
    const { list } = await problems(['--environment', rendered(lane)], SECRETS);
    expect(list).toEqual([
      expect.objectContaining({
        code: 'environment-missing',
        message: 'OWN_TOKEN is not set',
        hint: expect.stringMatching(/key token of the Secret \S+\/own/),
      }),
    ]);
  });

  it.each([
    ['that is not there', null, /cannot be read: ENOENT/],
    ['that is not YAML', 'a: [1\nkey: hunter2', /is not YAML: line \d/],
    ['without a Deployment', 'kind: Service', /must hold one Deployment with a container .*mgr/],
    ['without documents', '', /holds 0/],
    ['with two managers', `${deployment()}---\n${deployment()}`, /holds 2/],
    ['with an alias to nothing', 'a: *nothing', /environment file/],
    ['with a text where the Deployment is', 'kind: Deployment\nspec: hunter2', /holds 0/],
  ])('in a file %s is refused with the name of the file, and no word of it', async (_, text, expected) => {
    const file = join(scratch, 'broken.yaml');
    if (text !== null) writeFileSync(file, text);
    const found = await problems(['--environment', file], SECRETS);
    expect(found.code).toBe('environment-invalid');
    expect(found.text).toMatch(expected);
    expect(found.text).toContain('broken.yaml');
    expect(found.text).not.toContain('hunter2');
  });

  it('with entries that only a cluster can resolve lists them all', async () => {
    const file = join(scratch, 'hand-made.yaml');
    const entries = [
      '{ name: A, valueFrom: { fieldRef: { fieldPath: status.podIP } } }',
      '{ name: B, value: 8080 }',
      '{ value: x }',
      '{ name: C, valueFrom: { secretKeyRef: { name: only } } }',
    ];
    writeFileSync(file, deployment(entries));
    const { list } = await problems(['--environment', file], SECRETS);
    expect(list.map(({ message }) => message)).toEqual([
      expect.stringContaining('A has a valueFrom'),
      expect.stringContaining('B must be a text in quotes, and is a number'),
      'an entry of env has no name',
      expect.stringContaining('C has a secretKeyRef without name or key'),
    ]);
  });
});

describe('the environment of a process', () => {
  it('that is empty lists everything that is missing at once', async () => {
    const { code, list } = await problems([]);
    expect(code).toBe('environment-invalid');
    expect(list.length).toBeGreaterThan(30);
    expect(list.map(({ message }) => message)).toContain('DATABASE_URL is not set');
  });

  it('that is wrong in many places lists them all, and shows no secret', async () => {
    const config = await problems(['--environment', await exampleLane()], {
      DATABASE_URL: 'mysql://root:hunter2@db/x',
      AGENTRUN_API_KEY: ' ',
      AGENTRUN_RUNNER_COMMAND: '["", "token-hunter2"]',
    });
    expect(config.list.map(({ message }) => message.split(' ')[0] ?? '').sort()).toEqual([
      'AGENTRUN_API_KEY',
      'AGENTRUN_RUNNER_COMMAND',
      'DATABASE_URL',
    ]);
    expect(config.text).not.toContain('hunter2');
  });

  it('may name the runner and where spans go', async () => {
    const env = {
      ...SECRETS,
      AGENTRUN_RUNNER_COMMAND: '["node","/opt/runner.js"]',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
      PATH: '/bin',
      HOME: '/home/me',
    };
    expect(await read(['--environment', await exampleLane()], env)).toMatchObject({
      runnerCommand: ['node', '/opt/runner.js'],
      telemetryEndpoint: 'http://collector:4318',
      host: { path: '/bin', home: '/home/me' },
    });
    const empty = { ...SECRETS, AGENTRUN_RUNNER_COMMAND: '', OTEL_EXPORTER_OTLP_ENDPOINT: '' };
    expect(await read(['--environment', await exampleLane()], empty)).toMatchObject({
      runnerCommand: null,
      telemetryEndpoint: null,
    });
  });
});

describe('local mode', () => {
  const local = async (argv: readonly string[] = [], env: Environment = {}) =>
    read(['--environment', await exampleLane(), '--data-dir', join(scratch, 'data'), ...argv], env);

  it('replaces what needs a cluster, and prints what it replaced without a secret', async () => {
    const config = await local(['--port', '0'], { PATH: '/bin' });
    const dataDir = join(scratch, 'data');
    const { port } = config.listen;
    const { lane } = await loadLane(join(REPOSITORY, 'lanes', 'v0.1.yaml'));
    const { name, key } = lane.deployment.manager.apiKeySecretRef;
    const apiKeyFile = join(dataDir, 'secrets', lane.runtime.namespace, name, key);
    expect(port).toBeGreaterThan(0);
    expect(config).toMatchObject({
      local: { dataDir, apiKeyFile },
      listen: { host: '127.0.0.1' },
      database: { embedded: { dataDir } },
      manager: {
        internalManagerUrl: `http://127.0.0.1:${port}`,
        runnerPlacement: 'host-process',
        aipodSpecDir: join(dataDir, 'aipods'),
        queueMaxActive: 2,
        lane: 'v0.1',
      },
    });
    expect(config.apiKey).toMatch(/^[\w-]{43}$/);
    expect(readFileSync(apiKeyFile, 'utf8')).toBe(config.apiKey);
    expect(statSync(apiKeyFile).mode & 0o777).toBe(0o600);

    const { database } = lane;
    expect(config.replaced).toEqual([
      {
        variable: 'DATABASE_URL',
        rendered: `(Secret ${database.secretRef.name}, key ${database.secretRef.key})`,
        used: `(embedded PostgreSQL, in ${dataDir}/postgres)`,
      },
      {
        variable: 'AGENTRUN_API_KEY',
        rendered: `(Secret ${name}, key ${key})`,
        used: `(generated, in ${apiKeyFile})`,
      },
      {
        variable: 'AGENTRUN_INTERNAL_MGR_URL',
        rendered: lane.runtime.internalBaseUrl,
        used: `http://127.0.0.1:${port}`,
      },
      { variable: 'AGENTRUN_LISTEN_HOST', rendered: '0.0.0.0', used: '127.0.0.1' },
      { variable: 'AGENTRUN_LISTEN_PORT', rendered: String(lane.runtime.managerPort), used: String(port) },
      { variable: 'AGENTRUN_RUNNER_PLACEMENT', rendered: 'kubernetes-job', used: 'host-process' },
      { variable: 'AGENTRUN_AIPOD_SPEC_DIR', rendered: '/opt/agentrun/aipod-specs', used: join(dataDir, 'aipods') },
      { variable: 'AGENTRUN_QUEUE_MAX_ACTIVE', rendered: '(not set)', used: '2' },
    ]);
    const lines = replacementLines(config.replaced);
    expect(lines).toHaveLength(9);
    expect(lines[0]).toMatch(/^variable +rendered +used$/);
    expect(lines.join('\n')).not.toContain(config.apiKey);
    expect(replacementLines([])).toEqual([]);
  });

  it('makes each secret once, and takes one that a person put there', async () => {
    const lane = contractLane({
      deployment: { manager: { secretEnv: { AGENTRUN_AIPOD_SPEC_DIR_TOKEN: { name: 'own', key: 'token' } } } },
    });
    const argv = ['--environment', rendered(lane), '--data-dir', join(scratch, 'data'), '--port', '0'];
    const first = await read(argv);
    const own = join(scratch, 'data', 'secrets', lane.runtime.namespace, 'own', 'token');
    expect(readFileSync(own, 'utf8')).toMatch(/^[\w-]{43}$/);
    expect((await read(argv)).apiKey).toBe(first.apiKey);
    writeFileSync(first.local?.apiKeyFile ?? '', 'mine, from an editor\n');
    expect((await read(argv)).apiKey).toBe('mine, from an editor');
  });

  it('uses the database that the caller names, and never prints its password', async () => {
    const url = 'postgres://me:hunter2@127.0.0.1:5433/agentrun';
    for (const config of [await local(['--database-url', url]), await local([], { DATABASE_URL: url })]) {
      expect(config.database).toEqual({ url });
      expect(config.replaced[0]?.used).toMatch(/^\(given by (--database-url|DATABASE_URL)\)$/);
      expect(JSON.stringify(config.replaced)).not.toContain('hunter2');
    }
    expect(existsSync(join(scratch, 'data', 'secrets', 'local'))).toBe(false);
  });

  it('keeps the number of tasks that the lane gives', async () => {
    const lane = contractLane({ deployment: { manager: { env: { AGENTRUN_QUEUE_MAX_ACTIVE: '5' } } } });
    const config = await read(['--environment', rendered(lane), '--data-dir', join(scratch, 'data'), '--port', '0']);
    expect(config.manager.queueMaxActive).toBe(5);
    expect(config.replaced.map(({ variable }) => variable)).not.toContain('AGENTRUN_QUEUE_MAX_ACTIVE');
  });

  it('takes the next port when 8080 is in use, and tells the runners that one', async () => {
    const free = await local();
    await occupy(free.listen.port);
    const next = await local();
    expect(next.listen.port).toBeGreaterThan(free.listen.port);
    expect(next.listen.port).toBeLessThan(8100);
    expect(next.manager.internalManagerUrl).toBe(`http://127.0.0.1:${next.listen.port}`);
  });

  it('refuses a port that was asked for and is in use', async () => {
    const port = await occupy(0);
    await expect(local(['--port', String(port)])).rejects.toMatchObject({
      code: 'port-in-use',
      message: expect.stringContaining(String(port)),
    });
    await expect(local(['--host', '192.0.2.1', '--port', '0'])).rejects.toMatchObject({
      code: 'port-in-use',
      message: expect.stringContaining('192.0.2.1'),
    });
  });

  it('on all addresses tells the runners the loopback one', async () => {
    const { listen, manager } = await local(['--host', '0.0.0.0', '--port', '0']);
    expect(listen.host).toBe('0.0.0.0');
    expect(manager.internalManagerUrl).toBe(`http://127.0.0.1:${listen.port}`);
  });

  it('comes only when it is asked for: without, a missing database stops the start', async () => {
    const { list } = await problems(['--environment', await exampleLane()], {
      AGENTRUN_API_KEY: 'k',
      AGENTRUN_DATA_DIR: join(scratch, 'data'),
    });
    expect(list.map(({ message }) => message)).toEqual(['DATABASE_URL is not set']);
    expect(existsSync(join(scratch, 'data'))).toBe(false);
  });

  it('by --local takes the data folder of the environment', async () => {
    const argv = ['--environment', await exampleLane(), '--local', '--port', '0'];
    const config = await read(argv, { XDG_STATE_HOME: scratch });
    expect(config.local?.dataDir).toBe(join(scratch, 'agentrun'));
  });

  it.each([['--local'], ['--data-dir', '/nowhere']])(
    'is refused in a cluster (%s), and touches nothing',
    async (...argv) => {
      const env = { KUBERNETES_SERVICE_HOST: '10.96.0.1', AGENTRUN_DATA_DIR: join(scratch, 'data') };
      await expect(read(['--environment', await exampleLane(), ...argv], env)).rejects.toMatchObject({
        code: 'local-in-cluster',
        message: expect.stringContaining('KUBERNETES_SERVICE_HOST'),
        hint: expect.stringContaining('without --local'),
      });
      expect(existsSync(join(scratch, 'data'))).toBe(false);
      expect(existsSync('/nowhere')).toBe(false);
    },
  );

  it('lists a bad lane and a bad secret name together', async () => {
    const file = join(scratch, 'hand-made.yaml');
    writeFileSync(file, deployment(['{ name: T, valueFrom: { secretKeyRef: { name: "../up", key: k } } }']));
    const { list } = await problems(['--environment', file, '--data-dir', join(scratch, 'data'), '--port', '0']);
    expect(list[0]?.message).toMatch(/^T: "\.\.\/up" cannot be the name of a secret/);
    expect(list.length).toBeGreaterThan(20);
    expect(existsSync(join(scratch, 'data', 'secrets', 'up'))).toBe(false);
    expect(existsSync(join(scratch, 'data', 'up'))).toBe(false);
  });
});

describe('the command line', () => {
  it('prints help, before anything is read', async () => {
    expect(await readConfig({ argv: ['--help', '--environment', '/nowhere'], env: {} })).toBe('help');
    for (const option of ['--environment', '--local', '--data-dir', '--database-url', '--host', '--port']) {
      expect(HELP).toContain(option);
    }
  });

  it.each([
    [['--unknown'], /--unknown/],
    [['lane'], /lane/],
    [['--port', 'http'], /http/],
    [['--port', '70000'], /65535/],
    [['--port', '-1'], /--port/],
    [['--data-dir', ''], /--data-dir must not be empty/],
    [['--environment'], /--environment/],
    [['postgres://me:hunter2@db/agentrun'], /postgres/],
  ])('%j is refused with the word that is wrong', async (argv, expected) => {
    const { code, text } = await problems(argv);
    expect(code).toBe('usage');
    expect(text).toMatch(expected);
    expect(text).not.toContain('hunter2');
  });
});

interface Deployment {
  readonly spec?: {
    readonly template?: {
      readonly spec?: {
        readonly containers?: readonly {
          readonly env?: readonly { readonly name: string; readonly value?: string }[];
        }[];
      };
    };
  };
}

function deployment(entries: readonly string[] = ['{ name: AGENTRUN_LANE, value: v0.1 }']): string {
  const env = entries.map((entry) => `            - ${entry}\n`).join('');
  return `kind: Deployment
metadata: { name: mgr, namespace: ns }
spec:
  template:
    spec:
      containers:
        - name: mgr
          env:
${env}`;
}
