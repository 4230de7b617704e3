/** Realistic, hardened workloads, rich enough that every rule about them has a place to be broken. */
import type { KubernetesObject } from '../../lib/src/manifests/kubernetes-object.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;
export const LABELS = { app: 'mgr', 'app.kubernetes.io/part-of': 'agentrun', 'agentrun.pikastech.local/lane': 'v0.1' };

const container = {
  name: 'mgr',
  image: `registry.example.com:5000/agentrun/mgr@${DIGEST}`,
  imagePullPolicy: 'IfNotPresent',
  command: ['node'],
  args: ['main.js'],
  workingDir: '/srv',
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'FallbackToLogsOnError',
  ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
  env: [
    { name: 'AGENTRUN_LANE', value: 'v0.1' },
    { name: 'DATABASE_URL', valueFrom: { secretKeyRef: { name: 'agentrun-v01-db', key: 'DATABASE_URL' } } },
    { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'LEVEL', valueFrom: { configMapKeyRef: { name: 'settings', key: 'level', optional: true } } },
  ],
  envFrom: [{ configMapRef: { name: 'settings' } }],
  startupProbe: { httpGet: { path: '/health/live', port: 'http' }, periodSeconds: 3, failureThreshold: 100 },
  readinessProbe: {
    httpGet: { path: '/health/readiness', port: 'http', scheme: 'HTTP' },
    initialDelaySeconds: 0,
    periodSeconds: 5,
    timeoutSeconds: 3,
    failureThreshold: 3,
    successThreshold: 1,
  },
  livenessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 10 },
  lifecycle: { preStop: { exec: { command: ['sleep', '5'] } } },
  resources: { requests: { cpu: '250m', memory: '512Mi' }, limits: { cpu: 2, memory: '2Gi' } },
  securityContext: {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    runAsNonRoot: true,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  },
  volumeMounts: [
    { name: 'tmp', mountPath: '/tmp' },
    { name: 'credentials', mountPath: '/var/run/credentials', readOnly: true },
    { name: 'mixed', mountPath: '/var/run/mixed', readOnly: true },
    { name: 'settings', mountPath: '/etc/settings', subPath: 'app' },
  ],
};

const podSecurity = {
  runAsNonRoot: true,
  runAsUser: 10001,
  runAsGroup: 10001,
  fsGroup: 10001,
  fsGroupChangePolicy: 'OnRootMismatch',
  seccompProfile: { type: 'RuntimeDefault' },
};

const zone = 'topology.kubernetes.io/zone';

const deployment: KubernetesObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name: 'agentrun-mgr',
    namespace: 'agentrun-v01',
    labels: LABELS,
    annotations: { 'argocd.argoproj.io/sync-wave': '0' },
  },
  spec: {
    replicas: 2,
    minReadySeconds: 0,
    revisionHistoryLimit: 3,
    progressDeadlineSeconds: 600,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: '25%' } },
    selector: { matchLabels: { app: 'mgr' } },
    template: {
      metadata: { labels: LABELS, annotations: { 'agentrun.pikastech.local/source-commit': '0'.repeat(40) } },
      spec: {
        serviceAccountName: 'agentrun-v01-mgr',
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        terminationGracePeriodSeconds: 30,
        restartPolicy: 'Always',
        nodeSelector: { 'kubernetes.io/os': 'linux' },
        securityContext: podSecurity,
        tolerations: [
          { key: 'dedicated', operator: 'Equal', value: 'agents', effect: 'NoExecute', tolerationSeconds: 300 },
        ],
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: zone,
            whenUnsatisfiable: 'ScheduleAnyway',
            labelSelector: { matchLabels: { app: 'mgr' } },
          },
        ],
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [
                { matchExpressions: [{ key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] }] },
              ],
            },
          },
          podAntiAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 100, podAffinityTerm: { topologyKey: zone, labelSelector: { matchLabels: { app: 'mgr' } } } },
            ],
          },
        },
        initContainers: [{ name: 'wait', image: `registry.example.com/agentrun/tools@${DIGEST}`, command: ['true'] }],
        containers: [container],
        volumes: [
          { name: 'tmp', emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } },
          {
            name: 'credentials',
            secret: {
              secretName: 'agentrun-v01-mgr-provider-credentials',
              defaultMode: 288,
              items: [{ key: 'codex', path: 'codex/auth.json', mode: 256 }],
            },
          },
          {
            name: 'mixed',
            projected: {
              defaultMode: 288,
              sources: [
                { serviceAccountToken: { path: 'token', expirationSeconds: 3600, audience: 'agentrun' } },
                { configMap: { name: 'settings', items: [{ key: 'level', path: 'level' }] } },
                {
                  downwardAPI: {
                    items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' }, mode: 256 }],
                  },
                },
                { secret: { name: 'agentrun-v01-api-key', items: [{ key: 'AGENTRUN_API_KEY', path: 'api-key' }] } },
              ],
            },
          },
          { name: 'settings', configMap: { name: 'settings', defaultMode: 292 } },
        ],
      },
    },
  },
};

const statefulSet: KubernetesObject = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'agentrun-v01-postgres', namespace: 'agentrun-v01', labels: LABELS },
  spec: {
    serviceName: 'agentrun-v01-postgres-headless',
    replicas: 1,
    minReadySeconds: 0,
    revisionHistoryLimit: 3,
    podManagementPolicy: 'OrderedReady',
    updateStrategy: { type: 'RollingUpdate' },
    persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
    selector: { matchLabels: { app: 'postgres' } },
    template: {
      metadata: { labels: { app: 'postgres' } },
      spec: {
        automountServiceAccountToken: false,
        terminationGracePeriodSeconds: 120,
        restartPolicy: 'Always',
        securityContext: { ...podSecurity, runAsUser: 70, runAsGroup: 70, fsGroup: 70 },
        containers: [
          {
            name: 'postgres',
            image: `docker.io/library/postgres:17-alpine@${DIGEST}`,
            ports: [{ name: 'postgres', containerPort: 5432 }],
            readinessProbe: { exec: { command: ['pg_isready'] }, periodSeconds: 5 },
            resources: { requests: { cpu: '0.25', memory: 1e9 }, limits: { memory: '1Gi' } },
            volumeMounts: [{ name: 'data', mountPath: '/var/lib/postgresql/data' }],
          },
        ],
      },
    },
    volumeClaimTemplates: [
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'data' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '20Gi' } } },
      },
    ],
  },
};

const job: KubernetesObject = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'agentrun-v01-runner-7', namespace: 'agentrun-v01', labels: LABELS },
  spec: {
    backoffLimit: 0,
    activeDeadlineSeconds: 3600,
    ttlSecondsAfterFinished: 600,
    completions: 1,
    parallelism: 1,
    completionMode: 'NonIndexed',
    template: {
      metadata: { labels: LABELS },
      spec: {
        restartPolicy: 'Never',
        activeDeadlineSeconds: 3600,
        serviceAccountName: 'agentrun-v01-runner',
        securityContext: podSecurity,
        containers: [
          {
            name: 'runner',
            image: `registry.example.com/agentrun/runner@${DIGEST}`,
            volumeMounts: [{ name: 'work', mountPath: '/home/agent/work' }],
          },
        ],
        volumes: [
          { name: 'tmp', emptyDir: {} },
          { name: 'work', persistentVolumeClaim: { claimName: 'session-1-g1' } },
        ],
      },
    },
  },
};

export const GOOD_WORKLOADS: readonly KubernetesObject[] = [deployment, statefulSet, job];
