/** Realistic objects of the cluster that are not workloads. */
import type { KubernetesObject } from '../../lib/src/manifests/kubernetes-object.ts';
import { LABELS } from './good-workloads.ts';

const namespace = 'agentrun-v01';
const metadata = (name: string) => ({ name, namespace, labels: LABELS });

export const GOOD_CLUSTER_OBJECTS: readonly KubernetesObject[] = [
  {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace, labels: { ...LABELS, 'pod-security.kubernetes.io/enforce': 'restricted' } },
  },
  {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: metadata('agentrun-v01-mgr'),
    automountServiceAccountToken: false,
    imagePullSecrets: [{ name: 'registry' }],
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata('agentrun-v01-postgres-headless'),
    spec: {
      type: 'ClusterIP',
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: { app: 'postgres' },
      ports: [{ name: 'postgres', port: 5432, targetPort: 'postgres', protocol: 'TCP' }],
    },
  },
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadata('settings'),
    data: { level: 'info', 'app.json': '{}' },
    immutable: true,
  },
  {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: metadata('session-1-g1'),
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'ssd',
      volumeMode: 'Filesystem',
      resources: { requests: { storage: '10Gi' } },
    },
  },
  {
    apiVersion: 'v1',
    kind: 'LimitRange',
    metadata: metadata('agentrun-v0-1-defaults'),
    spec: {
      limits: [
        {
          type: 'Container',
          default: { cpu: '2', memory: '4Gi' },
          defaultRequest: { cpu: '100m', memory: '256Mi' },
          max: { cpu: 8 },
          min: { cpu: '10m' },
          maxLimitRequestRatio: { cpu: '20' },
        },
      ],
    },
  },
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadata('runner-egress'),
    spec: {
      podSelector: { matchExpressions: [{ key: 'app.kubernetes.io/component', operator: 'In', values: ['runner'] }] },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 'http', protocol: 'TCP' }] }],
      egress: [
        {
          to: [
            { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } }, podSelector: {} },
          ],
          ports: [{ port: 53, protocol: 'UDP' }],
        },
        {
          to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['169.254.169.254/32'] } }],
          ports: [{ port: 1024, endPort: 65535 }],
        },
      ],
    },
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: metadata('agentrun-v01-mgr-runner-job-controller'),
    rules: [
      { apiGroups: ['batch'], resources: ['jobs'], verbs: ['create', 'delete', 'get', 'list', 'watch'] },
      { apiGroups: [''], resources: ['pods', 'pods/log'], verbs: ['get'] },
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['agentrun-v01-api-key'], verbs: ['get', 'patch'] },
    ],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: metadata('agentrun-v01-mgr-runner-job-controller'),
    subjects: [{ kind: 'ServiceAccount', name: 'agentrun-v01-mgr', namespace }],
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'agentrun-v01-mgr-runner-job-controller' },
  },
];
