import { runnerJobLabels } from './runner-job-labels.ts';
import type { LaneInput } from './schema/index.ts';

/** What decides the names of an example lane. */
export interface ExampleNames {
  readonly version: string;
  readonly labelDomain: string;
}

/** The lane of `lanes/v0.1.yaml` as an object; for another version, with names of that version throughout. */
export function exampleLane({ version, labelDomain }: ExampleNames): LaneInput {
  const short = version.replace('.', '');
  const mirror = 'http://git-mirror.git-system.svc.cluster.local:8080/agentrun/agentrun.git';
  return {
    version,
    nodeId: 'node-a',
    labelDomain,
    source: { remote: 'ssh://git@git.example.internal/agentrun/agentrun.git', branch: version },
    gitMirror: {
      readUrl: mirror,
      writeUrl: 'ssh://git@git-mirror.git-system.svc.cluster.local/agentrun/agentrun.git',
    },
    gitops: {
      repoURL: mirror,
      branch: `${version}-gitops`,
      path: `deploy/gitops/runtime-${short}`,
      argoNamespace: 'argocd',
      argoApplication: `agentrun-${short}`,
    },
    ci: {
      namespace: 'agentrun-ci',
      serviceAccountName: `agentrun-${short}-ci`,
      pipeline: `agentrun-${short}-ci`,
      registryPrefix: 'registry.example.internal:5000/agentrun',
      toolsImage:
        'registry.example.internal:5000/agentrun/ci-tools:0.1@sha256:b066f7e9eb7bb5847831788420d804713f4af0a9c0af317fea2acf31d73520b8',
    },
    runtime: {
      namespace: `agentrun-${short}`,
      managerService: 'agentrun-mgr',
      managerDeployment: 'agentrun-mgr',
      managerPort: 8080,
      internalBaseUrl: `http://agentrun-mgr.agentrun-${short}.svc.cluster.local:8080`,
    },
    database: { secretRef: { name: `agentrun-${short}-db`, key: 'DATABASE_URL' } },
    deployment: {
      format: 'unidesk-yaml-only',
      gitopsRoot: 'deploy/gitops',
      runtimeRenderDir: `runtime-${short}`,
      artifactCatalogPath: `deploy/artifact-catalog.${short}.json`,
      argocd: { project: `agentrun-${short}`, applicationFile: `application-${short}.yaml` },
      localPostgres: {
        enabled: true,
        serviceName: `agentrun-${short}-postgres`,
        image:
          'docker.io/library/postgres:17-alpine@sha256:742f40ea20b9ff2ff31db5458d127452988a2164df9e17441e191f3b72252193',
        storage: '20Gi',
        port: 5432,
        database: 'agentrun',
        user: 'agentrun',
      },
      manager: {
        serviceAccount: `agentrun-${short}-mgr`,
        bootRepoUrl: mirror,
        imageBuild: { repository: 'agentrun-mgr-env' },
        resources: { requests: { cpu: '250m', memory: '512Mi' }, limits: { cpu: '2', memory: '2Gi' } },
        apiKeySecretRef: { name: `agentrun-${short}-api-key`, key: 'AGENTRUN_API_KEY' },
        env: { AGENTRUN_SESSION_GC_INTERVAL_MS: '300000', AGENTRUN_AIPOD_SPEC_DIR: '/opt/agentrun/aipod-specs' },
        unideskSshEndpointEnv: null,
      },
      runner: {
        serviceAccount: `agentrun-${short}-runner`,
        jobNamePrefix: `agentrun-${short}-runner`,
        idleTimeoutMs: 120_000,
        backendRetry: { maxAttempts: 3, initialBackoffMs: 1000, maxBackoffMs: 30_000 },
        retention: {
          maxRunners: 20,
          cleanupOrder: 'oldest-inactive-last-active-first',
          activeHeartbeatMaxAgeMs: 120_000,
          selectors: {
            matchLabels: runnerJobLabels({ version, labelDomain }),
            jobNamePrefixes: [`agentrun-${short}-runner`],
          },
          ageBasedCleanup: { enabled: true, maxAgeHours: 72 },
        },
        cancelLifecycle: {
          deliveryMode: 'poll',
          gracefulAbortMs: 10_000,
          killEscalationMs: 30_000,
          staleHeartbeatFencingMs: 90_000,
          lateWriteFencing: { enabled: true },
          eventStages: [
            'requested',
            'delivered',
            'graceful-abort',
            'kill-escalated',
            'heartbeat-fenced',
            'late-write-fenced',
            'terminal',
          ],
        },
        egressProxyUrl: null,
        noProxyExtra: ['.svc', '.cluster.local'],
      },
    },
  };
}
