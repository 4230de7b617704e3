import { KubeServiceAccount } from 'cdk8s-plus-28/lib/imports/k8s.js';
import type { Construct } from 'constructs';
import type { Lane } from '../lane/lane.ts';
import { objectLabels } from './labels.ts';
import { roleWithBinding } from './rbac.ts';

/** The account of the Pipeline. Its Role is empty: the Pipeline works on git and never asks the API server. */
export function ciAccess(scope: Construct, lane: Lane): void {
  const name = lane.ci.serviceAccountName;
  const metadata = { name, namespace: lane.ci.namespace, labels: objectLabels(lane, 'ci', lane.ci.pipeline) };
  new KubeServiceAccount(scope, 'account', { metadata, automountServiceAccountToken: false });
  roleWithBinding(scope, metadata, name, []);
}
