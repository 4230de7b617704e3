import {
  IntOrString,
  KubeNetworkPolicy,
  type NetworkPolicyEgressRule,
  type NetworkPolicySpec,
} from 'cdk8s-plus-28/lib/imports/k8s.js';
import type { Construct } from 'constructs';
import type { Lane } from '../lane/lane.ts';
import { runnerJobLabels } from '../lane/runner-job-labels.ts';
import { NAME_LABEL, objectLabels, syncAnnotations } from './labels.ts';

const byPort = (port: number, ...protocols: ('TCP' | 'UDP')[]) =>
  protocols.map((protocol) => ({ port: IntOrString.fromNumber(port), protocol }));

/** Who may reach whom: nothing enters unless a policy says so; runners leave only towards what the lane names. */
export function network(scope: Construct, lane: Lane): void {
  const { managerDeployment, managerPort, namespace } = lane.runtime;
  const postgres = lane.deployment.localPostgres;
  const managerPods = { podSelector: { matchLabels: { [NAME_LABEL]: managerDeployment } } };
  const policy = (name: string, spec: NetworkPolicySpec) =>
    new KubeNetworkPolicy(scope, name, {
      metadata: {
        name,
        namespace,
        labels: objectLabels(lane, 'network', namespace),
        annotations: syncAnnotations('access'),
      },
      spec,
    });

  policy('default-deny-ingress', { podSelector: {}, policyTypes: ['Ingress'] });
  policy('manager-ingress', {
    ...managerPods,
    policyTypes: ['Ingress'],
    // Runners here, and people and programs in other namespaces; each call carries a key or a token.
    ingress: [{ from: [{ namespaceSelector: {} }], ports: byPort(managerPort, 'TCP') }],
  });
  if (postgres.enabled) {
    policy('postgres-ingress', {
      podSelector: { matchLabels: { [NAME_LABEL]: postgres.serviceName } },
      policyTypes: ['Ingress'],
      ingress: [{ from: [managerPods], ports: byPort(postgres.port, 'TCP') }],
    });
  }
  policy('runner-egress', {
    podSelector: { matchLabels: runnerJobLabels(lane) },
    policyTypes: ['Egress'],
    egress: runnerEgress(lane, [{ to: [managerPods], ports: byPort(managerPort, 'TCP') }]),
  });
}

function runnerEgress(lane: Lane, manager: NetworkPolicyEgressRule[]): NetworkPolicyEgressRule[] {
  const dns: NetworkPolicyEgressRule = {
    to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } }],
    ports: byPort(53, 'UDP', 'TCP'),
  };
  const blocks = lane.deployment.network.runnerEgress.map(({ cidr, except }) => ({
    ipBlock: { cidr, ...(except.length > 0 ? { except: [...except] } : {}) },
  }));
  // A rule without targets would mean "everywhere".
  return [dns, ...manager, ...(blocks.length > 0 ? [{ to: blocks }] : [])];
}
