import type { PodSecurityContext, SecurityContext } from 'cdk8s-plus-28/lib/imports/k8s.js';

/** A container that the Pod Security level "restricted" admits, on a read-only root. */
export const restrictedContainer = (): SecurityContext => ({
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  readOnlyRootFilesystem: true,
});

/** A pod that the Pod Security level "restricted" admits, run by one numeric user. */
export const restrictedPod = (user: number): PodSecurityContext => ({
  runAsNonRoot: true,
  runAsUser: user,
  runAsGroup: user,
  fsGroup: user,
  // Without it a large volume is walked file by file at each start.
  fsGroupChangePolicy: 'OnRootMismatch',
  seccompProfile: { type: 'RuntimeDefault' },
});

/** Pod Security labels of a namespace. */
export const podSecurityLabels = (level: 'baseline' | 'restricted'): Record<string, string> => ({
  'pod-security.kubernetes.io/enforce': level,
  'pod-security.kubernetes.io/audit': 'restricted',
  'pod-security.kubernetes.io/warn': 'restricted',
});
