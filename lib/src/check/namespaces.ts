import type { Lane } from '../lane/lane.ts';
import { runtimeDirectory } from '../lane/rendered-paths.ts';
import { CONTROL_PLANE_FILE } from '../render/render-lane.ts';
import type { Finding } from './finding.ts';
import { findingAt, isClusterObject, isClusterScoped, type PlacedObject } from './rendered-objects.ts';

/**
 * Every namespaced object lies in a namespace of the lane, those of the runtime directory in the runtime namespace; and
 * the Namespaces that are rendered are these. The namespace of Argo CD must be there before.
 */
export function checkNamespaces(
  lane: Lane,
  runtime: readonly PlacedObject[],
  control: readonly PlacedObject[],
): Finding[] {
  return [
    ...namespacesOf(runtime, [lane.runtime.namespace]),
    ...renderedNamespace(runtime, lane.runtime.namespace, `${runtimeDirectory(lane)}/namespace.yaml`),
    ...namespacesOf(control, [lane.ci.namespace, lane.gitops.argoNamespace]),
    ...renderedNamespace(control, lane.ci.namespace, CONTROL_PLANE_FILE),
  ];
}

function namespacesOf(objects: readonly PlacedObject[], allowed: readonly string[]): Finding[] {
  return objects
    .filter(({ object }) => isClusterObject(object))
    .flatMap((placed) => {
      const namespace: unknown = placed.object.metadata?.namespace;
      const refuse = (pointer: string, message: string) => [findingAt(placed, 'output-namespace', pointer, message)];
      if (isClusterScoped(placed.object)) {
        return namespace === undefined ? [] : refuse('/metadata/namespace', 'this kind lives outside namespaces');
      }
      const must = `the namespace must be ${allowed.map((name) => `"${name}"`).join(' or ')}`;
      if (namespace === undefined) return refuse('/metadata', `${must}, there is none`);
      if (allowed.some((name) => name === namespace)) return [];
      return refuse('/metadata/namespace', `${must}, it is ${JSON.stringify(namespace)}`);
    });
}

function renderedNamespace(objects: readonly PlacedObject[], name: string, file: string): Finding[] {
  const rendered = objects.filter(({ object }) => object.kind === 'Namespace');
  if (rendered.length === 0) {
    return [{ code: 'output-namespace', file, message: `the Namespace "${name}" is not rendered` }];
  }
  return rendered
    .filter(({ object }) => object.metadata?.name !== name)
    .map((placed) =>
      findingAt(placed, 'output-namespace', '/metadata/name', `the Namespace of what is rendered here is "${name}"`),
    );
}
