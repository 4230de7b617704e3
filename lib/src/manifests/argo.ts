import { ApiObject } from 'cdk8s';
import type { Construct } from 'constructs';
import type { Lane } from '../lane/lane.ts';
import { objectLabels } from './labels.ts';

const SERVER = 'https://kubernetes.default.svc';

interface GroupKind {
  readonly group: string;
  readonly kind: string;
}

interface AppProjectSpec {
  readonly description: string;
  readonly sourceRepos: readonly string[];
  readonly destinations: readonly { readonly server: string; readonly namespace: string }[];
  readonly clusterResourceWhitelist: readonly GroupKind[];
  readonly namespaceResourceWhitelist: readonly GroupKind[];
}

interface ApplicationSpec {
  readonly project: string;
  readonly source: { readonly repoURL: string; readonly targetRevision: string; readonly path: string };
  readonly destination: { readonly server: string; readonly namespace: string };
  readonly syncPolicy: {
    readonly automated: { readonly prune: boolean; readonly selfHeal: boolean };
    readonly syncOptions: readonly string[];
    readonly retry: {
      readonly limit: number;
      readonly backoff: { readonly duration: string; readonly factor: number; readonly maxDuration: string };
    };
  };
}

/** The kinds that a lane deploys into its namespace; the check compares them with what is rendered. */
function deployedKinds(lane: Lane): GroupKind[] {
  const core = ['LimitRange', 'Service', 'ServiceAccount'].map((kind) => ({ group: '', kind }));
  const apps = lane.deployment.localPostgres.enabled ? ['Deployment', 'StatefulSet'] : ['Deployment'];
  return [
    ...core,
    ...apps.map((kind) => ({ group: 'apps', kind })),
    { group: 'networking.k8s.io', kind: 'NetworkPolicy' },
    { group: 'rbac.authorization.k8s.io', kind: 'Role' },
    { group: 'rbac.authorization.k8s.io', kind: 'RoleBinding' },
  ];
}

export function appProject(scope: Construct, lane: Lane): void {
  const spec: AppProjectSpec = {
    description: `AgentRun ${lane.version} GitOps lane`,
    sourceRepos: [lane.gitops.repoURL],
    destinations: [{ server: SERVER, namespace: lane.runtime.namespace }],
    clusterResourceWhitelist: [{ group: '', kind: 'Namespace' }],
    namespaceResourceWhitelist: deployedKinds(lane),
  };
  new ApiObject(scope, 'project', {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: {
      name: lane.deployment.argocd.project,
      namespace: lane.gitops.argoNamespace,
      labels: objectLabels(lane, 'gitops', lane.gitops.argoApplication),
    },
    spec,
  });
}

export function application(scope: Construct, lane: Lane): void {
  const spec: ApplicationSpec = {
    project: lane.deployment.argocd.project,
    source: { repoURL: lane.gitops.repoURL, targetRevision: lane.gitops.branch, path: lane.gitops.path },
    destination: { server: SERVER, namespace: lane.runtime.namespace },
    syncPolicy: {
      automated: { prune: true, selfHeal: true },
      syncOptions: ['ApplyOutOfSyncOnly=true', 'PruneLast=true'],
      retry: { limit: 5, backoff: { duration: '5s', factor: 2, maxDuration: '3m' } },
    },
  };
  new ApiObject(scope, 'application', {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: {
      name: lane.gitops.argoApplication,
      namespace: lane.gitops.argoNamespace,
      labels: objectLabels(lane, 'gitops', lane.gitops.argoApplication),
    },
    spec,
  });
}
