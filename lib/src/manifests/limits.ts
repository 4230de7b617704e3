import { KubeLimitRange, Quantity } from 'cdk8s-plus-28/lib/imports/k8s.js';
import type { Construct } from 'constructs';
import type { Lane } from '../lane/lane.ts';
import { objectLabels, syncAnnotations } from './labels.ts';

/** What a container gets that asks for nothing itself, so that no runner can take a whole node. */
export function limits(scope: Construct, lane: Lane): void {
  const name = `agentrun-${lane.version.replaceAll('.', '-')}-defaults`;
  new KubeLimitRange(scope, 'limits', {
    metadata: {
      name,
      namespace: lane.runtime.namespace,
      labels: objectLabels(lane, 'namespace', lane.runtime.namespace),
      annotations: syncAnnotations('access'),
    },
    spec: {
      limits: [
        {
          type: 'Container',
          defaultRequest: { cpu: Quantity.fromString('100m'), memory: Quantity.fromString('256Mi') },
          default: { cpu: Quantity.fromString('2'), memory: Quantity.fromString('4Gi') },
        },
      ],
    },
  });
}
