import { KubeRole, KubeRoleBinding, type ObjectMeta, type PolicyRule } from 'cdk8s-plus-28/lib/imports/k8s.js';
import type { Construct } from 'constructs';

const GROUP = 'rbac.authorization.k8s.io';

/** A Role, and a RoleBinding of the same name that gives it to one ServiceAccount of the same namespace. */
export function roleWithBinding(
  scope: Construct,
  metadata: ObjectMeta & { name: string; namespace: string },
  serviceAccount: string,
  rules: PolicyRule[],
): void {
  new KubeRole(scope, `role-${metadata.name}`, { metadata, rules });
  new KubeRoleBinding(scope, `binding-${metadata.name}`, {
    metadata,
    subjects: [{ kind: 'ServiceAccount', name: serviceAccount, namespace: metadata.namespace }],
    roleRef: { apiGroup: GROUP, kind: 'Role', name: metadata.name },
  });
}
