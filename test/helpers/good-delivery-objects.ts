/** Realistic objects of Argo CD, Tekton and kustomize. */
import type { KubernetesObject } from '../../lib/src/manifests/kubernetes-object.ts';
import { LABELS } from './good-workloads.ts';

const step = (name: string) => ({
  name,
  image: '$(params.tools-image)',
  env: [{ name: 'REVISION', value: '$(params.revision)' }],
  workingDir: '$(workspaces.source.path)',
  timeout: '5m',
  onError: 'stopAndFail',
  computeResources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '1Gi' } },
  securityContext: {
    allowPrivilegeEscalation: false,
    runAsNonRoot: true,
    runAsUser: 10001,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  },
  volumeMounts: [{ name: 'home', mountPath: '/home/agentrun' }],
  script: `#!/bin/sh\nset -eu\n${name}\n`,
});

const pipeline: KubernetesObject = {
  apiVersion: 'tekton.dev/v1',
  kind: 'Pipeline',
  metadata: { name: 'agentrun-v01-ci', namespace: 'agentrun-ci', labels: LABELS },
  spec: {
    description: 'Checks and publishes a lane.',
    params: [
      { name: 'revision', type: 'string', description: 'The commit to publish.' },
      { name: 'tools-image', type: 'string', default: 'registry.example.com/agentrun/tools:1' },
      { name: 'mode', type: 'string', default: 'branch', enum: ['branch', 'placeholder'] },
    ],
    workspaces: [{ name: 'source' }, { name: 'git-ssh', optional: true }],
    results: [{ name: 'files-digest', value: '$(tasks.publish.results.files-digest)' }],
    tasks: [
      {
        name: 'publish',
        params: [
          { name: 'revision', value: '$(params.revision)' },
          { name: 'tools-image', value: '$(params.tools-image)' },
        ],
        workspaces: [
          { name: 'source', workspace: 'source' },
          { name: 'git-ssh', workspace: 'git-ssh' },
        ],
        when: [{ input: '$(params.mode)', operator: 'in', values: ['branch'] }],
        timeout: '1h0m0s',
        retries: 1,
        taskSpec: {
          params: [{ name: 'revision' }, { name: 'tools-image', type: 'string' }],
          workspaces: [{ name: 'source' }, { name: 'git-ssh', optional: true, readOnly: true, mountPath: '/ssh' }],
          results: [{ name: 'files-digest', type: 'string', description: 'Digest of the rendered files.' }],
          stepTemplate: { env: [{ name: 'HOME', value: '/home/agentrun' }] },
          volumes: [{ name: 'home', emptyDir: { sizeLimit: '1Gi' } }],
          steps: [step('clone'), step('check'), step('prove'), step('publish')],
        },
      },
    ],
    finally: [
      {
        name: 'report',
        taskSpec: { steps: [{ name: 'report', image: '$(params.tools-image)', command: ['true'], args: ['x'] }] },
        params: [{ name: 'status', value: '$(tasks.publish.status)' }],
      },
    ],
  },
};

const applicationMetadata = {
  name: 'agentrun-v01',
  namespace: 'argocd',
  labels: LABELS,
  finalizers: ['resources-finalizer.argocd.argoproj.io'],
};

const application: KubernetesObject = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: applicationMetadata,
  spec: {
    project: 'agentrun-v01',
    source: {
      repoURL: 'http://git-mirror.git-system.svc.cluster.local:8080/agentrun/agentrun.git',
      targetRevision: 'v0.1-gitops',
      path: 'deploy/gitops/runtime-v01',
    },
    destination: { server: 'https://kubernetes.default.svc', namespace: 'agentrun-v01' },
    ignoreDifferences: [{ group: 'apps', kind: 'Deployment', jsonPointers: ['/spec/replicas'] }],
    revisionHistoryLimit: 5,
    syncPolicy: {
      automated: { prune: true, selfHeal: true },
      syncOptions: ['ApplyOutOfSyncOnly=true', 'PruneLast=true'],
      retry: { limit: 5, backoff: { duration: '5s', factor: 2, maxDuration: '3m' } },
    },
  },
};

const appProject: KubernetesObject = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'AppProject',
  metadata: { name: 'agentrun-v01', namespace: 'argocd', labels: LABELS },
  spec: {
    description: 'AgentRun v0.1 GitOps lane',
    sourceRepos: ['http://git-mirror.git-system.svc.cluster.local:8080/agentrun/agentrun.git'],
    destinations: [{ server: 'https://kubernetes.default.svc', namespace: 'agentrun-v01' }],
    clusterResourceWhitelist: [{ group: '', kind: 'Namespace' }],
    namespaceResourceWhitelist: [
      { group: '', kind: 'Service' },
      { group: 'apps', kind: 'Deployment' },
      { group: 'rbac.authorization.k8s.io', kind: 'Role' },
      { group: '*', kind: '*' },
    ],
  },
};

const kustomization: KubernetesObject = {
  apiVersion: 'kustomize.config.k8s.io/v1beta1',
  kind: 'Kustomization',
  namespace: 'agentrun-v01',
  resources: ['namespace.yaml', 'postgres.yaml', 'mgr.yaml', 'runner-rbac.yaml'],
  commonAnnotations: { 'agentrun.pikastech.local/lane': 'v0.1' },
  labels: [{ pairs: { 'app.kubernetes.io/part-of': 'agentrun' }, includeSelectors: false }],
  images: [{ name: 'registry.example.com/agentrun/mgr', digest: `sha256:${'ab'.repeat(32)}` }],
};

export const GOOD_DELIVERY_OBJECTS: readonly KubernetesObject[] = [pipeline, application, appProject, kustomization];
