import { dig, listOf, type View, viewOf } from './json-view.ts';
import type { PlacedObject } from './rendered-objects.ts';

/** A pod template within a rendered workload. */
export interface PodTemplate {
  readonly owner: PlacedObject;
  /** JSON pointer of the template. */
  readonly pointer: string;
  readonly labels: View;
  readonly spec: View;
}

const WORKLOADS = new Set(['Deployment', 'StatefulSet', 'Job']);

/** The pod templates of the rendered workloads. */
export function podTemplates(objects: readonly PlacedObject[]): PodTemplate[] {
  return objects
    .filter(({ object }) => WORKLOADS.has(object.kind))
    .map((owner) => ({
      owner,
      pointer: '/spec/template',
      labels: viewOf(dig(owner.object, 'spec', 'template', 'metadata', 'labels')),
      spec: viewOf(dig(owner.object, 'spec', 'template', 'spec')),
    }));
}

/** The containers of a pod with their pointers, init containers first. */
export function containersOf({ pointer, spec }: PodTemplate): { pointer: string; container: View }[] {
  return ['initContainers', 'containers'].flatMap((field) =>
    listOf(spec[field]).map((container, at) => ({
      pointer: `${pointer}/spec/${field}/${at}`,
      container: viewOf(container),
    })),
  );
}
