import type { Lane } from '../lane/lane.ts';

/** Something that must exist in the cluster, and that AgentRun does not render. */
export type Prerequisite =
  | {
      readonly kind: 'Secret';
      readonly namespace: string;
      readonly name: string;
      readonly keys: readonly string[];
      readonly purpose: string;
    }
  | {
      readonly kind: 'Namespace' | 'CustomResourceDefinition' | 'StorageClass' | 'RuntimeClass';
      readonly name: string;
      readonly purpose: string;
    }
  | {
      /** Something that must be reachable, and how to show that it is. */
      readonly kind: 'Access';
      /** A URL, or the prefix of images. */
      readonly name: string;
      readonly purpose: string;
    };

/**
 * Everything that must exist before the lane can run. The output check takes the Secrets of this list as declared:
 * a reference to anything else must be rendered.
 */
export function prerequisites(lane: Lane): Prerequisite[] {
  const { localPostgres, manager, runner } = lane.deployment;
  const secrets = new Map<string, { keys: Set<string>; purposes: Set<string> }>();
  const need = (name: string, key: string, purpose: string) => {
    const entry = secrets.get(name) ?? { keys: new Set(), purposes: new Set() };
    entry.keys.add(key);
    entry.purposes.add(purpose);
    secrets.set(name, entry);
  };
  const database = localPostgres.enabled
    ? `URL of the database, at ${localPostgres.serviceName}:${localPostgres.port}/${localPostgres.database}`
    : 'URL of the database';
  need(lane.database.secretRef.name, lane.database.secretRef.key, database);
  if (localPostgres.enabled) {
    need(lane.database.secretRef.name, 'POSTGRES_PASSWORD', `password of the database user "${localPostgres.user}"`);
  }
  need(manager.apiKeySecretRef.name, manager.apiKeySecretRef.key, 'API key of the operator');
  for (const [variable, { name, key }] of Object.entries(manager.secretEnv)) need(name, key, `variable ${variable}`);

  const named = (kind: 'StorageClass' | 'RuntimeClass', name: string | null, purpose: string): Prerequisite[] =>
    name === null ? [] : [{ kind, name, purpose }];
  return [
    { kind: 'CustomResourceDefinition', name: 'pipelines.tekton.dev', purpose: 'Tekton Pipelines v1' },
    { kind: 'CustomResourceDefinition', name: 'appprojects.argoproj.io', purpose: 'Argo CD' },
    { kind: 'CustomResourceDefinition', name: 'applications.argoproj.io', purpose: 'Argo CD' },
    { kind: 'Namespace', name: lane.gitops.argoNamespace, purpose: 'Argo CD' },
    {
      kind: 'Namespace',
      name: lane.runtime.namespace,
      purpose: 'Argo CD makes it, but its Secrets must be there first; Argo CD then takes it over',
    },
    ...(localPostgres.enabled
      ? named('StorageClass', localPostgres.storageClassName, 'data volume of PostgreSQL')
      : []),
    ...named('RuntimeClass', runner.runtimeClassName, 'runner pods'),
    ...[...secrets].map(([name, { keys, purposes }]) => ({
      kind: 'Secret' as const,
      namespace: lane.runtime.namespace,
      name,
      keys: [...keys],
      purpose: [...purposes].join('; '),
    })),
    ...(isSsh(lane.gitMirror.writeUrl)
      ? [
          {
            kind: 'Secret' as const,
            namespace: lane.ci.namespace,
            name: `${lane.gitops.argoApplication}-git-ssh`,
            keys: ['id_ed25519', 'known_hosts'],
            purpose: `workspace git-ssh of a PipelineRun, which pushes to ${lane.gitMirror.writeUrl}; another name will do`,
          },
        ]
      : []),
    { kind: 'Access', name: lane.gitops.repoURL, purpose: 'Argo CD reads the GitOps branch' },
    { kind: 'Access', name: lane.gitMirror.readUrl, purpose: 'the Pipeline reads the lane' },
    { kind: 'Access', name: manager.bootRepoUrl, purpose: 'the manager reads its code when it starts' },
    { kind: 'Access', name: lane.ci.registryPrefix, purpose: 'the nodes pull the images' },
  ];
}

const isSsh = (url: string): boolean => url.startsWith('ssh://') || !url.includes('://');
