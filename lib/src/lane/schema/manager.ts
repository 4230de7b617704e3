import {
  count,
  dnsLabel,
  dnsSubdomain,
  ENV_NAME,
  envName,
  flag,
  gitUrl,
  imageByTagAndDigest,
  imageName,
  nullable,
  port,
  postgresName,
  QUANTITY,
  quantity,
  secretRef,
} from './fields.ts';

const POSTGRES_EXAMPLE =
  'docker.io/library/postgres:17-alpine@sha256:742f40ea20b9ff2ff31db5458d127452988a2164df9e17441e191f3b72252193';

const amounts = (description: string, cpu: string, memory: string) =>
  ({
    type: 'object',
    additionalProperties: {
      type: ['string', 'number'],
      pattern: QUANTITY,
      exclusiveMinimum: 0,
      'x-expected': 'a positive Kubernetes quantity, such as "500m", "2" or "2Gi"',
    },
    required: ['cpu', 'memory'],
    description,
    examples: [{ cpu, memory }],
  }) as const;

const resourcesSchema = {
  type: 'object',
  additionalProperties: true,
  required: ['requests', 'limits'],
  description: 'Kubernetes ResourceRequirements of the manager container, copied as they are.',
  examples: [{ requests: { cpu: '250m', memory: '512Mi' }, limits: { cpu: '2', memory: '2Gi' } }],
  properties: {
    requests: amounts('What the scheduler reserves; `cpu` and `memory` are needed.', '250m', '512Mi'),
    limits: amounts('What the container may use at most; `cpu` and `memory` are needed.', '2', '2Gi'),
  },
} as const;

export const managerSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['serviceAccount', 'bootRepoUrl', 'imageBuild', 'resources', 'apiKeySecretRef', 'env'],
  description: 'The manager: its account, image, resources and environment.',
  examples: [{ serviceAccount: 'agentrun-v01-mgr', env: {} }],
  properties: {
    serviceAccount: dnsLabel('ServiceAccount of the manager, and prefix of its Roles and Secrets.', 'agentrun-v01-mgr'),
    bootRepoUrl: gitUrl(
      'Repository from which the boot script fetches the code at the source commit.',
      'http://git-mirror.git-system.svc.cluster.local:8080/agentrun/agentrun.git',
    ),
    imageBuild: {
      type: 'object',
      additionalProperties: false,
      required: ['repository'],
      description: 'The environment image, built by the lane owner.',
      examples: [{ repository: 'agentrun-mgr-env' }],
      properties: { repository: imageName('Name of the image below `ci.registryPrefix`.', 'agentrun-mgr-env') },
    },
    resources: resourcesSchema,
    apiKeySecretRef: secretRef('Secret that holds the operator API key.', 'agentrun-v01-api-key', 'AGENTRUN_API_KEY'),
    env: {
      type: 'object',
      propertyNames: {
        pattern: ENV_NAME,
        'x-expected': 'an environment variable name (upper-case letters, digits and "_")',
      },
      additionalProperties: { type: 'string' },
      description: 'More literal environment variables. Secrets belong in `secretEnv`.',
      examples: [{ AGENTRUN_SESSION_GC_INTERVAL_MS: '300000' }],
    },
    unideskSshEndpointEnv: {
      type: ['object', 'null'],
      additionalProperties: false,
      required: ['name', 'value'],
      default: null,
      description: 'One more literal variable, written after `env`; null for none.',
      examples: [{ name: 'UNIDESK_SSH_ENDPOINT', value: 'ssh://gateway.example.com:22' }],
      properties: {
        name: envName('Name of the variable.', 'UNIDESK_SSH_ENDPOINT'),
        value: { type: 'string', description: 'Value of the variable.', examples: ['ssh://gateway.example.com:22'] },
      },
    },
    replicas: {
      ...count('Number of manager pods. Singleton duties run in one of them.', 1),
      maximum: 10,
      default: 1,
    },
    secretEnv: {
      type: 'object',
      propertyNames: {
        pattern: ENV_NAME,
        'x-expected': 'an environment variable name (upper-case letters, digits and "_")',
      },
      additionalProperties: secretRef('Secret key that gives the value.', 'agentrun-v01-extra', 'token'),
      default: {},
      description: 'Environment variables whose values come from Secrets in the runtime namespace.',
      examples: [{ EXTRA_TOKEN: { name: 'agentrun-v01-extra', key: 'token' } }],
    },
  },
} as const;

export const localPostgresSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['enabled'],
  description: 'A PostgreSQL of the lane itself; when it is off, `database.secretRef` names an external one.',
  examples: [{ enabled: false }],
  properties: {
    enabled: flag('Whether the lane brings its own PostgreSQL.', true),
    serviceName: nullable(dnsLabel('Name of the StatefulSet and of its client Service.', 'agentrun-v01-postgres', 52)),
    image: nullable(imageByTagAndDigest('PostgreSQL image; the tag begins with the major version.', POSTGRES_EXAMPLE)),
    storage: nullable(quantity('Size of the data volume; fixed once created.', '20Gi')),
    port: nullable(port('Port of the server; must be 5432.', 5432)),
    database: nullable(postgresName('Name of the database.', 'agentrun')),
    user: nullable(postgresName('Owner of the database.', 'agentrun')),
    storageClassName: nullable(
      dnsSubdomain("Storage class of the data volume; null for the cluster's default.", 'ssd'),
    ),
    runAsUser: {
      ...count('User id of the server process; 70 in the Alpine images, 999 in the Debian ones.', 70),
      default: 70,
    },
  },
  if: { properties: { enabled: { const: true } }, required: ['enabled'] },
  then: {
    // Judged before the defaults are filled in: a missing field is not yet null.
    required: ['serviceName', 'image', 'storage', 'port', 'database', 'user'],
    properties: {
      serviceName: { type: 'string' },
      image: { type: 'string' },
      storage: { type: 'string' },
      port: { type: 'integer' },
      database: { type: 'string' },
      user: { type: 'string' },
    },
  },
} as const;
