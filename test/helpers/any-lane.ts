import fc from 'fast-check';
import { CANCEL_STAGES, DELIVERY_MODES, RUNNER_PLACEMENTS } from '../../lib/src/contract/lifecycle.ts';
import type { Lane } from '../../lib/src/lane/lane.ts';
import { runnerJobLabels } from '../../lib/src/lane/runner-job-labels.ts';
import { contractLane } from './contract-lane.ts';

const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';
const word = (max: number) =>
  fc
    .tuple(
      fc.constantFrom(...letters.slice(0, 26)),
      fc.string({ unit: fc.constantFrom(...letters, '-'), maxLength: max - 2 }),
    )
    .map(([first, rest]) => `${first}${rest}`.replace(/-+$/, ''));
const hex = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 64, maxLength: 64 });
const suffix = word(12);
const ms = fc.integer({ min: 1, max: 86_400_000 });
const envName = fc
  .stringMatching(/^X_[A-Z][A-Z0-9_]{0,12}[A-Z0-9]$/)
  .filter((name) => !/(KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS)$/.test(name));
const envValue = fc.oneof(
  fc.constantFrom(
    '',
    '1',
    'true',
    '/opt/agentrun/x',
    'http://host.example:8080/path',
    'a, b; c',
    'ünïcödé',
    '{"a":1}',
    'on',
    '0o17',
    '12:30:00',
    'line\nline',
  ),
  word(20),
);

/** Good lanes of every kind: what the schema and the rules allow, over all fields. */
export const anyLane = (): fc.Arbitrary<Lane> =>
  fc
    .record({
      major: fc.nat({ max: 30 }),
      minor: fc.nat({ max: 30 }),
      domain: fc.constantFrom('agentrun.pikastech.local', 'agents.example.com'),
      node: fc.stringMatching(/^[A-Za-z0-9]([-A-Za-z0-9_.]{0,20}[A-Za-z0-9])?$/),
      names: fc.uniqueArray(suffix, { minLength: 6, maxLength: 6 }),
      port: fc.integer({ min: 1024, max: 65_535 }),
      scheme: fc.constantFrom('http', 'https'),
      longHost: fc.boolean(),
      toolsDigest: hex,
      postgres: fc.option(
        fc.record({
          major: fc.integer({ min: 14, max: 19 }),
          digest: hex,
          size: fc.integer({ min: 1, max: 500 }),
          storageClass: fc.option(suffix),
          user: fc.integer({ min: 1, max: 70_000 }),
        }),
      ),
      replicas: fc.integer({ min: 1, max: 10 }),
      env: fc.dictionary(envName, envValue, { maxKeys: 5 }),
      ssh: fc.option(fc.constant({ name: 'UNIDESK_SSH_ENDPOINT', value: 'ssh://gw.example:22' })),
      secretEnv: fc.dictionary(fc.stringMatching(/^S_[A-Z]{1,8}_TOKEN$/), fc.record({ name: suffix, key: suffix }), {
        maxKeys: 3,
      }),
      times: fc.uniqueArray(ms, { minLength: 4, maxLength: 4 }),
      backoff: fc.tuple(fc.nat({ max: 60_000 }), fc.nat({ max: 60_000 })),
      retained: fc.integer({ min: 1, max: 1000 }),
      age: fc.option(fc.integer({ min: 1, max: 9999 })),
      cleanup: fc.boolean(),
      delivery: fc.constantFrom(...DELIVERY_MODES),
      late: fc.boolean(),
      stages: fc.subarray([...CANCEL_STAGES], { minLength: 1 }),
      proxy: fc.option(fc.constant('http://proxy.example:3128')),
      noProxy: fc.uniqueArray(fc.constantFrom('.svc', '.cluster.local', 'localhost', '10.0.0.1'), { maxLength: 4 }),
      placement: fc.constantFrom(...RUNNER_PLACEMENTS),
      runtimeClass: fc.option(suffix),
      egress: fc.uniqueArray(
        fc.record({
          cidr: fc.constantFrom('0.0.0.0/0', '10.0.0.0/8'),
          except: fc.subarray(['10.1.0.0/16', '10.2.3.0/24']),
        }),
        { maxLength: 2, selector: ({ cidr }) => cidr },
      ),
    })
    .map((facts) => laneOf(facts));

