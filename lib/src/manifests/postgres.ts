import {
  type Container,
  IntOrString,
  KubeService,
  KubeStatefulSet,
  type Probe,
  Quantity,
} from 'cdk8s-plus-28/lib/imports/k8s.js';
import type { Construct } from 'constructs';
import type { EnabledPostgres, Lane } from '../lane/lane.ts';
import { NAME_LABEL, objectLabels, syncAnnotations } from './labels.ts';
import { restrictedContainer, restrictedPod } from './pod-security.ts';
import { resourceRequirements } from './resources.ts';

/** The name of the Service that gives the StatefulSet's pods their DNS names. */
const headlessService = (postgres: EnabledPostgres): string => `${postgres.serviceName}-headless`;

/** The major version of the server, which the image tag begins with. */
function postgresMajor(image: string): number {
  return Number(/:([0-9]+)[^/@]*(?:@|$)/.exec(image)?.[1] ?? Number.NaN);
}

/** From version 18 on the image keeps each major in a directory of its own below the volume. */
function dataLayout(major: number): { mountPath: string; dataDirectory: string } {
  return major >= 18
    ? { mountPath: '/var/lib/postgresql', dataDirectory: `/var/lib/postgresql/${major}/docker` }
    : { mountPath: '/var/lib/postgresql/data', dataDirectory: '/var/lib/postgresql/data/pgdata' };
}

/** The lane's own PostgreSQL: client Service, headless Service, StatefulSet. */
export function postgres(scope: Construct, lane: Lane, settings: EnabledPostgres): void {
  const { serviceName: name, port } = settings;
  const namespace = lane.runtime.namespace;
  const labels = objectLabels(lane, 'database', name);
  const selector = { [NAME_LABEL]: name };
  const ports = [{ name: 'postgres', port, targetPort: IntOrString.fromString('postgres') }];

  new KubeService(scope, 'client', {
    metadata: { name, namespace, labels, annotations: syncAnnotations('database') },
    spec: { selector, ports },
  });
  new KubeStatefulSet(scope, 'server', {
    metadata: { name, namespace, labels, annotations: syncAnnotations('database', { keep: true }) },
    spec: {
      serviceName: headlessService(settings),
      replicas: 1,
      selector: { matchLabels: selector },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      template: {
        metadata: { labels },
        spec: {
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          securityContext: restrictedPod(settings.runAsUser),
          // A fast shutdown still writes a checkpoint, which takes its time on a busy server.
          terminationGracePeriodSeconds: 120,
          containers: [server(lane, settings)],
          volumes: [
            { name: 'run', emptyDir: { sizeLimit: Quantity.fromString('16Mi') } },
            { name: 'tmp', emptyDir: { sizeLimit: Quantity.fromString('256Mi') } },
          ],
        },
      },
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: {
            accessModes: ['ReadWriteOnce'],
            resources: { requests: { storage: Quantity.fromString(settings.storage) } },
            ...(settings.storageClassName === null ? {} : { storageClassName: settings.storageClassName }),
          },
        },
      ],
    },
  });
  new KubeService(scope, 'headless', {
    metadata: { name: headlessService(settings), namespace, labels, annotations: syncAnnotations('database') },
    // A pod must find its own name before it is ready.
    spec: { clusterIp: 'None', publishNotReadyAddresses: true, selector, ports },
  });
}

function server(lane: Lane, settings: EnabledPostgres): Container {
  const { mountPath, dataDirectory } = dataLayout(postgresMajor(settings.image));
  // While the image initialises, it serves its socket only: ask by TCP, so that the answer means ready for clients.
  const probe = (timing: Omit<Probe, 'exec'>): Probe => ({
    exec: { command: ['pg_isready', '-h', '127.0.0.1', '-p', '5432', '-U', settings.user, '-d', settings.database] },
    ...timing,
  });
  return {
    name: 'postgres',
    image: settings.image,
    imagePullPolicy: 'IfNotPresent',
    ports: [{ name: 'postgres', containerPort: settings.port }],
    env: [
      { name: 'POSTGRES_DB', value: settings.database },
      { name: 'POSTGRES_USER', value: settings.user },
      {
        name: 'POSTGRES_PASSWORD',
        valueFrom: { secretKeyRef: { name: lane.database.secretRef.name, key: 'POSTGRES_PASSWORD' } },
      },
      { name: 'PGDATA', value: dataDirectory },
    ],
    startupProbe: probe({ periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 60 }),
    readinessProbe: probe({ periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 3 }),
    livenessProbe: probe({ periodSeconds: 20, timeoutSeconds: 5, failureThreshold: 6 }),
    resources: resourceRequirements({
      requests: { cpu: '250m', memory: '256Mi' },
      limits: { cpu: '2', memory: '1Gi' },
    }),
    securityContext: restrictedContainer(),
    volumeMounts: [
      { name: 'data', mountPath },
      { name: 'run', mountPath: '/var/run/postgresql' },
      { name: 'tmp', mountPath: '/tmp' },
    ],
  };
}
