import { dnsLabel, httpUrl, port, secretRef } from './fields.ts';

/** Where the manager runs, and how it is reached inside the cluster. */
export const runtimeSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['namespace', 'managerService', 'managerDeployment', 'managerPort', 'internalBaseUrl'],
  description: 'Namespace and in-cluster address of the manager.',
  examples: [
    {
      namespace: 'agentrun-v01',
      managerService: 'agentrun-mgr',
      managerDeployment: 'agentrun-mgr',
      managerPort: 8080,
      internalBaseUrl: 'http://agentrun-mgr.agentrun-v01.svc.cluster.local:8080',
    },
  ],
  properties: {
    namespace: dnsLabel('Namespace of everything that this lane runs. One namespace a lane.', 'agentrun-v01'),
    managerService: dnsLabel('Name of the Service in front of the manager.', 'agentrun-mgr'),
    managerDeployment: dnsLabel('Name of the Deployment, and value of its selector label.', 'agentrun-mgr'),
    // The manager runs without the right to bind a lower one.
    managerPort: {
      ...port('Port of the Service and of the container; the manager listens on it.', 8080),
      minimum: 1024,
    },
    internalBaseUrl: {
      ...httpUrl(
        'URL at which runners reach the manager: `http(s)://<managerService>.<namespace>.svc[.cluster.local]:<managerPort>`.',
        'http://agentrun-mgr.agentrun-v01.svc.cluster.local:8080',
      ),
      pattern: '^https?://[^\\s@/$`"\'\\\\]+$',
      'x-expected': 'an http or https URL without path, user and trailing "/"',
    },
  },
} as const;

export const databaseSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['secretRef'],
  description: 'The PostgreSQL database of the manager.',
  examples: [{ secretRef: { name: 'agentrun-v01-db', key: 'DATABASE_URL' } }],
  properties: {
    secretRef: secretRef(
      'Secret that holds the database URL; with local PostgreSQL also `POSTGRES_PASSWORD`.',
      'agentrun-v01-db',
      'DATABASE_URL',
    ),
  },
} as const;
