import { KubeNamespace } from 'cdk8s-plus-28/lib/imports/k8s.js';
import type { Construct } from 'constructs';
import type { Lane } from '../lane/lane.ts';
import { objectLabels, syncAnnotations } from './labels.ts';
import { podSecurityLabels } from './pod-security.ts';

/** The namespace of the Pipeline. Several lanes may share it, so it carries no label of one lane. */
export function ciNamespace(scope: Construct, lane: Lane): void {
  new KubeNamespace(scope, 'namespace', {
    metadata: { name: lane.ci.namespace, labels: podSecurityLabels('baseline') },
  });
}

/** The namespace of everything that the lane runs. Prune spares it: with it would go the data. */
export function runtimeNamespace(scope: Construct, lane: Lane): void {
  new KubeNamespace(scope, 'namespace', {
    metadata: {
      name: lane.runtime.namespace,
      labels: { ...objectLabels(lane, 'namespace', lane.runtime.namespace), ...podSecurityLabels('restricted') },
      annotations: syncAnnotations('namespace', { keep: true }),
    },
  });
}
