import type { Lane } from './lane.ts';

/** A file that is rendered for a lane, and the field that decides its path. */
export interface RenderedPath {
  readonly path: string;
  readonly what: string;
  readonly field: string;
}

/** The files of the runtime directory, in the order in which they are rendered; `postgres.yaml` only where it is on. */
const RUNTIME_FILES = [
  'kustomization.yaml',
  'namespace.yaml',
  'postgres.yaml',
  'mgr.yaml',
  'runner-rbac.yaml',
  'limits.yaml',
  'network.yaml',
] as const;

/** One of {@link RUNTIME_FILES}. */
export type RuntimeFileName = (typeof RUNTIME_FILES)[number];

/** The directory that Argo CD syncs. */
export function runtimeDirectory(lane: Lane): string {
  return `${lane.deployment.gitopsRoot}/${lane.deployment.runtimeRenderDir}`;
}

/** Path of the rendered Application. */
export function applicationPath(lane: Lane): string {
  return `${lane.deployment.gitopsRoot}/argocd/${lane.deployment.argocd.applicationFile}`;
}

/** Path of the rendered AppProject. */
export function projectPath(lane: Lane): string {
  return `${lane.deployment.gitopsRoot}/argocd/project.yaml`;
}

/** Every file that a lane renders. */
export function renderedPaths(lane: Lane): RenderedPath[] {
  const { deployment, gitops } = lane;
  const files = RUNTIME_FILES.filter((name) => name !== 'postgres.yaml' || deployment.localPostgres.enabled);
  return [
    { path: gitops.sourceFile, what: 'the source record', field: 'gitops.sourceFile' },
    { path: deployment.artifactCatalogPath, what: 'the artifact catalog', field: 'deployment.artifactCatalogPath' },
    { path: applicationPath(lane), what: 'the Application', field: 'deployment.argocd.applicationFile' },
    ...files.map((name) => ({
      path: `${runtimeDirectory(lane)}/${name}`,
      what: `the runtime file ${name}`,
      field: 'deployment.runtimeRenderDir',
    })),
    { path: projectPath(lane), what: 'the AppProject', field: 'deployment.gitopsRoot' },
  ];
}
