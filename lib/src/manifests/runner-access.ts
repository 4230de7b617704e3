import { KubeServiceAccount } from 'cdk8s-plus-28/lib/imports/k8s.js';
import type { Construct } from 'constructs';
import type { Lane } from '../lane/lane.ts';
import { objectLabels, syncAnnotations } from './labels.ts';
import { roleWithBinding } from './rbac.ts';

/** The account of runner pods. It may do nothing: what a run needs is mounted into its pod. */
export function runnerAccess(scope: Construct, lane: Lane): void {
  const account = lane.deployment.runner.serviceAccount;
  const metadata = (name: string) => ({
    name,
    namespace: lane.runtime.namespace,
    labels: objectLabels(lane, 'runner', account),
    annotations: syncAnnotations('access'),
  });
  new KubeServiceAccount(scope, 'account', { metadata: metadata(account), automountServiceAccountToken: false });
  roleWithBinding(scope, metadata(`${account}-secret-reader`), account, []);
}
