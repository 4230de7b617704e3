/** A kind that AgentRun renders. `definition` is the name of its closed definition. */
export interface RenderedKind {
  readonly kind: string;
  readonly apiVersion: string;
  /** The syntax of metadata.name; null where metadata is not needed. */
  readonly name: 'DnsLabel' | 'DnsSubdomain' | 'ServiceName' | 'PathSegment' | null;
}

const core = (kind: string, name: RenderedKind['name'] = 'DnsSubdomain') => ({ kind, apiVersion: 'v1', name }) as const;

/** Every kind that may be rendered; any other is refused. */
export const RENDERED_KINDS: readonly RenderedKind[] = [
  core('Namespace', 'DnsLabel'),
  core('ServiceAccount'),
  core('Service', 'ServiceName'),
  core('ConfigMap'),
  core('PersistentVolumeClaim'),
  core('LimitRange'),
  { kind: 'StatefulSet', apiVersion: 'apps/v1', name: 'DnsSubdomain' },
  { kind: 'Deployment', apiVersion: 'apps/v1', name: 'DnsSubdomain' },
  { kind: 'Job', apiVersion: 'batch/v1', name: 'DnsSubdomain' },
  { kind: 'NetworkPolicy', apiVersion: 'networking.k8s.io/v1', name: 'DnsSubdomain' },
  { kind: 'Role', apiVersion: 'rbac.authorization.k8s.io/v1', name: 'PathSegment' },
  { kind: 'RoleBinding', apiVersion: 'rbac.authorization.k8s.io/v1', name: 'PathSegment' },
  { kind: 'Application', apiVersion: 'argoproj.io/v1alpha1', name: 'DnsSubdomain' },
  { kind: 'AppProject', apiVersion: 'argoproj.io/v1alpha1', name: 'DnsSubdomain' },
  { kind: 'Pipeline', apiVersion: 'tekton.dev/v1', name: 'DnsSubdomain' },
  { kind: 'Kustomization', apiVersion: 'kustomize.config.k8s.io/v1beta1', name: null },
];