interface LaneFacts {
  major: number;
  minor: number;
  domain: string;
  node: string;
  names: string[];
  port: number;
  scheme: string;
  longHost: boolean;
  toolsDigest: string;
  postgres: { major: number; digest: string; size: number; storageClass: string | null; user: number } | null;
  replicas: number;
  env: Record<string, string>;
  ssh: { name: string; value: string } | null;
  secretEnv: Record<string, { name: string; key: string }>;
  times: number[];
  backoff: [number, number];
  retained: number;
  age: number | null;
  cleanup: boolean;
  delivery: (typeof DELIVERY_MODES)[number];
  late: boolean;
  stages: (typeof CANCEL_STAGES)[number][];
  proxy: string | null;
  noProxy: string[];
  placement: (typeof RUNNER_PLACEMENTS)[number];
  runtimeClass: string | null;
  egress: { cidr: string; except: string[] }[];
}

function laneOf(facts: LaneFacts): Lane {
  const lane = contractLane();
  const version = `v${facts.major}.${facts.minor}`;
  const [a = 'a', b = 'b', c = 'c', d = 'd', e = 'e', f = 'f'] = facts.names;
  const [graceful = 1, kill = 2, stale = 3, active = 4] = [...facts.times].sort((x, y) => x - y);
  const host = `${a}-svc.${b}-ns.svc${facts.longHost ? '.cluster.local' : ''}`;
  lane.version = version;
  lane.nodeId = facts.node;
  lane.labelDomain = facts.domain;
  lane.gitops.path = `out/${d}`;
  lane.gitops.argoApplication = `${c}-app`;
  lane.ci.toolsImage = `registry.example.internal:5000/agentrun/ci-tools@sha256:${facts.toolsDigest}`;
  lane.ci.namespace = `${b}-ci`;
  lane.runtime = {
    namespace: `${b}-ns`,
    managerService: `${a}-svc`,
    managerDeployment: `${e}-mgr`,
    managerPort: facts.port,
    internalBaseUrl: `${facts.scheme}://${host}:${facts.port}`,
  };
  const { deployment } = lane;
  deployment.gitopsRoot = 'out';
  deployment.runtimeRenderDir = d;
  deployment.artifactCatalogPath = `catalogs/${d}.json`;
  deployment.argocd = { project: `${c}-project`, applicationFile: `${f}.yaml` };
  deployment.localPostgres =
    facts.postgres === null
      ? {
          enabled: false,
          serviceName: null,
          image: null,
          storage: null,
          port: null,
          database: null,
          user: null,
          storageClassName: null,
          runAsUser: 70,
        }
      : {
          enabled: true,
          serviceName: `${f}-pg`,
          image: `docker.io/library/postgres:${facts.postgres.major}-alpine@sha256:${facts.postgres.digest}`,
          storage: `${facts.postgres.size}Gi`,
          port: 5432,
          database: 'agentrun',
          user: 'agentrun',
          storageClassName: facts.postgres.storageClass,
          runAsUser: facts.postgres.user,
        };
  Object.assign(deployment.manager, {
    serviceAccount: `${a}-mgr-sa`,
    replicas: facts.replicas,
    env: facts.env,
    unideskSshEndpointEnv: facts.ssh,
    secretEnv: facts.secretEnv,
  });
  const { runner } = deployment;
  runner.serviceAccount = `${a}-run-sa`;
  runner.jobNamePrefix = `${a}-job`;
  runner.backendRetry.initialBackoffMs = Math.min(...facts.backoff);
  runner.backendRetry.maxBackoffMs = Math.max(...facts.backoff);
  runner.retention.maxRunners = facts.retained;
  runner.retention.activeHeartbeatMaxAgeMs = active;
  runner.retention.selectors = { matchLabels: runnerJobLabels(lane), jobNamePrefixes: [`${a}-job`] };
  runner.retention.ageBasedCleanup = { enabled: facts.cleanup && facts.age !== null, maxAgeHours: facts.age };
  runner.cancelLifecycle = {
    deliveryMode: facts.delivery,
    gracefulAbortMs: graceful,
    killEscalationMs: kill,
    staleHeartbeatFencingMs: stale,
    lateWriteFencing: { enabled: facts.late },
    eventStages: facts.stages,
  };
  runner.egressProxyUrl = facts.proxy;
  runner.noProxyExtra = facts.noProxy;
  runner.placement = facts.placement;
  runner.runtimeClassName = facts.runtimeClass;
  deployment.network.runnerEgress = facts.egress;
  return lane;
}
