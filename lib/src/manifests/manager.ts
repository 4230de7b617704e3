import {
  type HttpGetAction,
  IntOrString,
  KubeDeployment,
  KubeService,
  KubeServiceAccount,
  Quantity,
} from 'cdk8s-plus-28/lib/imports/k8s.js';
import type { Construct } from 'constructs';
import type { Lane } from '../lane/lane.ts';
import { NAME_LABEL, objectLabels, syncAnnotations } from './labels.ts';
import { managerEnvironment } from './manager-environment.ts';
import { restrictedContainer, restrictedPod } from './pod-security.ts';
import { resourceRequirements } from './resources.ts';
import type { RuntimeInput } from './runtime-input.ts';

/** The user of our images, and the home directory that they declare. */
const MANAGER_USER = 10001;
const MANAGER_HOME = '/home/agentrun';

const health = (path: 'live' | 'readiness'): HttpGetAction => ({
  path: `/health/${path}`,
  port: IntOrString.fromString('http'),
});

/** The manager: ServiceAccount, Service, Deployment. */
export function manager(scope: Construct, lane: Lane, input: RuntimeInput): void {
  const namespace = lane.runtime.namespace;
  const name = lane.runtime.managerDeployment;
  const settings = lane.deployment.manager;
  const labels = objectLabels(lane, 'manager', name);
  const selector = { [NAME_LABEL]: name };

  new KubeServiceAccount(scope, 'account', {
    metadata: { name: settings.serviceAccount, namespace, labels, annotations: syncAnnotations('access') },
    // The Deployment asks for the token; nothing else that uses this account gets one.
    automountServiceAccountToken: false,
  });
  new KubeService(scope, 'service', {
    metadata: { name: lane.runtime.managerService, namespace, labels, annotations: syncAnnotations('manager') },
    spec: {
      selector,
      ports: [{ name: 'http', port: lane.runtime.managerPort, targetPort: IntOrString.fromString('http') }],
    },
  });
  new KubeDeployment(scope, 'deployment', {
    metadata: { name, namespace, labels, annotations: syncAnnotations('manager') },
    spec: {
      replicas: settings.replicas,
      selector: { matchLabels: selector },
      // Several managers may serve one database, so the new one may start before the old one ends.
      strategy: {
        type: 'RollingUpdate',
        rollingUpdate: { maxSurge: IntOrString.fromNumber(1), maxUnavailable: IntOrString.fromNumber(0) },
      },
      template: {
        metadata: {
          labels,
          annotations: {
            [`${lane.labelDomain}/lane`]: lane.version,
            [`${lane.labelDomain}/source-commit`]: input.sourceCommit,
            [`${lane.labelDomain}/env-identity`]: input.envIdentity,
          },
        },
        spec: {
          serviceAccountName: settings.serviceAccount,
          automountServiceAccountToken: true,
          // A Service named agentrun-mgr would otherwise inject AGENTRUN_MGR_* variables.
          enableServiceLinks: false,
          securityContext: restrictedPod(MANAGER_USER),
          // The manager drains in 20 s.
          terminationGracePeriodSeconds: 30,
          containers: [
            {
              name: 'mgr',
              image: input.image,
              imagePullPolicy: 'IfNotPresent',
              ports: [{ name: 'http', containerPort: lane.runtime.managerPort }],
              env: managerEnvironment(lane, input),
              // The boot fetches and bundles the code first: up to five minutes on a slow mirror.
              startupProbe: { httpGet: health('live'), periodSeconds: 3, timeoutSeconds: 2, failureThreshold: 100 },
              readinessProbe: {
                httpGet: health('readiness'),
                periodSeconds: 5,
                timeoutSeconds: 3,
                failureThreshold: 3,
              },
              livenessProbe: { httpGet: health('live'), periodSeconds: 10, timeoutSeconds: 3, failureThreshold: 6 },
              resources: resourceRequirements(settings.resources),
              securityContext: restrictedContainer(),
              volumeMounts: [
                { name: 'tmp', mountPath: '/tmp' },
                { name: 'home', mountPath: MANAGER_HOME },
              ],
            },
          ],
          volumes: [
            { name: 'tmp', emptyDir: { sizeLimit: Quantity.fromString('1Gi') } },
            { name: 'home', emptyDir: { sizeLimit: Quantity.fromString('2Gi') } },
          ],
        },
      },
    },
  });
}
