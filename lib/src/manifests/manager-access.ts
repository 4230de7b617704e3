import type { Construct } from 'constructs';
import type { Lane } from '../lane/lane.ts';
import { providerCredentials, toolCredentials } from './credentials.ts';
import { objectLabels, syncAnnotations } from './labels.ts';
import { roleWithBinding } from './rbac.ts';

/** What the manager may do in its namespace: run Jobs with their volumes, and keep credentials in two Secrets. */
export function managerAccess(scope: Construct, lane: Lane): void {
  const account = lane.deployment.manager.serviceAccount;
  const metadata = (name: string) => ({
    name,
    namespace: lane.runtime.namespace,
    labels: objectLabels(lane, 'manager', lane.runtime.managerDeployment),
    annotations: syncAnnotations('access'),
  });
  roleWithBinding(scope, metadata(`${account}-runner-job-controller`), account, [
    { apiGroups: ['batch'], resources: ['jobs'], verbs: ['create', 'delete', 'get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['delete', 'get', 'list', 'watch'] },
    {
      apiGroups: [''],
      resources: ['persistentvolumeclaims'],
      verbs: ['create', 'get', 'list', 'watch', 'delete'],
    },
  ]);
  roleWithBinding(scope, metadata(`${account}-provider-secret-manager`), account, [
    // RBAC cannot name what does not exist yet; reading and changing is bound to the two names.
    { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
    {
      apiGroups: [''],
      resources: ['secrets'],
      resourceNames: [providerCredentials(lane), toolCredentials(lane)],
      verbs: ['get', 'patch', 'update'],
    },
  ]);
}
