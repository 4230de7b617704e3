import type { Finding } from './finding.ts';
import { dig, listOf, selects, shown, viewOf } from './json-view.ts';
import { containersOf, type PodTemplate } from './pods.ts';
import { findingAt, type PlacedObject } from './rendered-objects.ts';

/** A Service selects at least one pod of the lane, and each of its ports ends at a port that this pod declares. */
export function checkServices(objects: readonly PlacedObject[], pods: readonly PodTemplate[]): Finding[] {
  return objects
    .filter(({ object }) => object.kind === 'Service')
    .flatMap((placed) => {
      const selector = viewOf(dig(placed.object, 'spec', 'selector'));
      const chosen = pods.filter(
        ({ labels, owner }) =>
          selects(selector, labels) && owner.object.metadata?.namespace === placed.object.metadata?.namespace,
      );
      if (Object.keys(selector).length === 0 || chosen.length === 0) {
        return [findingAt(placed, 'output-service', '/spec/selector', 'the selector matches no pod of the lane')];
      }
      return listOf(dig(placed.object, 'spec', 'ports')).flatMap((port, at) => {
        const target = dig(port, 'targetPort') ?? dig(port, 'port');
        return chosen.every((pod) => hasPort(pod, target))
          ? []
          : [
              findingAt(
                placed,
                'output-service',
                `/spec/ports/${at}/targetPort`,
                `no container of ${chosen[0]?.owner.object.metadata?.name} has the port ${shown(target)}`,
              ),
            ];
      });
    });
}

/** StatefulSets need the Service that they name, and it must be headless, or their pods have no names. */
export function checkGoverningServices(objects: readonly PlacedObject[]): Finding[] {
  return objects
    .filter(({ object }) => object.kind === 'StatefulSet')
    .flatMap((placed) => {
      const name = dig(placed.object, 'spec', 'serviceName');
      const service = objects.find(
        ({ object }) =>
          object.kind === 'Service' &&
          object.metadata?.name === name &&
          object.metadata?.namespace === placed.object.metadata?.namespace,
      );
      if (service !== undefined && dig(service.object, 'spec', 'clusterIP') === 'None') return [];
      const what = service === undefined ? 'is not rendered' : 'is not headless';
      return [findingAt(placed, 'output-service', '/spec/serviceName', `the Service ${shown(name)} ${what}`)];
    });
}

function hasPort(pod: PodTemplate, target: unknown): boolean {
  return containersOf(pod).some(({ container }) =>
    listOf(container['ports']).some((port) => dig(port, 'name') === target || dig(port, 'containerPort') === target),
  );
}

/** The port of a probe must be one that the container declares. */
export function checkProbePorts(pods: readonly PodTemplate[]): Finding[] {
  return pods.flatMap((pod) =>
    containersOf(pod).flatMap(({ pointer, container }) =>
      ['startupProbe', 'readinessProbe', 'livenessProbe'].flatMap((probe) =>
        ['httpGet', 'tcpSocket', 'grpc'].flatMap((action) => {
          const target = dig(container[probe], action, 'port');
          const declared = listOf(container['ports']).some(
            (port) => dig(port, 'name') === target || dig(port, 'containerPort') === target,
          );
          if (target === undefined || declared) return [];
          return [
            findingAt(
              pod.owner,
              'output-service',
              `${pointer}/${probe}/${action}/port`,
              `the container has no port ${shown(target)}`,
            ),
          ];
        }),
      ),
    ),
  );
}
