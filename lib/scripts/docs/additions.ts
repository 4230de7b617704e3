/**
 * The optional fields that AgentRun adds to the contract's lane, and why. Every optional field of the schema stands
 * either here, below one of these, or in {@link CONTRACT_OPTIONAL}; the generator refuses any other.
 */
export const ADDITIONS: Readonly<Record<string, string>> = {
  labelDomain: 'Your objects can carry your own domain.',
  'gitops.sourceFile': 'Several lanes can share one GitOps branch, each with its own source record.',
  'deployment.manager.replicas': 'A second manager keeps the service up while one is replaced.',
  'deployment.manager.secretEnv': 'A secret can reach the manager without standing in Git.',
  'deployment.localPostgres.storageClassName': 'The data volume need not use the default class of the cluster.',
  'deployment.localPostgres.runAsUser': 'PostgreSQL runs as the user of its image, which differs between images.',
  'deployment.runner.placement': 'Runners can be child processes of the manager, where there is no cluster.',
  'deployment.runner.runtimeClassName': 'Runner pods can get a sandbox.',
  'deployment.network': 'The group of the field below.',
  'deployment.network.runnerEgress': 'Runners, which run code that a model wrote, reach only what you allow.',
  review: 'The group of the field below.',
  'review.allow': 'A risk that is meant can be signed off where the lane is reviewed, until a day.',
};

/** Fields of the contract that may be left out: a missing one means null. */
export const CONTRACT_OPTIONAL: readonly string[] = [
  'deployment.localPostgres.serviceName',
  'deployment.localPostgres.image',
  'deployment.localPostgres.storage',
  'deployment.localPostgres.port',
  'deployment.localPostgres.database',
  'deployment.localPostgres.user',
  'deployment.manager.unideskSshEndpointEnv',
  'deployment.runner.retention.ageBasedCleanup.maxAgeHours',
  'deployment.runner.egressProxyUrl',
];
