import type { Chart } from 'cdk8s';
import type { Lane } from '../lane/lane.ts';
import type { RuntimeFileName } from '../lane/rendered-paths.ts';
import type { KubernetesObject } from './kubernetes-object.ts';
import { kustomization } from './kustomization.ts';
import { limits } from './limits.ts';
import { manager } from './manager.ts';
import { managerAccess } from './manager-access.ts';
import { runtimeNamespace } from './namespaces.ts';
import { network } from './network.ts';
import { postgres } from './postgres.ts';
import { runnerAccess } from './runner-access.ts';
import type { RuntimeInput } from './runtime-input.ts';
import { synthesize } from './synthesize.ts';

/** One file of the runtime directory. */
export interface RuntimeFile {
  readonly name: RuntimeFileName;
  readonly objects: readonly KubernetesObject[];
}

/** The files of the directory that Argo CD syncs, the kustomization first. */
export function runtimeFiles(lane: Lane, input: RuntimeInput): RuntimeFile[] {
  const file = (name: RuntimeFileName, build: (scope: Chart) => void): RuntimeFile => ({
    name,
    objects: synthesize(build),
  });
  const local = lane.deployment.localPostgres;
  const files = [
    file('namespace.yaml', (scope) => runtimeNamespace(scope, lane)),
    ...(local.enabled ? [file('postgres.yaml', (scope) => postgres(scope, lane, local))] : []),
    file('mgr.yaml', (scope) => {
      manager(scope, lane, input);
      managerAccess(scope, lane);
    }),
    file('runner-rbac.yaml', (scope) => runnerAccess(scope, lane)),
    file('limits.yaml', (scope) => limits(scope, lane)),
    file('network.yaml', (scope) => network(scope, lane)),
  ];
  const list = kustomization(files.map(({ name }) => name));
  return [{ name: 'kustomization.yaml', objects: [{ ...list }] }, ...files];
}
